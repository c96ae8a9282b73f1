from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.editor.workspace.uris import path_of_uri, uri_of_path


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///a/b.py", "/a/b.py"),
        ("file://localhost/a%20b", "/a b"),
        ("file:///%C3%A4", "/ä"),
        ("file://host/a", None),
        ("untitled:a", None),
        ("https://a/b", None),
        ("file:///a%00b", None),
        ("file:a", None),
        ("http://[", None),
    ],
)
def test_path_of_a_uri(uri: str, path: str | None) -> None:
    assert path_of_uri(uri) == (Path(path) if path else None)


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=30))
def test_there_and_back(name: str) -> None:
    path = Path("/") / name.lstrip("/")
    assert path_of_uri(uri_of_path(path)) == path
