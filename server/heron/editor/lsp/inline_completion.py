"""textDocument/inlineCompletion, LSP 3.18. Never an error but "cancelled": what fails is logged and offers nothing."""

import asyncio
import logging
from dataclasses import dataclass, replace
from functools import partial

from lsprotocol import types

from heron.editor.document import Document, Position
from heron.editor.features.timings import Timings
from heron.editor.lsp.convert import from_position, to_position, to_range
from heron.editor.lsp.events import note_offered
from heron.editor.lsp.session import Session
from heron.errors import HeronError, ModelNotReady

logger = logging.getLogger(__name__)

_PATIENCE_S = 1.0
"""How long an automatic request waits for a model that is not ready; one the user asked for waits its whole time."""
_GLANCE_S = 0.05
"""How long any waits for one that could not be loaded."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to complete, and what an item replaces. `given` is what the item's text has to begin with."""

    document: Document
    position: Position
    range: types.Range
    given: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """A target, how long to wait for a model, whether the user asked, and whether the popup is to show it."""

    target: Target
    patience_s: float
    invoked: bool
    popup: bool = False


async def answer_inline_completion(
    session: Session, params: types.InlineCompletionParams
) -> list[types.InlineCompletionItem] | None:
    """One item, several where the user asked for one, or null. The snapshot is taken before the first wait."""
    document = session.documents.get(params.text_document.uri)
    if document is None or not session.settings.completion.enabled:
        return None
    target = _find_target(session, document, params)
    timings = session.last_timings = Timings(version=document.version)
    try:
        texts = await complete_at(session, _wish(session, target, params.context.trigger_kind), timings)
        if texts and session.documents.get(document.uri) is not document:
            timings.outcome = "stale"
            return None
    finally:
        log_timings(timings)
    return [_write_item(session, target, text, timings) for text in texts] or None


def _write_item(session: Session, target: Target, text: str, timings: Timings) -> types.InlineCompletionItem:
    whole = target.given + text
    start = to_position(target.document, target.range.start, session.encoding)
    command = note_offered(session, (target.document, start), whole, timings)
    return types.InlineCompletionItem(insert_text=whole, range=target.range, command=command)


def _wish(session: Session, target: Target, trigger: types.InlineCompletionTriggerKind) -> Wish:
    invoked = trigger is types.InlineCompletionTriggerKind.Invoked
    return Wish(target, session.settings.completion.timeout_ms / 1000 if invoked else _PATIENCE_S, invoked)


async def complete_at(session: Session, wish: Wish, timings: Timings) -> tuple[str, ...]:
    """The completions' texts; an error becomes an outcome, and a reason to look after the host."""
    settings = session.settings.completion
    try:
        return await _ask(session, wish, timings)
    except ModelNotReady as error:
        timings.outcome, timings.reason = "not_ready", error.message
    except TimeoutError:
        timings.outcome = "failed" if session.watch.is_ready else "not_ready"
        timings.reason = f"no answer within {settings.timeout_ms} ms"
    except HeronError as error:
        timings.outcome, timings.reason = "failed", error.message
    except Exception:
        logger.exception("Inline completion failed")
        timings.outcome = "failed"
    session.watch.check()
    return await _do_without(session, wish.target, timings)


async def _do_without(session: Session, target: Target, timings: Timings) -> tuple[str, ...]:
    """The rest of a name that is known, where there is no model."""
    from heron.editor.features.known_names import complete_name

    index = session.index

    def find_names(begin: str) -> list[str]:
        return [symbol.name for symbol in index.find_symbols(begin)] if index is not None else []

    text = await asyncio.to_thread(complete_name, target.document, target.position, find_names)
    if text:
        timings.outcome = "without_model"
    return (text,) if text else ()


async def _ask(session: Session, wish: Wish, timings: Timings) -> tuple[str, ...]:
    """Ask for a completion, and once more if the host turns out to have been restarted and to be loading."""
    from heron.editor.features.ask import Ask

    failed = session.watch.health is not None and session.watch.health.state == "failed"
    wait_ready = partial(session.watch.wait_ready, _GLANCE_S if failed else wish.patience_s)
    target = wish.target
    ask = Ask(target.document, target.position, session.settings.completion, wait_ready, wish.invoked, wish.popup)
    was_ready = session.watch.is_ready
    try:
        return await session.completer.complete(ask, timings)
    except ModelNotReady:
        if not was_ready:
            raise
        session.watch.check()
        return await session.completer.complete(ask, timings)


def _find_target(session: Session, document: Document, params: types.InlineCompletionParams) -> Target:
    """The cursor; or, with an item selected in the completion popup, the end of that item as if it were accepted."""
    selected = params.context.selected_completion_info
    if selected is None:
        position = to_position(document, params.position, session.encoding)
        place = from_position(document, position, session.encoding)
        return Target(document, position, types.Range(place, place))
    replaced = to_range(document, selected.range, session.encoding)
    start, end = document.offset(replaced.start), document.offset(replaced.end)
    text = document.text[:start] + selected.text + document.text[end:]
    accepted = replace(document, text=text)
    return Target(accepted, accepted.position(start + len(selected.text)), selected.range, selected.text)


def log_timings(timings: Timings) -> None:
    timings.mark("finish")
    stages = " ".join(f"{stage}={spent:.1f}" for stage, spent in timings.stages_ms.items())
    tokens = timings.usage.completion_tokens if timings.usage else "-"
    logger.info(
        "completion version=%d outcome=%s total=%.1f ms %s tokens=%s reason=%r",
        *(timings.version, timings.outcome, timings.total_ms, stages, tokens, timings.reason),
    )
