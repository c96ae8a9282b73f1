"""The tool `run_command`: off unless the settings allow it, asked for each time, always in a sandbox."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from heron.editor.tools.arguments import argument
from heron.editor.tools.children import Ended
from heron.editor.tools.sandbox import Limits, run_in_sandbox
from heron.editor.tools.threads import run_in_thread
from heron.editor.tools.tool import Scene, ToolResult
from heron.editor.tools.visible import locate_visible
from heron.errors import InvalidRequest

MAX_COMMAND_CHARS = 4_000


@dataclass(frozen=True, slots=True)
class RunCommand:
    """Run a shell command in the workspace, without network; what it changes is thrown away. The user is asked."""

    command: str = argument("Shell command")
    folder: str = argument("Folder in the workspace to run it in", default=".")


def make_run_command(time_s: float) -> Callable[[RunCommand, Scene], Awaitable[ToolResult]]:
    """The tool's function, with the time a command may take."""

    async def run_command(arguments: RunCommand, scene: Scene) -> ToolResult:
        """Output and exit code."""
        if not arguments.command.strip() or len(arguments.command) > MAX_COMMAND_CHARS or "\0" in arguments.command:
            raise InvalidRequest(f"A command has 1 to {MAX_COMMAND_CHARS} characters.", param="command")
        folder = await run_in_thread(lambda: locate_visible(scene, arguments.folder))
        if not folder.is_dir():
            raise InvalidRequest(f"{arguments.folder!r} is not a folder.", param="folder")
        ended = await run_in_sandbox(scene.workspace, folder, arguments.command, Limits(time_s=time_s))
        return ToolResult(_describe(ended, time_s))

    return run_command


def _describe(ended: Ended, time_s: float) -> str:
    if ended.timed_out:
        end = f"It was stopped after {time_s:g} s."
    elif ended.is_cut:
        end = "It was stopped: it wrote too much."
    else:
        end = f"Exit code {ended.exit_code}."
    return f"{end}\n{ended.output}".rstrip()
