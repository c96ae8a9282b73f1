"""`POST /v1/embeddings`: refused in words, as no model that Heron runs makes embeddings.

The models are decoders trained to write text. A mean of their hidden states would have the right shape and find the
wrong things, which is worse than an error that says so.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import PlainValidator

from heron.errors import UnsupportedFeature
from heron.host.api.disconnect import while_connected
from heron.host.api.engines import EnginePool, ready_engine
from heron.host.api.fields import Body, Text


def _parse_input(value: Any) -> Any:
    items = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(item, str | int | list) and not isinstance(item, bool) for item in items):
        raise ValueError("must be a string, a list of strings, or lists of token ids")
    return value


class EmbeddingBody(Body):
    """OpenAI's body, as far as an answer depends on it here."""

    input: Annotated[Any, PlainValidator(_parse_input, json_schema_input_type=str | list[str] | list[int])]
    model: Text | None = None


def embeddings_router(pool: EnginePool) -> APIRouter:
    router = APIRouter()

    @router.post("/v1/embeddings")
    async def embed(body: EmbeddingBody, request: Request) -> dict[str, Any]:
        """Refuse, naming the model; one that is not here is a 404."""
        model = (await while_connected(request.receive, ready_engine(pool, body.model))).model
        raise UnsupportedFeature(
            f"model: {model.id!r} writes text and makes no embeddings, nor does any other model that Heron runs.",
            param="model",
            hint="Ask a server with an embedding model for them.",
        )

    return router
