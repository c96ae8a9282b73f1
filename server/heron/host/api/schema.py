"""The request bodies of OpenAI's API, as far as Heron serves them, and what they mean to an engine.

Only types are checked here; ranges are the engine's (`validate_sampling`). Fields that Heron does not support accept
their default alone. The answers are built in `completions.py` and `chat.py`.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from heron.errors import InvalidRequest
from heron.host.api.answer import WantedUsage
from heron.host.api.constraint import Constraint, Wishes
from heron.host.api.fields import Body, ContentField, LogitBiasField, PromptField, StopField, Text, only
from heron.host.api.tool_fields import CallBody, GrammarBody, ResponseFormatBody, ToolBody, ToolChoiceField
from heron.wire import (
    ChatPrompt,
    FimPrompt,
    Grammar,
    Message,
    ModelInfo,
    Prompt,
    Role,
    Sampling,
    TextPrompt,
    TokenPrompt,
    ToolCall,
)

COMPLETION_MAX_TOKENS = 16
"""OpenAI's default for `/v1/completions`."""
MAX_TOOLS = 128
"""OpenAI's limit."""


class StreamOptions(Body):
    """`continuous_usage_stats` is vLLM's: the usage so far in every event, for clients that leave before the last."""

    include_usage: bool | None = None
    continuous_usage_stats: bool | None = None


class SamplingBody(Body):
    """What completions and chat have in common. The default temperature is OpenAI's, 1."""

    model: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    stop: StopField = ()
    logit_bias: LogitBiasField = ()
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    user: str | None = None
    grammar: GrammarBody | None = None
    n: Annotated[int | None, only(1)] = None
    presence_penalty: Annotated[float | None, only(0)] = None
    frequency_penalty: Annotated[float | None, only(0)] = None

    @property
    def wanted_usage(self) -> WantedUsage:
        """How much a stream tells of its usage."""
        options = self.stream_options
        if options is None or not options.include_usage:
            return "none"
        return "continuous" if options.continuous_usage_stats else "last"


class CompletionBody(SamplingBody):
    prompt: PromptField
    suffix: Text | None = None
    logprobs: int | None = None
    echo: Annotated[bool | None, only(False)] = None
    best_of: Annotated[int | None, only(1)] = None


class ChatMessage(Body):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: ContentField = ""
    tool_calls: list[CallBody] | None = None
    tool_call_id: Text | None = None


class ChatBody(SamplingBody):
    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    max_completion_tokens: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    tools: Annotated[list[ToolBody], Field(max_length=MAX_TOOLS)] | None = None
    functions: Annotated[list[Any] | None, only([])] = None
    tool_choice: ToolChoiceField = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormatBody | None = None

    @property
    def wishes(self) -> Wishes:
        """What constrains the answer."""
        functions = tuple(tool.function for tool in self.tools or ())
        parallel = self.parallel_tool_calls is not False
        return Wishes(functions, self.tool_choice, parallel, self.response_format, self.grammar)


def completion_prompt(body: CompletionBody, model: ModelInfo) -> Prompt:
    """A suffix, even an empty one, asks for filling in the middle; without it the prompt is continued as it stands."""
    if isinstance(body.prompt, tuple):
        if body.suffix:
            raise InvalidRequest("suffix: it needs a prompt that is a string, not token ids.", param="suffix")
        return TokenPrompt(body.prompt)
    if body.suffix is None or (body.suffix == "" and not model.supports_fim):
        return TextPrompt(body.prompt)
    if not model.supports_fim:
        raise InvalidRequest(
            f"suffix: the model {model.id!r} cannot fill in the middle.",
            param="suffix",
            hint="Leave the suffix out or choose another model.",
        )
    return FimPrompt(body.prompt, body.suffix)


def completion_sampling(body: CompletionBody) -> Sampling:
    limit = COMPLETION_MAX_TOKENS if body.max_tokens is None else body.max_tokens
    grammar = Grammar(body.grammar.kind, body.grammar.text) if body.grammar else None
    return _sampling(body, body.logprobs, limit, grammar)


def chat_prompt(body: ChatBody, model: ModelInfo, constraint: Constraint) -> ChatPrompt:
    if not model.supports_chat:
        raise InvalidRequest(f"messages: the model {model.id!r} has no chat template.", param="messages")
    return ChatPrompt(tuple(map(_message, body.messages)), constraint.tools)


def chat_sampling(body: ChatBody, model: ModelInfo, constraint: Constraint) -> Sampling:
    """Without a limit an answer may fill the context window."""
    if body.top_logprobs is not None and not body.logprobs:
        raise InvalidRequest("top_logprobs: it needs logprobs to be true.", param="top_logprobs")
    logprobs = (body.top_logprobs or 0) if body.logprobs else None
    limit = body.max_tokens if body.max_completion_tokens is None else body.max_completion_tokens
    return _sampling(body, logprobs, model.context_window if limit is None else limit, constraint.grammar)


def _sampling(body: SamplingBody, logprobs: int | None, max_tokens: int, grammar: Grammar | None) -> Sampling:
    return Sampling(
        max_tokens=max_tokens,
        temperature=1.0 if body.temperature is None else body.temperature,
        top_p=1.0 if body.top_p is None else body.top_p,
        top_k=body.top_k or 0,
        seed=body.seed,
        stop=body.stop,
        logit_bias=body.logit_bias,
        logprobs=logprobs,
        grammar=grammar,
    )


def _message(message: ChatMessage) -> Message:
    calls = tuple(ToolCall(call.id, call.function.name, call.function.arguments) for call in message.tool_calls or ())
    return Message(_role(message), message.content, calls, message.tool_call_id or "")


def _role(message: ChatMessage) -> Role:
    return "system" if message.role == "developer" else message.role
