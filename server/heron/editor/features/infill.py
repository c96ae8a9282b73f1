"""From a context to what the server is asked."""

from dataclasses import dataclass, replace

from heron.editor.client.client import Infill
from heron.editor.context.build import Context
from heron.editor.prompt.fim import render_fim
from heron.editor.workspace.redact import redact
from heron.wire import ModelInfo, Priority


@dataclass(frozen=True, slots=True)
class Asking:
    """How long an answer may be, how urgent it is, and how it is chosen: greedily without a temperature."""

    max_tokens: int
    priority: Priority = "completion"
    temperature: float = 0.0
    seed: int = 0

    def drawn(self, temperature: float, seed: int) -> "Asking":
        """The same, drawn at random."""
        return replace(self, temperature=temperature, seed=seed)


def make_infill(model: ModelInfo, context: Context, asking: Asking) -> Infill:
    """Let the server fill in if it says it can, else write the model's own marks into the prompt. No secret goes in."""
    prefix, suffix = redact(context.prefix), redact(context.suffix)
    is_ours = model.supports_fim
    return Infill(
        prompt=prefix if is_ours else render_fim(model, prefix, suffix),
        suffix=suffix if is_ours else None,
        max_tokens=asking.max_tokens,
        stop=context.stop,
        priority=asking.priority,
        temperature=asking.temperature,
        seed=asking.seed,
        logprobs=is_ours,
    )
