"""File URIs and paths. RFC 8089."""

from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit


def path_of_uri(uri: str) -> Path | None:
    """The path of a `file:` URI of this machine; None for any other URI."""
    try:
        parts = urlsplit(uri)
        path = unquote_to_bytes(parts.path).decode("utf-8", "surrogateescape")
    except (ValueError, UnicodeError):
        return None
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or not path.startswith("/") or "\0" in path:
        return None
    return Path(path)


def uri_of_path(path: Path) -> str:
    """The `file:` URI of an absolute path."""
    return path.as_uri()
