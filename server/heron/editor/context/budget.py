"""How much text goes into a prompt, and cutting it at borders that stay put while the user types."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

CHARACTERS_PER_TOKEN = 6  # more than code ever averages: bounds the text looked at before anything is counted
TOKENS_PER_STEP_LINE = 20  # a step of lines is about half of the window: each step costs a prefill of the rest
LEAST_STEP_LINES = 8
MOST_BORDER_LINES = 16  # how far a start moves on to a border: what it passes over is lost to the window
STEP_COLUMNS = 256
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class Budget:
    """Tokens allowed on each side of the cursor, and how to count them. `count` may estimate, never far too low.

    `import_tokens` of the prefix may go to imports that do not fit with the rest.
    """

    prefix_tokens: int
    suffix_tokens: int
    count: Callable[[str], int]
    import_tokens: int = 0


def cut_prefix(text: str, first_line: int, budget: Budget) -> str:
    """The end of `text` that fits, begun at a border. `first_line` is the number of its first line in the document.

    The start is the first grid line (a multiple of a fixed step of lines, moved on to the next top-level border)
    from which the rest fits. Lines typed at the end move it by a whole step at a time, so a KV cache of the window
    stays valid between the steps.
    """
    if first_line == 0 and budget.count(text) <= budget.prefix_tokens:
        return text
    step = max(LEAST_STEP_LINES, budget.prefix_tokens // TOKENS_PER_STEP_LINE)
    best = ""
    while step:  # where lines are so long that a step spoils most of the window, take a finer one
        start = _first_fitting(text, _window_starts(text, first_line, step), budget)
        window = text[start:] if start is not None else ""
        if 3 * budget.count(window) >= budget.prefix_tokens:
            return window
        best = max(best, window, key=len)
        step //= 2
    return best or _cut_columns(text, budget)


def cut_suffix(text: str, budget: Budget) -> str:
    """The beginning of `text` that fits, ended after a whole line; only a first line that is too long is parted."""
    if budget.suffix_tokens <= 0:
        return ""
    allowed = budget.suffix_tokens * CHARACTERS_PER_TOKEN
    lines = _LINE.findall(text[:allowed])
    if len(text) > allowed and len(lines) > 1:
        lines.pop()
    while len(lines) > 1 and (over := budget.count("".join(lines)) - budget.suffix_tokens) > 0:
        kept = len(lines) * budget.suffix_tokens // (budget.suffix_tokens + over)
        del lines[max(1, min(len(lines) - 1, kept)) :]
    return _cut_line("".join(lines), budget) if len(lines) == 1 else "".join(lines)


def _window_starts(text: str, first_line: int, step: int) -> list[int]:
    """Offsets where a window may begin: for each grid line the next top-level border before the next grid line."""
    lines = text.split("\n")
    offsets = [0, *accumulate(len(line) + 1 for line in lines)]
    return [offsets[_border(lines, number, step)] for number in range(-first_line % step, len(lines), step)]


def _border(lines: list[str], number: int, step: int) -> int:
    """The first top-level line with a blank one above in the step from `number`; `number` itself without one.

    The step being typed in is left alone: its borders come and go.
    """
    if number + step >= len(lines):
        return number
    near = range(number, number + min(step, MOST_BORDER_LINES))
    borders = (n for n in near if lines[n][:1].strip() and n and not lines[n - 1].strip())
    return next(borders, number)


def _first_fitting(text: str, starts: list[int], budget: Budget) -> int | None:
    """The earliest start from which the text fits, by bisection."""
    low, high = 0, len(starts)
    while low < high:
        middle = (low + high) // 2
        if budget.count(text[starts[middle] :]) <= budget.prefix_tokens:
            high = middle
        else:
            low = middle + 1
    return starts[low] if low < len(starts) else None


def _cut_columns(text: str, budget: Budget) -> str:
    """The last line alone or, if that is too long, its end from a coarse column on."""
    line_start = text.rfind("\n") + 1
    line = text[line_start:]
    while line and (over := budget.count(line) - budget.prefix_tokens) > 0:
        excess = len(line) * over // (over + budget.prefix_tokens)
        line = line[max(1, -(-excess // STEP_COLUMNS) * STEP_COLUMNS) :]
    return line


def _cut_line(line: str, budget: Budget) -> str:
    """The beginning of a line that fits."""
    while line and (over := budget.count(line) - budget.suffix_tokens) > 0:
        line = line[: len(line) * budget.suffix_tokens // (budget.suffix_tokens + over)]
    return line
