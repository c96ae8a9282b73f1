"""A commit message for a diff, which is cut to the prompt's budget by rules."""

import json
import re

from heron.editor.client.chat_ask import ChatAsk
from heron.editor.features.actions.writer import Writer
from heron.editor.prompt.edit import ask_commit_message
from heron.errors import EditRefused

MAX_CHARACTERS = 6_000
MAX_SUBJECT = 72
_FILE = re.compile(r"^diff --git .*$", re.MULTILINE)
_HUNK = re.compile(r"^@@.*$", re.MULTILINE)
_NAME = re.compile(r"^\+\+\+ b/(.*)$|^--- a/(.*)$", re.MULTILINE)
_NOISE = re.compile(r"(?:^|/)(?:package-lock\.json|[\w.-]+\.lock|go\.sum|[\w.-]+\.min\.(?:js|css)|[\w.-]+\.snap)$")
_SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"subject": {"type": "string", "minLength": 8, "maxLength": MAX_SUBJECT}},
        "required": ["subject"],
        "additionalProperties": False,
    }
)


async def write_commit_message(diff: str, earlier: tuple[str, ...], writer: Writer) -> str:
    """The subject line. Raises EditRefused where nothing is changed, or the model said nothing."""
    if not diff.strip():
        raise EditRefused("There are no changes to describe.")
    messages = ask_commit_message(trim_diff(diff), earlier)
    answer = await writer.answer_object(ChatAsk(messages, schema=_SCHEMA, max_tokens=64))
    subject = clean_subject(str(answer.get("subject", "")))
    if not subject:
        raise EditRefused("The model wrote no message.")
    return subject


def trim_diff(diff: str, limit: int = MAX_CHARACTERS) -> str:
    """The diff in at most `limit` characters: every file is named, and each gets its share of what its hunks hold.

    Lock files and generated ones are only named. What a file does not need goes to the others, the smallest first.
    """
    files = _split(diff, _FILE)
    sections = {number: "" if _is_noise(text) else _body(text) for number, text in enumerate(files)}
    room = max(0, limit - sum(len(_title(text)) + 1 for text in files))
    kept: dict[int, str] = {}
    for left, number in zip(range(len(files), 0, -1), sorted(sections, key=lambda n: len(sections[n])), strict=True):
        kept[number] = _cut(sections[number], room // left)
        room -= len(kept[number])
    return "\n".join(f"{_title(text)}\n{kept[number]}".rstrip() for number, text in enumerate(files))[:limit]


def clean_subject(text: str) -> str:
    """One line of at most `MAX_SUBJECT` characters, without quotes or a full stop, cut at a word."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "").strip("`\"' ").rstrip(".")
    if len(line) > MAX_SUBJECT:
        line = line[: MAX_SUBJECT + 1].rsplit(" ", 1)[0].rstrip(",;:. ")
    return line


def _split(text: str, mark: re.Pattern[str]) -> list[str]:
    starts = [match.start() for match in mark.finditer(text)]
    if not starts:
        return [text] if text.strip() else []
    return [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]


def _title(text: str) -> str:
    names = [a or b for a, b in _NAME.findall(text)]
    kind = "new file" if "\nnew file mode" in text else "deleted" if "\ndeleted file mode" in text else "changed"
    return f"{kind}: {names[-1] if names else text.splitlines()[0].removeprefix('diff --git ')}"


def _is_noise(text: str) -> bool:
    return any(_NOISE.search(a or b) for a, b in _NAME.findall(text)) or "\nBinary files " in text


def _body(text: str) -> str:
    """The hunks without their numbers."""
    first = _HUNK.search(text)
    return re.sub(r"^@@[^@\n]*@@ ?", "@@ ", text[first.start() :], flags=re.MULTILINE) if first else ""


def _cut(text: str, limit: int) -> str:
    """Whole lines; changed ones before those around them."""
    if len(text) <= limit:
        return text
    text = "".join(line for line in text.splitlines(keepends=True) if line[:1] in "+-@")
    return text if len(text) <= limit else text[: text.rfind("\n", 0, max(0, limit)) + 1]
