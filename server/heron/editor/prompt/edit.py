"""What a chat model is asked when it shall change code. Short: small models lose the thread of long instructions."""

from heron.wire import Message

_EDITOR = "You are a code editor. Answer with the whole changed code in one code block and nothing else."
MAX_ANSWER_TOKENS = 1024


def ask_rewrite(language: str, code: str, instruction: str, refused: str = "") -> tuple[Message, ...]:
    """Rewrite a piece of code. `refused` is why the last answer was not taken."""
    again = f"\nYour last answer was refused: {refused}" if refused else ""
    return (
        Message("system", _EDITOR),
        Message("user", f"{instruction}{again}\n```{language}\n{code}\n```"),
    )


def fix_instruction(message: str, line: str) -> str:
    """What to do about a diagnostic on a line."""
    return f"Fix this error: {message}\nIt is on this line: `{line.strip()}`\nChange as little as possible."


def answer_tokens(code: str) -> int:
    """Room for a rewriting of a piece of code: half as much again."""
    return min(MAX_ANSWER_TOKENS, 96 + len(code) // 2)


def ask_description(kind: str, language: str, code: str) -> tuple[Message, ...]:
    """Describe a function or class; the answer's schema says what has to be described."""
    system = f"Describe the {kind} in short sentences: what it does, each parameter, the result. Answer with JSON."
    return (Message("system", system), Message("user", f"```{language}\n{code}\n```"))


def ask_translation(words: str) -> tuple[Message, ...]:
    """Translate a comment's words."""
    system = 'Translate the comment into English. Answer with JSON: {"english": "..."}'
    return (Message("system", system), Message("user", words))


def ask_name(name: str, code: str) -> tuple[Message, ...]:
    """Find a clearer name for a variable."""
    system = 'Answer with JSON: {"name": "..."}'
    question = f"What would be a clearer name for the variable `{name}`? It says what the value is.\n```\n{code}\n```"
    return (Message("system", system), Message("user", question))


def ask_commit_message(diff: str, examples: tuple[str, ...]) -> tuple[Message, ...]:
    """Sum up a diff; `examples` are subjects of earlier commits."""
    system = 'Write the git commit message for the diff. Answer with JSON: {"subject": "..."}'
    earlier = "Earlier subjects:\n" + "\n".join(f"- {subject}" for subject in examples) + "\n\n" if examples else ""
    return (
        Message("system", system),
        Message("user", f"{earlier}```diff\n{diff}\n```\nSubject, at most 72 characters:"),
    )
