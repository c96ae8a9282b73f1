"""From the text of an answer, as it comes, to what is said in it and the tools it calls."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import regex

from heron.host.engine.tool_format import FENCE, ToolFormat, bare_start
from heron.wire import ToolCall


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a piece of an answer lets out: text to show, then whole calls."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()


class CallParser:
    """Reads one answer. What looks like a call and proves to be none comes out as text: nothing is lost."""

    def __init__(self, form: ToolFormat, names: Sequence[str]) -> None:
        """`names` are those of the tools: a call without the form's marks is known by them."""
        known = bare_start(form, "|".join(map(re.escape, names)))
        self._opening = regex.compile(f"{re.escape(form.before)}|{known}" if form.before else r"^\s*\{")
        self._form = form
        self._held = ""
        self._is_text = False

    def push(self, text: str, final: bool = False) -> Parsed:
        """What may be shown now; what could still become a call, and blanks before one, are held back until the end."""
        self._held += text
        shown, calls = "", []
        opening = self._find_opening()
        while opening is not None and (found := self._find_call(opening, final)):
            call, end = found
            shown += self._held[:opening].rstrip()
            calls.append(call)
            self._held = self._held[end:]
            opening = self._find_opening()
        shown += self._release(len(self._held) if final or opening is None else opening, final)
        return Parsed(shown, tuple(calls))

    def _find_opening(self) -> int | None:
        """Where a call begins, or may: its opening could also be only half there, at the end of the text."""
        if self._is_text:
            return None
        found = self._opening.search(self._held, partial=True)
        return found.start() if found else None

    def _find_call(self, start: int, final: bool) -> tuple[ToolCall, int] | None:
        """The whole call that begins at `start`, and where it ends; None while the rest is still to come."""
        try:
            brace = self._held.index("{", start)
            value, end = json.JSONDecoder().raw_decode(self._held, brace)
        except (ValueError, RecursionError):
            return None
        call = _make_call(value, self._form)
        closing = re.compile(rf"\s*{re.escape(self._end_mark(start, brace, final))}").match(self._held, end)
        return None if call is None or closing is None else (call, closing.end())

    def _end_mark(self, start: int, brace: int, final: bool) -> str:
        """What must follow the JSON of a call: that which fits how it was opened."""
        opening = self._held[start:brace]
        if self._form.before and self._form.before in opening:
            return self._form.after.strip()
        return FENCE if FENCE in opening and not (final and FENCE not in self._held[brace:]) else ""

    def _release(self, length: int, final: bool) -> str:
        """The text up to there, but for blanks at its end while more may come."""
        length = length if final else len(self._held[:length].rstrip())
        text, self._held = self._held[:length], self._held[length:]
        # A format without marks has calls or text, not both.
        self._is_text = self._is_text or bool(text and not self._form.before)
        return text


def _make_call(value: Any, form: ToolFormat) -> ToolCall | None:
    """The call a JSON object stands for, with an id of its own; None if it stands for none."""
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return None
    arguments = value.get(form.arguments_key, value.get("arguments"))
    if not isinstance(arguments, dict):
        return None
    return ToolCall(f"call_{uuid4().hex[:24]}", value["name"], json.dumps(arguments, ensure_ascii=False))
