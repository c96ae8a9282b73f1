"""Field types of the request bodies: what JSON may hold there, and the sentence for what it may not.

A checker raises ValueError with the end of a sentence that begins "it ..." (`errors.py` writes its beginning).
"""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainValidator


class Body(BaseModel):
    """A request body: unknown fields are ignored, as OpenAI's server does; known ones must have their exact type."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


def check_text(value: str) -> str:
    """Refuse halves of surrogate pairs, which JSON can spell and no tokenizer can read."""
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("must be Unicode text without unpaired surrogates")
    return value


def only(*allowed: object) -> AfterValidator:
    """Refuse every other value of a field that Heron does not support, so that nothing is silently ignored."""
    names = " or ".join(repr(value) for value in allowed)

    def check(value: object) -> object:
        if value is not None and value not in allowed:
            raise ValueError(f"must be {names}, Heron supports nothing else")
        return value

    return AfterValidator(check)


def parse_prompt(value: Any) -> str | tuple[int, ...]:
    """A prompt is a text, a list of one text, or a list of token ids."""
    if isinstance(value, list) and len(value) == 1 and not _is_token_id(value[0]):
        value = value[0]
    if isinstance(value, str):
        return check_text(value)
    if isinstance(value, list) and value and all(map(_is_token_id, value)):
        return tuple(value)
    raise ValueError("must be one string, a list of one string, or a list of token ids")


def parse_stop(value: Any) -> tuple[str, ...]:
    stops = [value] if isinstance(value, str) else [] if value is None else value
    if not isinstance(stops, list) or not all(isinstance(stop, str) for stop in stops):
        raise ValueError("must be a string or a list of strings")
    return tuple(check_text(stop) for stop in stops)


def parse_logit_bias(value: Any) -> tuple[tuple[int, float], ...]:
    if not isinstance(value, dict | None):
        raise ValueError("must be an object of token ids and biases")
    biases = (value or {}).items()
    if not all(key.isdecimal() and type(bias) in (int, float) for key, bias in biases):
        raise ValueError("must be an object of token ids and biases, such as {'50256': -100}")
    return tuple((int(key), float(bias)) for key, bias in biases)


def parse_content(value: Any) -> str:
    """A message's content is a text, a list of text parts, or null."""
    if isinstance(value, str) or value is None:
        return check_text(value or "")
    if not isinstance(value, list) or not all(map(_is_text_part, value)):
        raise ValueError("must be a string or a list of parts of type 'text'")
    return check_text("".join(part["text"] for part in value))


def _is_token_id(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**31


def _is_text_part(part: object) -> bool:
    return isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)


Text = Annotated[str, AfterValidator(check_text)]
PromptField = Annotated[
    str | tuple[int, ...], PlainValidator(parse_prompt, json_schema_input_type=str | list[str] | list[int])
]
StopField = Annotated[tuple[str, ...], PlainValidator(parse_stop, json_schema_input_type=str | list[str] | None)]
LogitBiasField = Annotated[
    tuple[tuple[int, float], ...], PlainValidator(parse_logit_bias, json_schema_input_type=dict[str, float] | None)
]
ContentField = Annotated[str, PlainValidator(parse_content, json_schema_input_type=str | list[dict[str, str]] | None)]
