"""Thirty small functions, each with a fault to put in and assertions that find it."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

_RUN_S = 10
_LIMITS = """
import resource
resource.setrlimit(resource.RLIMIT_CPU, (5, 5))
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
"""
_RUNNER = """
import json, sys, traceback
try:
    scope = {"__name__": "code"}
    exec(compile(open("code.py").read(), "code.py", "exec"), scope)
    exec(compile(open("check.py").read(), "check.py", "exec"), scope)
except BaseException as error:
    frames = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "code.py"]
    line = getattr(error, "lineno", None) if isinstance(error, SyntaxError) else frames[-1] if frames else 0
    print(json.dumps({"message": f"{type(error).__name__}: {error}", "line": line}))
else:
    print(json.dumps({}))
"""


@dataclass(frozen=True)
class Bug:
    """`right` stands in the code once; `wrong` is put in its place. `check` are statements that pass for `right`."""

    code: str
    right: str
    wrong: str
    check: str

    @property
    def seeded(self) -> str:
        assert self.code.count(self.right) == 1, self.right
        return self.code.replace(self.right, self.wrong)


@dataclass(frozen=True)
class Failure:
    """What Python says, and the line of the code it says it of; 0 where only an assertion failed."""

    message: str
    line: int


def run_checks(code: str, check: str) -> Failure | None:
    """Run code and its assertions in a child process with limits; None if they pass."""
    with TemporaryDirectory() as folder:
        Path(folder, "code.py").write_text(code)
        Path(folder, "check.py").write_text(_told(check))
        command = [sys.executable, "-I", "-c", _LIMITS + _RUNNER]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_RUN_S, check=False)
        except subprocess.TimeoutExpired:
            return Failure("TimeoutError: it did not end", 0)
    try:
        found = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        return Failure(f"It ended with code {done.returncode}.", 0)
    return Failure(found["message"], found["line"] or 0) if found else None


def _told(check: str) -> str:
    """`call == value` as an assertion that tells what it got."""
    lines = []
    for line in check.strip().splitlines():
        call, _, value = line.partition(" == ")
        told = f"AssertionError({f'{call} gave '!r} + repr(got) + {f', expected {value}'!r})"
        lines.append(f"got = {call}\nif got != {value}:\n    raise {told}" if value else line)
    return "\n".join(lines)


NAMES = (
    Bug(
        "def mean(values):\n    total = sum(values)\n    return total / len(values)\n",
        "total /",
        "totl /",
        "mean([1, 3]) == 2.0",
    ),
    Bug(
        "def greet(name):\n    return 'Hello, ' + name.strip()\n",
        "name.strip",
        "nam.strip",
        "greet(' Ann ') == 'Hello, Ann'",
    ),
    Bug(
        "import json\n\n\ndef load(text):\n    return json.loads(text)\n", "import json\n\n\n", "", "load('[1]') == [1]"
    ),
    Bug(
        "import math\n\n\ndef hypotenuse(a, b):\n    return math.sqrt(a * a + b * b)\n",
        "import math\n\n\n",
        "",
        "hypotenuse(3, 4) == 5.0",
    ),
    Bug(
        "def count_words(text):\n    counts = {}\n    for word in text.split():\n"
        "        counts[word] = counts.get(word, 0) + 1\n    return counts\n",
        "return counts",
        "return count",
        "count_words('a b a') == {'a': 2, 'b': 1}",
    ),
    Bug(
        "class Stack:\n    def __init__(self):\n        self.items = []\n\n    def push(self, item):\n"
        "        self.items.append(item)\n        return len(self.items)\n",
        "self.items.append",
        "self.itms.append",
        "Stack().push(1) == 1",
    ),
    Bug(
        "def evens(numbers):\n    return [number for number in numbers if number % 2 == 0]\n",
        "number % 2",
        "numbr % 2",
        "evens([1, 2, 4]) == [2, 4]",
    ),
    Bug(
        "import re\n\n\ndef digits(text):\n    return re.findall(r'\\d+', text)\n",
        "import re\n\n\n",
        "",
        "digits('a1b22') == ['1', '22']",
    ),
    Bug(
        "def swap(pair):\n    first, second = pair\n    return second, first\n",
        "return second, first",
        "return secnd, first",
        "swap((1, 2)) == (2, 1)",
    ),
    Bug(
        "def longest(words):\n    best = ''\n    for word in words:\n"
        "        if len(word) > len(best):\n            best = word\n    return best\n",
        "best = word",
        "best = wrd",
        "longest(['a', 'bcd', 'ef']) == 'bcd'",
    ),
)
RUNTIME = (
    Bug(
        "def join_numbers(numbers):\n    return ', '.join(str(number) for number in numbers)\n",
        "str(number) for number in numbers",
        "numbers",
        "join_numbers([1, 2]) == '1, 2'",
    ),
    Bug("def last(items):\n    return items[len(items) - 1]\n", "len(items) - 1", "len(items)", "last([1, 2, 3]) == 3"),
    Bug("def age_text(age):\n    return 'Age: ' + str(age)\n", "str(age)", "age", "age_text(3) == 'Age: 3'"),
    Bug(
        "def average(values):\n    if not values:\n        return 0\n    return sum(values) / len(values)\n",
        "    if not values:\n        return 0\n",
        "",
        "average([]) == 0\naverage([2, 4]) == 3.0",
    ),
    Bug(
        "def get_port(config):\n    return config.get('port', 80)\n",
        "config.get('port', 80)",
        "config['port']",
        "get_port({}) == 80\nget_port({'port': 1}) == 1",
    ),
    Bug(
        "def total_price(items):\n    return sum(item['price'] for item in items)\n",
        "item['price']",
        "item.price",
        "total_price([{'price': 2}, {'price': 3}]) == 5",
    ),
    Bug(
        "def parse_pair(text):\n    key, value = text.split('=', 1)\n    return key, value\n",
        "text.split('=', 1)",
        "text.split('=')",
        "parse_pair('a=b=c') == ('a', 'b=c')",
    ),
    Bug(
        "def unique(items):\n    seen = set()\n    for item in items:\n        seen.add(item)\n"
        "    return sorted(seen)\n",
        "seen.add(item)",
        "seen.append(item)",
        "unique([2, 1, 2]) == [1, 2]",
    ),
    Bug(
        "def factorial(n):\n    if n <= 1:\n        return 1\n    return n * factorial(n - 1)\n",
        "factorial(n - 1)",
        "factorial(n)",
        "factorial(4) == 24",
    ),
    Bug(
        "class Counter:\n    def __init__(self):\n        self.value = 0\n\n"
        "    def add(self, amount):\n        self.value += amount\n        return self.value\n",
        "def add(self, amount)",
        "def add(amount)",
        "Counter().add(2) == 2",
    ),
)
RESULTS = (
    Bug(
        "def is_leap(year):\n    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)\n",
        "year % 400 == 0",
        "year % 400 != 0",
        "is_leap(2000) == True\nis_leap(1900) == False",
    ),
    Bug(
        "def maximum(values):\n    best = values[0]\n    for value in values:\n"
        "        if value > best:\n            best = value\n    return best\n",
        "value > best",
        "value < best",
        "maximum([1, 5, 3]) == 5",
    ),
    Bug("def reverse(text):\n    return text[::-1]\n", "text[::-1]", "text[::1]", "reverse('abc') == 'cba'"),
    Bug(
        "def count_vowels(text):\n    return sum(1 for letter in text.lower() if letter in 'aeiou')\n",
        "'aeiou'",
        "'aeio'",
        "count_vowels('Under') == 2",
    ),
    Bug(
        "def fahrenheit(celsius):\n    return celsius * 9 / 5 + 32\n",
        "9 / 5 + 32",
        "5 / 9 + 32",
        "fahrenheit(100) == 212.0",
    ),
    Bug(
        "def is_palindrome(text):\n    return text == text[::-1]\n",
        "text == text",
        "text != text",
        "is_palindrome('aba') == True\nis_palindrome('ab') == False",
    ),
    Bug("def sum_to(n):\n    return sum(range(1, n + 1))\n", "n + 1", "n", "sum_to(4) == 10"),
    Bug(
        "def fibonacci(n):\n    a, b = 0, 1\n    for _ in range(n):\n        a, b = b, a + b\n    return a\n",
        "a, b = b, a + b",
        "a, b = b, a - b",
        "fibonacci(6) == 8",
    ),
    Bug(
        "def clamp(value, low, high):\n    return max(low, min(value, high))\n",
        "max(low, min(value, high))",
        "min(low, max(value, high))",
        "clamp(5, 0, 3) == 3\nclamp(2, 0, 3) == 2",
    ),
    Bug(
        "def square_all(numbers):\n    return [number ** 2 for number in numbers]\n",
        "number ** 2",
        "number * 2",
        "square_all([1, 3]) == [1, 9]",
    ),
)
KINDS: dict[str, tuple[Bug, ...]] = {"names": NAMES, "runtime": RUNTIME, "results": RESULTS}
