"""Another OpenAI-compatible server as an engine, so that editors share one host in front of it.

Closing a stream closes its connection, which ends the request there. Where the server is a host of Heron's it renders
fill-in-the-middle prompts and takes our grammars, priorities and clients; others get plain text and chats.
"""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from heron.errors import HeronError, HostUnreachable, UnsupportedFeature
from heron.host.engine.remote_answers import read_delta, read_error, read_events, read_model
from heron.host.engine.sampling_limits import validate_sampling
from heron.host.engine.spans import StepSpan
from heron.settings import EngineSettings, Settings
from heron.wire import (
    CLIENT_HEADER,
    PRIORITY_HEADER,
    ChatPrompt,
    Delta,
    FimPrompt,
    GenerateRequest,
    ModelInfo,
    Sampling,
    TokenPrompt,
    Usage,
)

if TYPE_CHECKING:
    import httpx

_CONNECT_S = 10.0
_HEALTH_S = 2.0
_ANY_VOCABULARY = 1 << 31

_log = logging.getLogger(__name__)


def connect_remote(settings: Settings, reason: str) -> "RemoteEngine":
    """The engine of the server that `engine.remote_url` names. HostUnreachable if it does not answer."""
    return asyncio.run(_connect(settings, reason))


async def _connect(settings: Settings, reason: str) -> "RemoteEngine":
    client = open_client(settings.engine)
    try:
        body = await _get(client, "/v1/models", _CONNECT_S)
    finally:
        await client.aclose()
    wanted = "" if settings.model.name == "auto" else settings.model.name
    place = f"The model runs on the server {settings.engine.remote_url}: {reason}"
    return RemoteEngine(read_model(body, wanted, place), settings.engine, _is_heron(body))


class RemoteEngine:
    """Requests are forwarded as they come: the server has its own queue."""

    def __init__(self, model: ModelInfo, settings: EngineSettings, is_heron: bool) -> None:
        self._model = model
        self._settings = settings
        self._is_heron = is_heron
        self._client: httpx.AsyncClient | None = None
        self._num_requests = 0
        self._num_running = 0

    @property
    def model(self) -> ModelInfo:
        return self._model

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Delta, None]:
        validate_sampling(request.sampling, _ANY_VOCABULARY)
        path, body = self._render(request)
        self._num_requests += 1
        self._num_running += 1
        try:
            async with aclosing(self._stream(path, body, request)) as deltas:
                async for delta in deltas:
                    yield delta
        finally:
            self._num_running -= 1

    async def tokenize(self, text: str) -> list[int]:
        """UnsupportedFeature where the server has no `/tokenize`, which llama.cpp's and Heron's have."""
        try:
            body = await _post(self._opened(), "/tokenize", {"content": text})
            return [int(token_id) for token_id in body["tokens"]]
        except (HeronError, KeyError, TypeError, ValueError) as error:
            raise UnsupportedFeature(f"The remote server does not tell tokens: {error}") from error

    async def metrics(self) -> dict[str, float]:
        """Ours, and whether the server answers now."""
        try:
            await _get(self._opened(), "/v1/models", _HEALTH_S)
            is_up = 1.0
        except HeronError:
            is_up = 0.0
        running = float(self._num_running)
        return {"requests_total": float(self._num_requests), "running_requests": running, "remote_up": is_up}

    async def steps(self, since_s: float) -> tuple[StepSpan, ...]:
        """None are told: they are the server's."""
        return ()

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _stream(self, path: str, body: dict[str, Any], request: GenerateRequest) -> AsyncGenerator[Delta, None]:
        import httpx

        headers = {PRIORITY_HEADER: request.priority, CLIENT_HEADER: request.client} if self._is_heron else {}
        try:
            async with self._opened().stream("POST", path, json=body, headers=headers) as answer:
                if answer.status_code != 200:
                    raise _failure(answer.status_code, await answer.aread())
                async for delta in _deltas(answer):
                    yield delta
        except httpx.HTTPError as error:
            raise _unreachable(self._settings, error) from error

    def _render(self, request: GenerateRequest) -> tuple[str, dict[str, Any]]:
        """The path and the body of a request."""
        body = {"model": self._model.id, "stream": True, "stream_options": {"include_usage": True}}
        body |= self._sampling(request.sampling)
        prompt = request.prompt
        if isinstance(prompt, ChatPrompt):
            if prompt.tools:
                raise UnsupportedFeature("tools: the remote backend does not pass them on.", param="tools")
            messages = [{"role": message.role, "content": message.content} for message in prompt.messages]
            return "/v1/chat/completions", _chat_logprobs(body) | {"messages": messages}
        if isinstance(prompt, FimPrompt):
            return "/v1/completions", body | self._fim(prompt)
        text = list(prompt.token_ids) if isinstance(prompt, TokenPrompt) else prompt.text
        return "/v1/completions", body | {"prompt": text}

    def _fim(self, prompt: FimPrompt) -> dict[str, Any]:
        if not self._model.supports_fim:
            raise UnsupportedFeature("suffix: the remote server does not fill in the middle.", param="suffix")
        return {"prompt": prompt.prefix, "suffix": prompt.suffix}

    def _sampling(self, sampling: Sampling) -> dict[str, Any]:
        values: dict[str, Any] = {
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "top_k": sampling.top_k or None,
            "seed": sampling.seed,
            "stop": list(sampling.stop) or None,
            "logit_bias": {str(token_id): bias for token_id, bias in sampling.logit_bias} or None,
            "logprobs": sampling.logprobs,
        }
        return {name: value for name, value in values.items() if value is not None} | self._grammar(sampling)

    def _grammar(self, sampling: Sampling) -> dict[str, Any]:
        grammar = sampling.grammar
        if grammar is None:
            return {}
        if self._is_heron:
            return {"grammar": {"kind": grammar.kind, "text": grammar.text}}
        if grammar.kind == "json_object":
            return {"response_format": {"type": "json_object"}}
        if grammar.kind == "json_schema":
            schema = {"name": "answer", "schema": json.loads(grammar.text)}
            return {"response_format": {"type": "json_schema", "json_schema": schema}}
        raise UnsupportedFeature(f"grammar: the remote server takes no {grammar.kind}.", param="grammar")

    def _opened(self) -> "httpx.AsyncClient":
        """The connection, made in the event loop that uses it."""
        if self._client is None:
            self._client = open_client(self._settings)
        return self._client


def _chat_logprobs(body: dict[str, Any]) -> dict[str, Any]:
    """The body with log probabilities asked for as a chat does."""
    count = body.pop("logprobs", None)
    return body if count is None else body | {"logprobs": True, "top_logprobs": count}


def open_client(settings: EngineSettings) -> "httpx.AsyncClient":
    """A client of the server; answers may take as long as they do, connections may not.

    What is asked goes to the server that the settings name, never to a proxy that the environment does.
    """
    import httpx

    headers = {"Authorization": f"Bearer {settings.remote_token}"} if settings.remote_token else {}
    url = settings.remote_url.rstrip("/").removesuffix("/v1")
    transport = httpx.AsyncHTTPTransport(trust_env=False)
    timeout = httpx.Timeout(None, connect=_CONNECT_S)
    return httpx.AsyncClient(transport=transport, base_url=url, headers=headers, timeout=timeout)


async def _deltas(answer: "httpx.Response") -> AsyncGenerator[Delta, None]:
    """The deltas of a stream; the one that finishes waits for the usage, which comes after it."""
    last, usage = None, Usage()
    async for body in read_events(answer.aiter_lines()):
        delta = read_delta(body)
        usage = delta.usage or usage
        if delta.finish_reason is not None:
            last = delta
        elif delta.text or delta.logprobs:
            yield delta
    if last is None:
        raise HostUnreachable("The remote server broke off the answer.", hint="Try again.")
    yield Delta(last.text, logprobs=last.logprobs, finish_reason=last.finish_reason, usage=usage)


async def _get(client: "httpx.AsyncClient", path: str, timeout_s: float) -> Any:
    return await _ask(client, "GET", path, timeout_s, None)


async def _post(client: "httpx.AsyncClient", path: str, body: Any) -> Any:
    return await _ask(client, "POST", path, _CONNECT_S, body)


async def _ask(client: "httpx.AsyncClient", method: str, path: str, timeout_s: float, body: Any) -> Any:
    import httpx

    try:
        answer = await client.request(method, path, json=body, timeout=timeout_s)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise HostUnreachable(f"The remote server {client.base_url} does not answer ({_words(error)}).") from error
    if answer.status_code != 200:
        raise _failure(answer.status_code, answer.content)
    try:
        return answer.json()
    except ValueError as error:
        raise HostUnreachable(
            f"The remote server {client.base_url} answers {path} with something else than JSON."
        ) from error


def _failure(status: int, content: bytes) -> HeronError:
    try:
        return read_error(status, json.loads(content))
    except ValueError:
        return read_error(status, None)


def _unreachable(settings: EngineSettings, error: Exception) -> HostUnreachable:
    return HostUnreachable(f"The remote server {settings.remote_url} was lost ({_words(error)}).", hint="Try again.")


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__


def _is_heron(body: Any) -> bool:
    entries = body.get("data") if isinstance(body, dict) else ()
    return any(isinstance(entry, dict) and entry.get("owned_by") == "heron" for entry in entries or ())
