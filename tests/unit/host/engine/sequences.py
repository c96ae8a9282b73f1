"""Sequences, and a check of the page accounting, for tests of the step loop and its parts."""

from collections import Counter

from heron.host.engine.prefix_cache import Node, PrefixCache
from heron.host.engine.sampler import Sampler
from heron.host.engine.sequence import PRIORITIES, Sequence
from heron.host.engine.stream import TextStream
from heron.wire import Priority, Sampling


def make_sequence(
    prompt: list[int],
    max_tokens: int = 4,
    priority: Priority = "completion",
    sampling: Sampling | None = None,
    client: str = "",
) -> Sequence:
    sampling = sampling or Sampling()
    return Sequence(
        request_id="",
        token_ids=list(prompt),
        num_prompt=len(prompt),
        max_tokens=max_tokens,
        sampler=Sampler(sampling),
        stream=TextStream(letter_of, sampling.stop),
        client=client,
        rank=PRIORITIES.index(priority),
    )


def letter_of(token_id: int) -> bytes:
    return bytes([97 + token_id % 26])


def cached_nodes(cache: PrefixCache) -> list[Node]:
    """All nodes of the tree but its root."""
    found: list[Node] = []
    pending = [cache._root]
    while pending:
        node = pending.pop()
        children = [child for siblings in node.children.values() for child in siblings]
        assert all(child.parent is node for child in children)
        found += children
        pending += children
    return found


def check_pages(cache: PrefixCache, owned: list[int]) -> None:
    """Every page is in exactly one place: free, in the tree, or owned by a running sequence."""
    nodes = cached_nodes(cache)
    pages = [*cache._free, *(node.page for node in nodes), *owned]
    assert sorted(pages) == list(range(cache.num_pages))
    assert cache.num_idle == sum(not node.refs for node in nodes)
    assert all(len(node.tokens) == cache.page_size or not node.children for node in nodes)
    check_pins(cache, nodes)
    for node in nodes:
        if not node.refs and not node.children and not node.pins:
            assert any(entry[2] is node and entry[0] == node.last_used for entry in cache._oldest)


def check_pins(cache: PrefixCache, nodes: list[Node]) -> None:
    """What is pinned is in the tree, whole, and no more than allowed; nodes count the pins that lead through them."""
    counts = Counter(id(held) for node in cache._pins for held in cache._path(node))
    assert [node.pins for node in nodes] == [counts[id(node)] for node in nodes]
    assert all(len(node.tokens) == cache.page_size for node in nodes if node.pins)
    assert set(map(id, cache._pins)) <= set(map(id, nodes))
    assert cache.num_pinned == sum(node.pins > 0 for node in nodes) <= cache.max_pinned
