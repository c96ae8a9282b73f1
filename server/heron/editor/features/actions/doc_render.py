"""Documentation as text: a skeleton that is the same whatever the words, in each convention."""

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from heron.editor.features.actions.doc_plan import Role, Slot
from heron.editor.features.actions.doc_style import DocStyle

Words = Mapping[str, str]

_WIDTH = 96
_TITLES: dict[Role, str] = {"parameter": "Args", "returns": "Returns", "yields": "Yields", "raises": "Raises"}
_NUMPY_TITLES: dict[Role, str] = _TITLES | {"parameter": "Parameters"}
_REST_FIELDS: dict[Role, str] = {
    "parameter": ":param {name}: {words}",
    "returns": ":returns: {words}",
    "yields": ":yields: {words}",
    "raises": ":raises {name}: {words}",
}
_JSDOC_TAGS: dict[Role, str] = {
    "parameter": "@param {name} - {words}",
    "returns": "@returns {words}",
    "yields": "@yields {words}",
    "raises": "@throws {{{name}}} {words}",
}
_JAVADOC_TAGS: dict[Role, str] = {
    "parameter": "@param {name} {words}",
    "returns": "@return {words}",
    "raises": "@throws {name} {words}",
}
_RUST_TITLES: dict[Role, str] = {"parameter": "Arguments", "errors": "Errors", "panics": "Panics"}


@dataclass(frozen=True, slots=True)
class Layout:
    """What surrounds a documentation: its indentation, one step of it, and the definition's name."""

    indent: str
    unit: str
    name: str


def render_documentation(slots: tuple[Slot, ...], words: Words, style: DocStyle, layout: Layout) -> list[str]:
    """The lines, indented, with their quotes or comment marks. Slots without words are left out."""
    present = tuple(slot for slot in slots if slot.key in words)
    lines = _CONTENT[style.form](present, words, layout)
    width = max(40, _WIDTH - len(layout.indent.expandtabs(4)))
    lines = [wrapped for line in lines for wrapped in _wrap(line, width)]
    return [(layout.indent + line).rstrip() for line in _enclose(lines, style)]


def _google(slots: tuple[Slot, ...], words: Words, layout: Layout) -> list[str]:
    lines = [words[slot.key] for slot in slots if slot.role == "summary"]
    for role, title in _TITLES.items():
        entries = [slot for slot in slots if slot.role == role]
        if entries:
            lines += ["", f"{title}:"]
        lines += [layout.unit + (f"{slot.name}: " if slot.name else "") + words[slot.key] for slot in entries]
    return lines


def _numpy(slots: tuple[Slot, ...], words: Words, layout: Layout) -> list[str]:
    lines = [words[slot.key] for slot in slots if slot.role == "summary"]
    for role, title in _NUMPY_TITLES.items():
        entries = [slot for slot in slots if slot.role == role]
        if entries:
            lines += ["", title, "-" * len(title)]
        for slot in entries:
            head = " : ".join(part for part in (slot.name, slot.type) if part) or "object"
            lines += [head, layout.unit + words[slot.key]]
    return lines


def _tagged(forms: Mapping[Role, str], slots: tuple[Slot, ...], words: Words, layout: Layout) -> list[str]:
    """A summary and one line for each other slot, as `forms` write it."""
    summary = [words[slot.key] for slot in slots if slot.role == "summary"]
    entries = [
        forms[slot.role].format(name=slot.name.lstrip("*."), words=words[slot.key])
        for slot in slots
        if slot.role in forms
    ]
    return [*summary, "", *entries] if entries else summary


def _rustdoc(slots: tuple[Slot, ...], words: Words, layout: Layout) -> list[str]:
    lines = [words[slot.key] for slot in slots if slot.role == "summary"]
    for role, title in _RUST_TITLES.items():
        entries = [slot for slot in slots if slot.role == role]
        if entries:
            lines += ["", f"# {title}", ""]
        lines += [(f"* `{slot.name}` - " if slot.name else "") + words[slot.key] for slot in entries]
    return lines


def _godoc(slots: tuple[Slot, ...], words: Words, layout: Layout) -> list[str]:
    """A sentence that begins with the name, as godoc wants it."""
    text = next((words[slot.key] for slot in slots if slot.role == "summary"), "")
    if text.startswith(f"{layout.name} "):
        return [text]
    first, _, rest = text.partition(" ")
    return [f"{layout.name} {first.lower() if first.istitle() else first}{' ' if rest else ''}{rest}"]


_CONTENT: dict[str, Callable[[tuple[Slot, ...], Words, Layout], list[str]]] = {
    "google": _google,
    "plain": _google,
    "numpy": _numpy,
    "rest": partial(_tagged, _REST_FIELDS),
    "jsdoc": partial(_tagged, _JSDOC_TAGS),
    "javadoc": partial(_tagged, _JAVADOC_TAGS),
    "rustdoc": _rustdoc,
    "godoc": _godoc,
}


def _wrap(line: str, width: int) -> list[str]:
    if len(line) <= width:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    hanging = indent + ("    " if line.lstrip().startswith((":", "@", "* ")) or line.endswith(":") else "")
    return textwrap.wrap(line, width, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False)


def _enclose(lines: list[str], style: DocStyle) -> list[str]:
    match style.form:
        case "jsdoc" | "javadoc":
            return ["/**", *(f" * {line}" for line in lines), " */"]
        case "rustdoc":
            return [f"/// {line}" for line in lines]
        case "godoc":
            return [f"// {line}" for line in lines]
        case _:
            return _docstring(lines, style)


def _docstring(lines: list[str], style: DocStyle) -> list[str]:
    quotes = style.quotes
    if len(lines) == 1:
        return [f"{quotes}{lines[0]}{quotes}"]
    return [quotes, *lines, quotes] if style.own_line else [quotes + lines[0], *lines[1:], quotes]
