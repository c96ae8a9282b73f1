"""Models write their own control tokens into the text; the answer ends where one begins."""

import re

from heron.editor.syntax.gap import Gap

_MARKER = re.compile(
    r"<\|[A-Za-z_][\w-]*\|>"  # ChatML, Qwen, StarCoder 2, CodeGemma
    r"|<\uff5c[^<>\uff5c\n]{1,40}\uff5c>"  # DeepSeek, with full-width bars
    r"|<(?:fim|file|repo|jupyter|commit|issue)_(?:prefix|middle|suffix|pad|sep|name|start|end)>"
    r"|<(?:filename|reponame|gh_stars)>"  # StarCoder
    r"|\u2581?<(?:PRE|SUF|MID|EOT|EOD)>"  # CodeLlama
    r"|\[(?:PREFIX|SUFFIX|MIDDLE)\]"  # Codestral
    r"|<(?:start|end)_of_turn>|<(?:bos|eos|unk)>"  # Gemma
)
_UNFINISHED = re.compile(r"(?:<(?:\|[\w-]{0,40}\|?|\uff5c[^<>\n]{0,40}|fim_\w{0,8})|</s>\s*)\Z")


def cut_special_tokens(text: str, gap: Gap) -> str:
    """Cut at the first control token."""
    found = _MARKER.search(text)
    return text[: found.start()] if found else text


def cut_unfinished_token(text: str, gap: Gap) -> str:
    """Cut a control token that only began, at the end of a text whose stream was stopped, or a final `</s>`."""
    if gap.language and gap.language.name == "html":
        return text
    return _UNFINISHED.sub("", text)
