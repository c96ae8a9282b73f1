"""Indentation as the document has it, counted from what is already typed."""

from heron.editor.syntax.gap import Gap, expects_body, indent_of, width_of


def fit_indentation(text: str, gap: Gap) -> str:
    """Write indentation in the document's tabs or spaces, and indent the first line as its place asks."""
    if not text.strip():
        return text
    if gap.inside == "string":
        return text if gap.line_prefix.strip() or not gap.line_prefix else text.lstrip(" \t")
    first, *others = text.split("\n")
    if others:
        others = [_in_unit(line, gap.indent_unit) for line in others]
    if not gap.line_prefix.strip() and first.strip():
        first = _fit_first(_in_unit(first, gap.indent_unit), gap)
        others = _shift_relative(first, others, gap)
    return "\n".join([first, *others])


def _in_unit(line: str, unit: str) -> str:
    indent = indent_of(line)
    if unit == "\t" and indent.startswith("  "):
        return "\t" * (len(indent) // (4 if len(indent) % 4 == 0 else 2)) + line[len(indent) :]
    if unit != "\t" and "\t" in indent:
        return indent.replace("\t", unit) + line[len(indent) :]
    return line


def _fit_first(first: str, gap: Gap) -> str:
    """The first line on a blank line: typed indentation not repeated, no deeper and, in a new body, no less."""
    if gap.language is None or not gap.language.is_code or _is_aligned(gap):
        return first.lstrip(" \t") if gap.line_prefix else first  # what the editor indented is trusted
    above = next((line for line in reversed(gap.previous_lines) if line.strip()), "")
    is_body = expects_body(above, gap.language) and above == gap.previous_lines[-1]
    asked = width_of(indent_of(above))
    if is_body:  # an editor that indented the line knows better how far
        typed = width_of(gap.line_prefix)
        asked = typed if typed > asked else asked + width_of(gap.indent_unit)
    code = first.lstrip(" \t")
    total = width_of(gap.line_prefix + indent_of(first))
    is_end = code[:1] in ")]}" or code.split(maxsplit=1)[0] in gap.language.end_words
    if (total > asked and len(code) < len(first)) or (total < asked and is_body and not is_end):
        return _indentation(max(0, asked - width_of(gap.line_prefix)), gap.indent_unit) + code
    return first


def _is_aligned(gap: Gap) -> bool:
    """Whether the line continues a bracket, where indentation follows no rule."""
    if not gap.reading.open or gap.language is None:
        return False
    return gap.language.block == "indent" or gap.reading.open[-1].char in "(["


def _indentation(width: int, unit: str) -> str:
    return "\t" * (width // 4) if unit == "\t" else " " * width


def _shift_relative(first: str, others: list[str], gap: Gap) -> list[str]:
    """Move the later lines to the right where the model wrote them as if the first stood at the margin."""
    level = width_of(gap.line_prefix + indent_of(first))
    widths = [width_of(indent_of(line)) for line in others if line.strip()]
    if not level or not widths or not expects_body(first, gap.language) or not 0 < widths[0] <= level:
        return others
    if gap.language and gap.language.block != "indent" and min(widths) >= level:
        return others  # an unusual style, but the closing lines stand where the first does
    return [gap.line_prefix + indent_of(first) + line if line.strip() else line for line in others]
