"""What a user may want to ask next, from the question's own references: no model is needed for that."""

from collections.abc import Sequence

from heron.editor.features.chat.question import Question
from heron.editor.tools.tool import Reference

_BY_COMMAND = {
    "": ("/explain", "/tests"),
    "explain": ("/doc", "/tests"),
    "fix": ("/tests", "/explain"),
    "tests": ("/fix", "/explain"),
    "doc": ("/explain", "/tests"),
    "refactor": ("/tests", "/explain"),
}


def propose_follow_ups(question: Question, references: Sequence[Reference]) -> tuple[str, ...]:
    """Commands on what the question was about; none for a question that was about nothing in the workspace."""
    commands = _BY_COMMAND.get(question.command, ())
    if question.names:
        return tuple(f"{command} `{question.names[0]}`" for command in commands)
    if references:
        return tuple(f"{command} #file:{references[0].path}" for command in commands)
    return ()
