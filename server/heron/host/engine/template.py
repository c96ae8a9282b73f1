"""Prompts to token ids, by the model's own templates: fill-in-the-middle marks and the GGUF's chat template."""

from heron.errors import InvalidRequest, PromptTooLong
from heron.host.engine.chat_template import render_chat
from heron.host.engine.fim_template import render_fim
from heron.host.engine.sliding import slide_chat, slide_tokens
from heron.host.engine.tokenizer import Tokenizer
from heron.settings import LongPrompt
from heron.wire import ChatPrompt, FimPrompt, Prompt, TextPrompt, TokenPrompt


def render(
    prompt: Prompt, tokenizer: Tokenizer, max_prompt_tokens: int, long_prompt: LongPrompt = "refuse"
) -> list[int]:
    """Token ids of a prompt, at most `max_prompt_tokens`.

    A FIM prompt is cut to fit, at line borders, keeping what is nearest to the cursor; any other that is too long
    slides, or raises PromptTooLong, which one does too that cannot slide far enough. InvalidRequest for ids outside
    the vocabulary and messages the chat template refuses.
    """
    if isinstance(prompt, FimPrompt):
        room = max_prompt_tokens - (tokenizer.bos_id is not None)
        return _with_bos(render_fim(prompt, tokenizer, room), tokenizer)
    ids = _render_whole(prompt, tokenizer)
    if long_prompt == "slide" and len(ids) > max_prompt_tokens:
        ids = _slide(prompt, ids, tokenizer, max_prompt_tokens)
    if len(ids) > max_prompt_tokens:
        raise PromptTooLong(
            f"The prompt is {len(ids)} tokens long and the model's window leaves room for {max_prompt_tokens}."
        )
    if not ids:
        raise InvalidRequest("The prompt is empty.", param="prompt")
    return ids


def _slide(
    prompt: TextPrompt | TokenPrompt | ChatPrompt, ids: list[int], tokenizer: Tokenizer, max_prompt_tokens: int
) -> list[int]:
    if isinstance(prompt, ChatPrompt):
        return slide_chat(prompt, lambda shorter: render_chat(shorter, tokenizer), max_prompt_tokens)
    return slide_tokens(ids, max_prompt_tokens)


def _render_whole(prompt: TextPrompt | TokenPrompt | ChatPrompt, tokenizer: Tokenizer) -> list[int]:
    if isinstance(prompt, TokenPrompt):
        return _check_ids(prompt, tokenizer)
    if isinstance(prompt, ChatPrompt):
        return render_chat(prompt, tokenizer)
    return _with_bos(tokenizer.encode(prompt.text, prompt.parse_special), tokenizer)


def _check_ids(prompt: TokenPrompt, tokenizer: Tokenizer) -> list[int]:
    for token_id in prompt.token_ids:
        if not 0 <= token_id < tokenizer.vocab_size:
            allowed = f"0 to {tokenizer.vocab_size - 1}"
            raise InvalidRequest(f"Token id {token_id} is outside the vocabulary, {allowed}.", param="prompt")
    return list(prompt.token_ids)


def _with_bos(ids: list[int], tokenizer: Tokenizer) -> list[int]:
    return ids if tokenizer.bos_id is None else [tokenizer.bos_id, *ids]
