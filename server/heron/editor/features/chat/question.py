"""What a question refers to, read from its text alone: a command, paths, names of symbols, and `#` references.

`#file:src/a.py` `#symbol:Cart.total` `#selection` `#diagnostics` `@workspace`, names in backticks, words in the shape
of a path or an identifier. What is only a word may still be a name; the index decides.
"""

import re
from dataclasses import dataclass

from heron.editor.prompt.commands import COMMANDS

MAX_NAMES = 6
"""References of a kind that are followed; a pasted log would have hundreds."""

_COMMAND = re.compile(rf"\s*/({'|'.join(COMMANDS)})(?:\s+|\Z)")
_MARKED_FILE = re.compile(r"#file:(?:\"([^\"\n]+)\"|(\S+))")
_MARKED_SYMBOL = re.compile(r"#symbol:([\w.]+|\S+)")
_FLAG = re.compile(r"(?<!\w)(#selection|#diagnostics|@workspace)\b")
_URL = re.compile(r"\b[a-z]{1,20}://\S+")
_QUOTED = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"(?<![\w:/#@.+-])((?:[\w.+-]+/)*[\w.+-]*\.[A-Za-z]\w{0,9})(?::(\d+)(?:-(\d+))?)?(?![\w(/])")
_FOLDED_PATH = re.compile(r"(?<![\w:/#@<.+-])((?:[\w.+-]+/)+[\w.+-]+)(?::(\d+)(?:-(\d+))?)?(?![\w(])")
_USES = re.compile(r"\b(uses?|used|usages?|using|calls?|called|callers?|references?)\b", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d]\w*(?:(?:\.|::)[^\W\d]\w*)*")
_SHAPED = re.compile(r"_|::|\.|[a-z0-9][A-Z]|[A-Z]{2,}[a-z]")
_SUFFIX = re.compile(
    r"(?:bash|c|cc|cfg|cpp|cs|css|cxx|go|h|hpp|html?|ini|java|m?js|json|jsx|lua|md|php|pyi?|rb|rs|rst|scm|sh|sql|toml"
    r"|tsx?|txt|xml|ya?ml)",
    re.IGNORECASE,
)
_ORDINARY = """
    a about add all also an and any are argument arguments as at attribute be because but by call called calls can
    class classes code could create defined definition describe did do docs does doing done each error errors
    example explain file files find fix for from function functions get give happens has have help here how
    implement implementation implemented instance into its know let like line list look make mean means method
    methods module name need new not object one other our out package parameter parameters please project purpose
    python raise raised return returned returns run see should show some source tell test tests than that the their
    them then there these they this those type use used uses using value values variable want was way were what when
    where which who why will with work works would write you your
"""
"""Words of questions about code; what is left over may be a name."""


@dataclass(frozen=True, slots=True)
class Lines:
    """A path as written, and lines of it counted from 1; `first` 0 means all, `last` 0 only the first."""

    path: str
    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """`names` are certainly meant as symbols, `words` may be names of some. All in the order they occur."""

    text: str
    command: str = ""
    paths: tuple[Lines, ...] = ()
    names: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()
    asks_for_uses: bool = False


def read_question(text: str) -> Question:
    """What a question refers to."""
    command = _COMMAND.match(text)
    body = _URL.sub(" ", text[command.end() :] if command else text)
    paths = _read_paths(body)
    rest = _QUOTED.sub(" ", _MARKED_FILE.sub(" ", _MARKED_SYMBOL.sub(" ", _FLAG.sub(" ", body))))
    rest = _PATH.sub(lambda found: " " if _is_path(found[1]) else found[0], _FOLDED_PATH.sub(" ", rest))
    bare = [(name, rest[end : end + 1]) for name, end in ((found[0], found.end()) for found in _NAME.finditer(rest))]
    shaped = [name for name, after in bare if after == "(" or _SHAPED.search(name)]
    names = _distinct([*_MARKED_SYMBOL.findall(body), *_quoted_names(body), *shaped])
    ordinary = set(_ORDINARY.split())
    words = [name for name, _ in bare if name.lower() not in ordinary and len(name) > 2 and name not in names]
    words.sort(key=lambda word: not word[0].isupper())  # a class is sooner meant than a word that happens to be a name
    flags = frozenset(flag[1:] for flag in _FLAG.findall(body))
    uses = bool(_USES.search(rest))
    said = (text[command.end() :] if command else text).strip()
    return Question(said, command[1] if command else "", paths, names, _distinct(words), flags, uses)


def _read_paths(text: str) -> tuple[Lines, ...]:
    marked = [Lines(quoted or plain.rstrip(".,;?!")) for quoted, plain in _MARKED_FILE.findall(text)]
    bare = _MARKED_FILE.sub(" ", text)
    found = [*_FOLDED_PATH.finditer(bare), *(match for match in _PATH.finditer(bare) if _is_path(match[1]))]
    ordered = sorted(found, key=lambda match: match.start())
    lines = [Lines(match[1].rstrip("."), int(match[2] or 0), int(match[3] or 0)) for match in ordered]
    return tuple(dict.fromkeys([*marked, *lines]))[:MAX_NAMES]


def _is_path(text: str) -> bool:
    return bool(_SUFFIX.fullmatch(text.rpartition(".")[2]))


def _quoted_names(text: str) -> list[str]:
    """Names in backticks: `total`, `Cart.total()`, `std::move`; other code in backticks has none."""
    inner = (quoted.strip().removesuffix("()") for quoted in _QUOTED.findall(text))
    heads = (quoted.partition("(")[0].strip() for quoted in inner)
    return [head for head in heads if _NAME.fullmatch(head) and not _is_path(head)]


def _distinct(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))[:MAX_NAMES]
