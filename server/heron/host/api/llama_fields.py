"""The request bodies of llama.cpp's server, as far as its editor plugins use them (tools/server/README.md there).

Fields that only steer llama.cpp's own machinery (slots, samplers' order, caching) are ignored, as Heron does all that
by itself. Its defaults for sampling are for chat; filling in is greedy here unless a temperature is asked for.
"""

from typing import Annotated

from pydantic import Field

from heron.host.api.fields import Body, StopField, Text, only
from heron.wire import FimPrompt, ModelInfo, Sampling

_CHARS_PER_TOKEN = 3
"""Of code; low, so that what is thought to fit does fit."""


class ExtraBody(Body):
    """A piece of another file."""

    text: Text = ""
    filename: Text = ""


class InfillBody(Body):
    """What to fill in. `prompt` is the part of the current line before the cursor; -1 tokens and seeds mean any."""

    input_prefix: Text = ""
    input_suffix: Text = ""
    prompt: Text = ""
    input_extra: tuple[ExtraBody, ...] = Field(default=(), strict=False)
    model: str | None = None
    n_predict: Annotated[int, Field(ge=-1)] = -1
    n_indent: Annotated[int, Field(ge=0)] = 0
    t_max_predict_ms: Annotated[float, Field(ge=0)] = 0
    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = -1
    stop: StopField = ()
    stream: bool = False
    response_fields: list[Text] | None = None
    grammar: Annotated[str | None, only("")] = None
    n_probs: Annotated[int | None, only(0)] = None

    @property
    def only_warms(self) -> bool:
        """Whether the client wants nothing but the prompt in the cache."""
        return self.n_predict == 0


class TokenizeBody(Body):
    content: Text
    add_special: Annotated[bool, only(False)] = False
    with_pieces: Annotated[bool, only(False)] = False


def infill_prompt(body: InfillBody, model: ModelInfo) -> FimPrompt:
    """The prompt, with as many of the extra pieces in front, the last first, as fit the context window."""
    prefix = body.input_prefix + body.prompt
    taken = len(prefix) + len(body.input_suffix)
    room = (model.context_window - max(body.n_predict, 0)) * _CHARS_PER_TOKEN - taken
    pieces: list[str] = []
    for extra in reversed(body.input_extra):
        piece = extra.text.rstrip("\n") + "\n\n"
        if (room := room - len(piece)) < 0:
            break
        pieces.insert(0, piece)
    return FimPrompt("".join(pieces) + prefix, body.input_suffix)


def infill_sampling(body: InfillBody, model: ModelInfo) -> Sampling:
    """Without a limit an answer may fill the context window."""
    limit = model.context_window if body.n_predict < 0 else max(body.n_predict, 1)
    seed = None if body.seed < 0 else body.seed
    return Sampling(limit, body.temperature, body.top_p, body.top_k, seed, body.stop)
