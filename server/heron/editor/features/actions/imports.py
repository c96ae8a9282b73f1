"""Where an import goes: behind those there are, else behind what begins a module."""

import re

from heron.editor.document import Document, Edit, Position, Range
from heron.editor.syntax.languages import Language
from heron.editor.syntax.lexical import read_text

_IMPORTS = {
    "python": re.compile(r"^(?:import|from)\s"),
    "javascript": re.compile(r"^import\s|^const .*= require\("),
    "typescript": re.compile(r"^import\s"),
    "tsx": re.compile(r"^import\s"),
    "rust": re.compile(r"^(?:pub )?use\s"),
    "java": re.compile(r"^import\s"),
    "go": re.compile(r"^import\s"),
}
_PREAMBLE = re.compile(r"^(?:#!|package\s|//|/\*|\*|['\"]use strict|#!\[)|^\s*$")


def insert_import(document: Document, language: Language, statement: str) -> Edit | None:
    """The edit that adds an import statement on a line of its own; None if it is there, or the language unknown."""
    pattern = _IMPORTS.get(language.name)
    if pattern is None or any(line.strip() == statement for line in document.text.splitlines()):
        return None
    line = _line_after_imports(document, language, pattern)
    has_imports = line > 0 and pattern.match(document.line(line - 1)) is not None
    newline = "\r\n" if "\r\n" in document.text else "\n"
    gap = "" if has_imports or not document.line(line).strip() else newline
    before = "" if line < document.num_lines else newline
    place = Position(line, 0)
    return Edit(Range(place, place), f"{before}{statement}{newline}{gap}")


def _line_after_imports(document: Document, language: Language, pattern: re.Pattern[str]) -> int:
    """Behind the last import at the margin before any code; a statement in brackets is passed as a whole."""
    reading = read_text(document.text, language)
    last, number = -1, 0
    while number < document.num_lines:
        line = document.line(number)
        in_string = reading.is_plain(document.line_starts[number]) and not line.startswith(("#", "//", "/*", '"', "'"))
        if pattern.match(line) and not in_string:
            number = last = _end_of_statement(document, number)
        elif line[:1].strip() and not in_string and not _PREAMBLE.match(line) and not line.startswith(('"', "'", "#")):
            break
        number += 1
    return last + 1 if last >= 0 else _line_after_preamble(document, language)


def _end_of_statement(document: Document, number: int) -> int:
    depth = 0
    for line_number in range(number, min(document.num_lines, number + 200)):
        line = document.line(line_number)
        depth += sum(line.count(mark) for mark in "({") - sum(line.count(mark) for mark in ")}")
        if depth <= 0 and not line.endswith("\\"):
            return line_number
    return number


def _line_after_preamble(document: Document, language: Language) -> int:
    """Behind a module's docstring, package line or licence; 0 where there is none."""
    reading = read_text(document.text, language)
    end = 0
    for number in range(min(document.num_lines, 200)):
        line, start = document.line(number), document.line_starts[number]
        if line.strip() and not reading.is_plain(start) and not line.startswith(("package ", "#!")):
            break
        if line.strip():
            end = number + 1
    return end
