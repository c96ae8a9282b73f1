"""Chat commands: `/explain` and the like, and what the model is asked for each."""

from collections.abc import Mapping
from types import MappingProxyType

HELP = "help"

_TASKS: Mapping[str, str] = MappingProxyType(
    {
        "explain": "Explain what this code does and how, in short paragraphs.",
        "fix": "Find the fault in this code and show the corrected code. Say in one sentence what was wrong.",
        "tests": "Write tests for this code, in the test framework its project uses. Answer with code.",
        "doc": "Write the documentation comment for this code, in the convention of its language. Answer with code.",
        "refactor": "Rewrite this code to be simpler, with the same behaviour. Answer with code.",
        "commit": "Write a commit message for these changes: a line of at most 72 characters, then why, if it matters.",
    }
)
_ABOUT: Mapping[str, str] = MappingProxyType(
    {
        "explain": "what code does",
        "fix": "find and mend a fault",
        "tests": "write tests",
        "doc": "write a documentation comment",
        "refactor": "make code simpler",
        "commit": "write a commit message for the uncommitted changes",
        HELP: "this list",
    }
)
COMMANDS = tuple(_ABOUT)


def write_command(command: str, rest: str) -> str:
    """What the model is asked: the command's task with what the user added, or the question as it is."""
    task = _TASKS.get(command)
    if task is None:
        return rest if not command or command == HELP else f"/{command} {rest}"
    return f"{task}\n{rest}".strip()


def help_text() -> str:
    """The commands and references a chat understands, as Markdown."""
    commands = "\n".join(f"- `/{name}`: {about}" for name, about in _ABOUT.items())
    references = (
        "Name code in backticks, or write `#file:path`, `#symbol:name`, `#selection`, `#diagnostics`, `@workspace`."
    )
    return f"{commands}\n\n{references}"
