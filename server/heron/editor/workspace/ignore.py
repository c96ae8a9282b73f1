"""Which entries of a folder are ignored: nested .gitignore and .heronignore, and .git/info/exclude. gitignore(5).

`pathspec` translates the patterns. They are matched against each entry on the way down instead of whole paths, so that
an ignored folder is never entered and the rule "what lies in an ignored folder cannot be brought back" holds by itself.
"""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

NAMES = (".gitignore", ".heronignore")
"""Later ones win over earlier ones in the same folder."""
MAX_IGNORE_BYTES = 500_000
_LAST_TABS = re.compile(r"\t(?=[ \t]*$)")


@dataclass(frozen=True, slots=True)
class Rules:
    """The patterns of one folder. `path` is the folder's, with a slash at its end; `runs` are in order of the lines."""

    path: str
    runs: tuple[tuple[bool, re.Pattern[str]], ...]

    def decide(self, path: str) -> bool | None:
        """Whether an entry is ignored; None if no pattern is about it. The path of a folder ends with a slash."""
        inner = path[len(self.path) :]
        for ignores, pattern in reversed(self.runs):
            if pattern.fullmatch(inner):
                return ignores
        return None


@dataclass(frozen=True, slots=True)
class Ignores:
    """The rules that hold inside one folder, the outermost first."""

    rules: tuple[Rules, ...] = ()

    def enter(self, folder: str, names: Iterable[str]) -> "Ignores":
        """The rules inside a folder below; `names` are those of its entries."""
        here = read_rules(folder, [name for name in NAMES if name in names])
        return Ignores((*self.rules, here)) if here.runs else self

    def is_ignored(self, path: str) -> bool:
        """Whether an entry is ignored; the path is absolute, and a folder's ends with a slash."""
        for rules in reversed(self.rules):
            decision = rules.decide(path)
            if decision is not None:
                return decision
        return False


def ignores_above(folder: Path) -> Ignores:
    """The rules that reach into a workspace folder from above: those of the git repository it lies in."""
    top = next((path for path in (folder, *folder.parents) if (path / ".git").exists()), None)
    if top is None:
        return Ignores()
    between = [path for path in reversed(folder.parents) if path.is_relative_to(top)]
    exclude = read_rules(str(top), [os.path.join(".git", "info", "exclude")])
    found = (exclude, *(read_rules(str(path), [".gitignore"]) for path in between))
    return Ignores(tuple(rules for rules in found if rules.runs))


def read_rules(folder: str, names: Iterable[str]) -> Rules:
    """The patterns of some files in a folder, one after the other; a file that cannot be read has none."""
    lines = [line for name in names for line in _read_lines(os.path.join(folder, name))]
    return Rules(folder.rstrip("/") + "/", tuple(_merge_runs(lines)))


def _read_lines(path: str) -> list[str]:
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_IGNORE_BYTES)
    except OSError:
        return []
    text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    return [line.removesuffix("\r") for line in text.split("\n")]


def _merge_runs(lines: Iterable[str]) -> Iterator[tuple[bool, re.Pattern[str]]]:
    """Neighbouring patterns of one kind as one expression: most ignore files become a single match."""
    translated = [found for line in lines if (found := _translate(line)) is not None]
    for ignores, run in groupby(translated, key=lambda found: found[0]):
        yield ignores, re.compile("|".join(f"(?:{source})" for _, source in run), re.DOTALL)


@cache
def _translate(line: str) -> tuple[bool, str] | None:
    """Whether a line ignores, and an expression that matches the whole of an entry's path; None for no pattern."""
    from pathspec.patterns.gitignore import GitIgnorePatternError
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    if not line.strip().removeprefix("!").strip("/"):
        return None  # git matches nothing with a bare slash
    try:
        # git keeps tabs at the end of a pattern, pathspec does not.
        source, ignores = GitIgnoreSpecPattern.pattern_to_regex(_LAST_TABS.sub("[\t]", line))
    except (GitIgnorePatternError, ValueError):
        return None
    if source is None or ignores is None or not _compiles(source):
        return None
    return ignores, _match_entry(source)


def _match_entry(source: str) -> str:
    """pathspec's expressions find the start of what is below an entry, too; ours match the entry alone."""
    if source == ".":
        return ".+"
    if source == "(?P<ps_d>/)":
        return ".*/"
    if source.endswith("/"):
        source += ".+"
    # A negated class may not match the slash that marks a folder.
    return source.replace("?P<ps_d>", "?:").replace("[^]", r"[^/\]").replace("[^", "[^/")


def _compiles(source: str) -> bool:
    try:
        re.compile(source)
    except re.error:
        return False
    return True
