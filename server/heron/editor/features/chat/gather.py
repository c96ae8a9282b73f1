"""The deterministic gate: look up what a question refers to before a model is asked.

Small models seldom call the right tool, and each call costs them a prefill; most questions name what they are about.
"""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from heron.editor.document import Document, Range
from heron.editor.features.chat.attachments import (
    AttachedDiagnostics,
    AttachedFile,
    AttachedSelection,
    AttachedSymbol,
    Attachment,
)
from heron.editor.features.chat.definitions import Definition, Hints, choose_definitions, last_part
from heron.editor.features.chat.question import Lines, Question
from heron.editor.prompt.chat import Passage
from heron.editor.tools.registry import Registry
from heron.editor.tools.tool import Reference, Scene, ToolOutcome
from heron.editor.tools.visible import show_path
from heron.editor.workspace.redact import redact
from heron.editor.workspace.uris import path_of_uri
from heron.wire import ToolCall

_MAX_SYMBOLS = 40
_MAX_DEFINITIONS = 2
_MAX_LINES = 80
_MAX_USES = 8
_SEARCH_HITS = 4


@dataclass(frozen=True, slots=True)
class Find:
    """A passage and, if it is from a file, the place that is told to the user."""

    passage: Passage
    reference: Reference | None = None


@dataclass(slots=True)
class Gathered:
    """What was found, in the order of its weight, and sentences about what was not."""

    finds: list[Find] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, finds: Iterable[Find]) -> bool:
        """Add what is not there yet; whether there was anything to add."""
        found = list(finds)
        known = {find.reference for find in self.finds if find.reference}
        self.finds += [find for find in found if find.reference not in known]
        return bool(found)


@dataclass(frozen=True, slots=True)
class Gate:
    """Where to look things up. `front` is the document the user is in; its symbols come first."""

    registry: Registry
    scene: Scene
    front: Document | None = None

    async def gather(self, question: Question, attachments: tuple[Attachment, ...], *, thorough: bool) -> Gathered:
        """What was attached and named outright; if `thorough`, also what the words of the question may mean."""
        gathered = Gathered()
        for attachment in (*self._attach(question), *attachments):
            gathered.add(await self._read_attachment(attachment, gathered.notes))
        for lines in question.paths:
            gathered.add(await self._read_lines(lines))
        if question.command == "commit":
            gathered.add(await self._read_changes(gathered.notes))
        if thorough:
            await self._look_up(question, gathered)
        return gathered

    def _attach(self, question: Question) -> list[Attachment]:
        if "diagnostics" in question.flags and self.front:
            return [AttachedDiagnostics(self.front.uri)]
        return []

    async def _look_up(self, question: Question, gathered: Gathered) -> None:
        hints = self._hints(question)
        known = [gathered.add(await self._define(name, hints)) for name in question.names]
        missing = [name for name, found in zip(question.names, known, strict=True) if not found]
        gathered.notes += [f"No definition of {name} was found." for name in missing]
        if not any(known):
            known = [gathered.add(await self._define(word, hints)) for word in question.words]
        if question.asks_for_uses and question.names:
            gathered.add(await self._find_uses(question.names[0]))
        if not any(known) and (not gathered.finds or "workspace" in question.flags):
            gathered.add(await self._search(" ".join((*question.names, *question.words))))

    async def _read_attachment(self, attachment: Attachment, notes: list[str]) -> list[Find]:
        match attachment:
            case AttachedSelection():
                return self._select(attachment, notes)
            case AttachedFile(path=path, range=range_):
                lines = Lines(path, range_.start.line + 1, range_.end.line + 1) if range_ else Lines(path)
                return await self._read_lines(lines, notes)
            case AttachedSymbol(name=name):
                return await self._define(name)
            case AttachedDiagnostics():
                return self._diagnostics(attachment)

    def _select(self, attachment: AttachedSelection, notes: list[str]) -> list[Find]:
        """Selected lines of an open document, which may lie outside the workspace or nowhere."""
        document, range_ = attachment.document, attachment.range
        path = path_of_uri(document.uri)
        workspace = self.scene.workspace
        inside = path is not None and workspace.folder_of(path) is not None
        shown = workspace.relative(path) if path and inside else document.uri.rpartition("/")[2]
        if path and inside and workspace.is_private(path):
            notes.append(f"{shown} is private and not shown to the model.")
            return []
        text = redact(document.text[document.offset(range_.start) : document.offset(range_.end)])
        return [Find(Passage(shown, range_.start.line, text, "Selected"), Reference(shown, document.uri, range_))]

    def _hints(self, question: Question) -> Hints:
        path = path_of_uri(self.front.uri) if self.front else None
        near = show_path(self.scene, path) if path else ""
        return Hints(near, frozenset((*question.names, *question.words)))

    async def _define(self, name: str, hints: Hints | None = None) -> list[Find]:
        """The code of the likeliest definitions of a name."""
        index = self.scene.index
        if index is None:
            return []
        symbols = await asyncio.to_thread(index.find_symbols, last_part(name), _MAX_SYMBOLS)
        shown = [(symbol, show_path(self.scene, symbol.path)) for symbol in symbols]
        definitions = [Definition(symbol, path) for symbol, path in shown if path]
        finds: list[Find] = []
        for definition in choose_definitions(name, definitions, hints)[:_MAX_DEFINITIONS]:
            finds += await self._read_definition(definition)
        return finds

    async def _read_definition(self, definition: Definition) -> list[Find]:
        """A definition's code, the beginning of a long one; its place is its whole range."""
        range_ = definition.symbol.range
        first, last = range_.start.line + 1, range_.end.line + 1
        lines = Lines(definition.shown, first, min(last, first + _MAX_LINES - 1))
        return [_at(find, range_) for find in await self._read_lines(lines)]

    async def _find_uses(self, name: str) -> list[Find]:
        """The lines that use a name; the first are told as references."""
        arguments = json.dumps({"name": last_part(name)})
        outcome = await self.registry.run(ToolCall("gate", "find_references", arguments), self.scene)
        if outcome.status != "ok":
            return []
        lines = outcome.text.split("\n")[: len(outcome.references)]
        pairs = zip(lines[:_MAX_USES], outcome.references, strict=False)
        return [
            Find(Passage(place.path, place.range.start.line, line.split(": ", 1)[-1], "Used in"), place)
            for line, place in pairs
        ]

    async def _search(self, words: str) -> list[Find]:
        """The places that are most about some words."""
        index = self.scene.index
        if index is None or not words:
            return []
        finds: list[Find] = []
        for hit in await asyncio.to_thread(index.search_text, words, _SEARCH_HITS):
            finds += await self._read_lines(Lines(str(hit.path), hit.start + 1, hit.end))
        return finds

    async def _read_lines(self, lines: Lines, notes: list[str] | None = None) -> list[Find]:
        """Lines of a file as the tool reads them; why it refuses goes into `notes`, if there are any."""
        arguments = {"path": lines.path, "start_line": max(1, lines.first), "end_line": lines.last or lines.first}
        outcome = await self.registry.run(ToolCall("gate", "read_file", json.dumps(arguments)), self.scene)
        if outcome.status == "ok" and outcome.references:
            return [_read_outcome(outcome)]
        if notes is not None:
            notes.append(outcome.text)
        return []

    async def _read_changes(self, notes: list[str]) -> list[Find]:
        """What was changed in the workspace and is not committed."""
        outcome = await self.registry.run(ToolCall("gate", "git_diff", "{}"), self.scene)
        if outcome.status == "ok":
            return [Find(Passage("", 0, outcome.text, "Changes"))]
        notes.append(outcome.text)
        return []

    def _diagnostics(self, attachment: AttachedDiagnostics) -> list[Find]:
        found = self.scene.diagnostics(attachment.uri)
        range_ = attachment.range
        told = [
            f"line {item.range.start.line + 1}: {item.severity}: {item.message}"
            for item in found
            if range_ is None or (item.range.start <= range_.end and range_.start <= item.range.end)
        ]
        return [Find(Passage("", 0, "\n".join(told), "Diagnostics"))] if told else []


def _at(find: Find, range_: Range) -> Find:
    """A definition's place is its whole range, also where only its beginning is shown."""
    assert find.reference is not None
    return Find(find.passage, Reference(find.reference.path, find.reference.uri, range_))


def _read_outcome(outcome: ToolOutcome) -> Find:
    """What `read_file` told, without its head."""
    reference = outcome.references[0]
    num_lines = reference.range.end.line - reference.range.start.line
    body = outcome.text.split("\n")[1 : num_lines + 1]
    return Find(Passage(reference.path, reference.range.start.line, "\n".join(body)), reference)
