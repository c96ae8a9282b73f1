"""Run one checked call within its limits: whatever the tool does, there is an outcome."""

import asyncio
import logging
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from heron.editor.tools.threads import run_in_thread
from heron.editor.tools.tool import Scene, Tool, ToolOutcome, ToolResult
from heron.editor.workspace.redact import redact
from heron.errors import HeronError, OutsideWorkspace

logger = logging.getLogger(__name__)

MAX_REFERENCES = 50
MAX_EDITS = 100


async def perform(tool: Tool, arguments: Mapping[str, Any], scene: Scene) -> ToolOutcome:
    """Run a call. A crash, a hang and nonsense become errors; too much text is cut. Cancelling passes through."""
    stop = threading.Event()
    try:
        async with asyncio.timeout(tool.limits.time_s):
            result = await tool.run(arguments, replace(scene, stop=stop))
        return await run_in_thread(lambda: _finish(tool, result))
    except OutsideWorkspace as error:
        return ToolOutcome("refused", str(error))
    except TimeoutError:
        return ToolOutcome("error", f"{tool.spec.name} did not answer within {tool.limits.time_s:g} s.")
    except HeronError as error:
        return ToolOutcome("error", str(error))
    except Exception as error:
        logger.warning("Tool %s crashed", tool.spec.name, exc_info=True)
        return ToolOutcome("error", f"{tool.spec.name} failed: {type(error).__name__}.")
    finally:
        stop.set()


def _finish(tool: Tool, result: ToolResult) -> ToolOutcome:
    if not isinstance(result, ToolResult) or not isinstance(result.text, str):
        return ToolOutcome("error", f"{tool.spec.name} gave no result of the right kind.")
    text = _cut(result.text, tool.limits.output_chars)
    return ToolOutcome("ok", text, tuple(result.references)[:MAX_REFERENCES], tuple(result.edits)[:MAX_EDITS])


def _cut(text: str, limit: int) -> str:
    """At most `limit` characters and a note; secrets are taken out first, so that none is cut beyond recognition."""
    shown = redact(text[: 2 * limit])
    if len(text) <= limit and len(shown) <= limit:
        return shown
    return f"{shown[:limit]}\n[{limit:,} of {len(text):,} characters shown]"
