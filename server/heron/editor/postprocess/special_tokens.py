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
_END = "</s>"
_STRUCK = re.compile(r"<s[ >]")
_UNFINISHED = re.compile(r"(?:<(?:\|[\w-]{0,40}\|?|\uff5c[^<>\n]{0,40}|fim_\w{0,8})|</s>\s*)\Z")


def cut_special_tokens(text: str, gap: Gap) -> str:
    """Cut at the first control token; `</s>` is one where nothing is struck through."""
    found = _MARKER.search(text)
    text = text[: found.start()] if found else text
    before, end, _ = text.partition(_END)
    is_markup = end and (_STRUCK.search(before) or _STRUCK.search(gap.document.text))
    return text if is_markup else before


def cut_unfinished_token(text: str, gap: Gap) -> str:
    """Cut a control token that only began, at the end of a text whose stream was stopped, or a final `</s>`."""
    if gap.language and gap.language.name == "html":
        return text
    return _UNFINISHED.sub("", text)
