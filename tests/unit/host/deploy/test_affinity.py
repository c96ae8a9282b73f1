"""What requests are routed by."""

import json

from hypothesis import given
from hypothesis import strategies as st

from heron.host.deploy.affinity import HEAD_CHARS, affinity_key


def key(body: object, **headers: str) -> str:
    return affinity_key({name.replace("_", "-"): value for name, value in headers.items()}, json.dumps(body).encode())


def chat(*contents: str) -> dict[str, object]:
    roles = ("system", "user", "assistant", "user")
    return {"messages": [{"role": role, "content": content} for role, content in zip(roles, contents, strict=False)]}


def test_what_the_client_names_comes_first() -> None:
    assert key({"prompt": "a"}, x_heron_affinity="c1") == key(
        {"prompt": "b"}, x_heron_affinity="c1", x_heron_client="v"
    )
    assert key({"prompt": "a"}, x_heron_client="vim") == key({"prompt": "b", "user": "u"}, x_heron_client="vim")
    assert key({"prompt": "a", "user": "u"}) == key({"prompt": "b", "user": "u"})
    assert key({}, x_heron_client="vim") != key({}, x_heron_affinity="vim")


def test_else_the_beginning_of_the_prompt() -> None:
    head = "x" * HEAD_CHARS
    assert key({"prompt": head + "a"}) == key({"prompt": head + "b", "suffix": "c"})
    assert key({"prompt": "a" + head}) != key({"prompt": "b" + head})
    assert key({"prompt": [1, 2]}) != key({"prompt": [1, 3]})
    assert key({"input_prefix": "a"}) != key({"input_prefix": "b"})


def test_a_chat_keeps_its_key_as_it_goes_on() -> None:
    assert key(chat("be brief", "hello")) == key(chat("be brief", "hello", "hi", "and now?"))
    assert key(chat("be brief", "hello")) != key(chat("be brief", "goodbye"))


def test_nothing_to_go_by() -> None:
    assert key({}) == key([]) == affinity_key({}, b"") == affinity_key({}, b"\xff") == ""


@given(st.binary())
def test_any_body_has_a_key(body: bytes) -> None:
    assert isinstance(affinity_key({}, body), str)


@given(
    st.dictionaries(st.sampled_from(["prompt", "messages", "user", "content"]), st.from_type(type(None)) | st.text())
)
def test_any_object_has_a_key(body: dict[str, object]) -> None:
    assert isinstance(key(body), str)
