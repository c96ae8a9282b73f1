"""What crosses between the wings and between the host and its workers: requests, sampling, deltas, usage.

Plain frozen data, no behaviour and no third-party import. Over HTTP it travels in OpenAI's shapes
(`host/api/` renders them, `editor/client.py` reads them), over the worker's pipe as JSON (`host/engine/pipe.py`).
"""

from dataclasses import dataclass, field
from typing import Literal

FinishReason = Literal["stop", "length", "tool_calls"]
Priority = Literal["completion", "chat", "background"]
Role = Literal["system", "user", "assistant", "tool"]
ToolFormatName = Literal["tags", "json"]
GrammarKind = Literal["json_object", "json_schema", "regex", "lark", "structural_tag"]

PRIORITY_HEADER = "X-Heron-Priority"
"""The HTTP header that names a request's `Priority`."""
CLIENT_HEADER = "X-Heron-Client"
"""The HTTP header that says whose request it is: clients of a host share it fairly."""
AFFINITY_HEADER = "X-Heron-Affinity"
"""The HTTP header that names a conversation or document, whose requests go to one replica of many."""
NOTICE_HEADER = "X-Heron-Notice"
"""The HTTP header of answers with `Health.notice`, percent-encoded; left out while there is none."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool that a model made; `arguments` is a JSON object as text."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool a model may call; `parameters` is the JSON schema of its arguments, as text."""

    name: str
    description: str
    parameters: str


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat. An assistant's may call tools; a tool's answers the call of `tool_call_id`."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


@dataclass(frozen=True, slots=True)
class TextPrompt:
    """Text continued as it stands; special tokens written in it are not parsed unless `parse_special`."""

    text: str
    parse_special: bool = False


@dataclass(frozen=True, slots=True)
class TokenPrompt:
    token_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FimPrompt:
    """Fill in the middle: the engine renders prefix and suffix by the model's own template."""

    prefix: str
    suffix: str


@dataclass(frozen=True, slots=True)
class ChatPrompt:
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()


Prompt = TextPrompt | TokenPrompt | FimPrompt | ChatPrompt


@dataclass(frozen=True, slots=True)
class Grammar:
    """What an answer must conform to; `text` is the schema (JSON), expression, Lark grammar or tags (JSON)."""

    kind: GrammarKind
    text: str = ""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are chosen. Defaults are greedy; `host/engine/sampling_limits.py` gives the ranges.

    `stop` strings end the output and are not part of it; they may span tokens. `logprobs` is the number of
    alternatives reported a token (0: only the chosen one), None for none. `logit_bias` adds to logits by token id.
    """

    max_tokens: int = 64
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    logit_bias: tuple[tuple[int, float], ...] = ()
    logprobs: int | None = None
    grammar: Grammar | None = None


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """One request to an engine. `request_id` is unique among the requests alive in that engine.

    `client` says whose it is: within a priority, clients get equal shares.
    """

    request_id: str
    prompt: Prompt
    sampling: Sampling = field(default_factory=Sampling)
    priority: Priority = "completion"
    client: str = ""


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """Natural-log probability of a token and of its most likely alternatives, before temperature and filters."""

    text: str
    token_id: int
    logprob: float
    top: tuple[tuple[str, int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts of one request; `cached_tokens` of the prompt were found in the KV cache and not prefilled.

    `draft_tokens` were guessed and verified by speculative decoding, `accepted_draft_tokens` of them were right.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    draft_tokens: int = 0
    accepted_draft_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the answer. The last one of a stream, and only that, has `finish_reason`; `usage` counts so far.

    An engine may leave `usage` out of all but the last. `tool_calls` are whole calls; only the chat API makes them.
    """

    text: str = ""
    token_ids: tuple[int, ...] = ()
    logprobs: tuple[TokenLogprob, ...] = ()
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    tool_calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a client may know of a model: sizes in tokens, the prompts it understands, how it writes tool calls."""

    id: str
    context_window: int
    supports_fim: bool = False
    supports_chat: bool = False
    supports_tools: bool = False
    tool_format: ToolFormatName = "tags"
    place: str = ""
    """Where it runs and why, a sentence for people; empty if unknown."""
    fingerprint: str = ""
    """Tells the model's file and kernels from any others that go by its id; empty if unknown, as on other servers."""
    on_card: bool = False
    """Whether it runs on a card."""
    notice: str = ""
    """That it got less than was asked for, a sentence for the user; see `Health.notice`."""


LoadState = Literal["starting", "downloading", "compiling", "loading", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class Health:
    """The state of a host and its model. `fraction` is the progress of the present state, 0 to 1, None if unknown.

    `notice` is what the user should know while it lasts, a sentence: that the model runs with less than was asked for.
    """

    state: LoadState
    model: str = ""
    message: str = ""
    fraction: float | None = None
    notice: str = ""
