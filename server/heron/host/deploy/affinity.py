"""What a request has in common with those whose keys and values are cached: the key it is routed by."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from heron.wire import AFFINITY_HEADER, CLIENT_HEADER

HEAD_CHARS = 1024
"""So much of a prompt's beginning stands for it; requests that share it share its keys and values."""


def affinity_key(headers: Mapping[str, str], body: bytes) -> str:
    """The conversation or document that the client names, else the client, else the beginning of the prompt.

    Empty for a request without any of these, which may go anywhere. Header names are in lower case.
    """
    for name in (AFFINITY_HEADER, CLIENT_HEADER):
        if value := headers.get(name.lower(), ""):
            return _digest(f"{name}:{value}")
    asked = _read(body)
    if isinstance(user := asked.get("user"), str) and user:
        return _digest(f"user:{user}")
    head = _head(asked)
    return _digest(f"head:{head}") if head else ""


def _head(asked: Mapping[str, Any]) -> str:
    """The beginning of a prompt; of a chat, its first two messages: those that follow come and go."""
    messages = asked.get("messages")
    if isinstance(messages, list):
        return "".join(json.dumps(message)[:HEAD_CHARS] for message in messages[:2])
    for name in ("prompt", "input_prefix", "content"):
        if value := asked.get(name):
            return value[:HEAD_CHARS] if isinstance(value, str) else json.dumps(value)[:HEAD_CHARS]
    return ""


def _read(body: bytes) -> Mapping[str, Any]:
    """The body as an object; an empty one for what is none: the application will tell the client."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return asked if isinstance(asked, dict) else {}


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
