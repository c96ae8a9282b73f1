"""Answers of chat commands as Markdown documents, for editors without a chat. LSP 3.18, "Show Document Request"."""

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from heron.editor.lsp.session import Session
from heron.settings import home_folder

logger = logging.getLogger(__name__)

FOLDER = "answers"
KEPT = 20
"""Documents in the folder; conversations keep the answers themselves."""
_PATIENCE_S = 5.0


def wants_documents(session: Session, given: Mapping[str, object]) -> bool:
    """Whether the client can show one, and follows the answer in no other way: by a token, or in a conversation."""
    window = session.server.client_capabilities.window
    can_show = window is not None and window.show_document is not None and window.show_document.support
    return can_show and "workDoneToken" not in given and "conversationId" not in given


async def show_answer(session: Session, command: str, turn: Mapping[str, Any]) -> None:
    """Open a turn's answer as a document of its own. Never fails: the command's result tells the answer, too."""
    name = "-".join(filter(None, (command, turn.get("turnId", "")[:8])))
    text = f"# {turn.get('message', f'/{command}')}\n\n{turn['answer'].strip()}\n"
    try:
        path = await asyncio.to_thread(_write, home_folder() / FOLDER / f"{name}.md", text)
        async with asyncio.timeout(_PATIENCE_S):
            await session.server.window_show_document_async(types.ShowDocumentParams(path.as_uri(), take_focus=True))
    except (OSError, JsonRpcException, TimeoutError) as error:
        logger.warning("The answer could not be shown: %r", error)


def _write(path: Path, text: str) -> Path:
    """A turn has a name of its own, so that a document that is open in the editor never changes. The oldest leave."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = sorted(path.parent.glob("*.md"), key=lambda old: old.stat().st_mtime_ns)
    for old in kept[: max(0, len(kept) + 1 - KEPT)]:
        old.unlink(missing_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
