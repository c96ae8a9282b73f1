"""Where the KV cache may be kept in int8: in our own engine on a CPU."""

from heron.errors import InvalidSettings
from heron.settings import EngineSettings


def refuse_small_cache(engine: EngineSettings, place: str) -> None:
    """Raise InvalidSettings if the settings ask for int8; `place`, a sentence, says what runs the model instead."""
    if engine.kv_cache != "auto":
        raise InvalidSettings(
            f"Setting engine.kv_cache: {engine.kv_cache} is for Heron's own engine on a CPU. {place}",
            hint="Set engine.kv_cache to auto, or engine.device to cpu.",
        )
