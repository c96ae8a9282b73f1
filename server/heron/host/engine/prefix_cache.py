"""Which pages of the KV cache hold which tokens: sharing, copy-on-write, eviction. Knows token ids, no tensors.

A tree over pages: a node stands for one page, its path from the root for all tokens up to that page's end. Full pages
are shared as they are; a page that agrees only in its first tokens is copied. What no sequence uses stays for reuse
until its page is needed, the least recently used leaf first, and what is pinned last of all.
"""

import heapq
import itertools
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

PINNED_SHARE = 4
"""At most one page in so many is pinned."""


@dataclass(slots=True, eq=False)
class Node:
    """One cached page. `refs` counts the leases, `pins` the pins whose path leads through it.

    Only full pages have children or are pinned.
    """

    tokens: tuple[int, ...]
    page: int
    parent: "Node | None"
    children: dict[int, list["Node"]] = field(default_factory=dict)
    """By first token."""
    refs: int = 0
    pins: int = 0
    last_used: int = 0


@dataclass(slots=True, eq=False)
class Lease:
    """The pages of one running sequence in order: a path of shared full pages, then pages of its own.

    `num_cached` tokens were found in the cache when the lease began, the first `num_shared` pages belong to the tree.
    """

    node: Node
    pages: "array[int]"
    num_shared: int
    num_cached: int


class PrefixCache:
    """Lends the pages of a KV cache to sequences and keeps what they computed.

    `copy_page(source, target)` copies the keys and values of a whole page.
    """

    def __init__(self, num_pages: int, page_size: int, copy_page: Callable[[int, int], None]) -> None:
        self.num_pages = num_pages
        self.page_size = page_size
        self.max_pinned = num_pages // PINNED_SHARE
        self._copy_page = copy_page
        self._free = list(range(num_pages - 1, -1, -1))
        self._root = Node((), -1, None, refs=1)
        self._ticks = itertools.count(1)
        self._num_idle = 0
        self._num_pinned = 0
        self._pins: dict[Node, None] = {}
        """The last pages of what is pinned, the one pinned longest ago first."""
        self._oldest: list[tuple[int, int, Node]] = []
        """Heap of leaves to evict, by time of last use; entries that no longer hold are skipped."""

    @property
    def num_available(self) -> int:
        """Pages that no sequence uses: free ones, and cached ones that can be evicted."""
        return len(self._free) + self._num_idle

    @property
    def num_free(self) -> int:
        return len(self._free)

    @property
    def num_idle(self) -> int:
        """Cached pages that no sequence uses."""
        return self._num_idle

    @property
    def num_pinned(self) -> int:
        """Cached pages that are evicted after all others."""
        return self._num_pinned

    def open(self, token_ids: Sequence[int]) -> Lease | None:
        """Pages for all of `token_ids`, as much as possible from the cache; None while too few are available.

        The last token is never taken from the cache: its logits are wanted.
        """
        node, num_shared = self._match(token_ids, (len(token_ids) - 1) // self.page_size)
        num_new = self._pages_of(len(token_ids)) - num_shared
        self._hold(node)
        if num_new > self.num_available:
            self._release(node)
            return None
        lease = Lease(node, array("i", self._path_pages(node)), num_shared, num_shared * self.page_size)
        self._take_tail(lease, token_ids)
        self.grow(lease, len(token_ids))
        return lease

    def grow(self, lease: Lease, num_tokens: int) -> bool:
        """Give a lease the pages that `num_tokens` need; False, and nothing changed, while too few are available."""
        num_new = self._pages_of(num_tokens) - len(lease.pages)
        if num_new > self.num_available:
            return False
        for _ in range(num_new):
            lease.pages.append(self._take_page())
        return True

    def commit(self, lease: Lease, token_ids: Sequence[int], num_computed: int) -> None:
        """Share the pages of a lease that its first `num_computed` tokens now fill."""
        while (lease.num_shared + 1) * self.page_size <= num_computed:
            start = lease.num_shared * self.page_size
            tokens = tuple(token_ids[start : start + self.page_size])
            page = lease.pages[lease.num_shared]
            lease.node = self._add_page(lease.node, tokens, page)
            lease.node.refs += 1
            if lease.node.refs == 1:
                self._num_idle -= 1
            lease.pages[lease.num_shared] = lease.node.page
            lease.num_shared += 1

    def close(self, lease: Lease, token_ids: Sequence[int], num_computed: int) -> None:
        """End a lease; what was computed stays in the cache, a page begun included."""
        self.commit(lease, token_ids, num_computed)
        own = list(lease.pages[lease.num_shared :])
        tail = tuple(token_ids[lease.num_shared * self.page_size : num_computed])
        if tail:
            node = self._add_page(lease.node, tail, own.pop(0))
            self._touch(node)
        self._free.extend(reversed(own))
        self._release(lease.node)

    def pin(self, token_ids: Sequence[int]) -> int:
        """Keep the full pages of these tokens, as far as they are cached, for longer than others; how many tokens.

        In all at most `max_pinned` pages: what was pinned longest ago gives way, and where a running sequence needs a
        page and nothing else is left, all of it does.
        """
        node, depth = self._match(token_ids, min(len(token_ids) // self.page_size, self.max_pinned))
        if not depth:
            return 0
        if node in self._pins:
            self._unpin(node)
        self._pins[node] = None
        for held in self._path(node):
            held.pins += 1
            self._num_pinned += held.pins == 1
        while self._num_pinned > self.max_pinned:
            self._unpin(next(iter(self._pins)))
        return depth * self.page_size

    def unpin(self, token_ids: Sequence[int]) -> None:
        """Take back the pin of exactly these tokens' full pages, if there is one."""
        node, depth = self._match(token_ids, len(token_ids) // self.page_size)
        if depth == len(token_ids) // self.page_size and node in self._pins:
            self._unpin(node)

    def _unpin(self, node: Node) -> None:
        del self._pins[node]
        for held in self._path(node):
            held.pins -= 1
            self._num_pinned -= held.pins == 0
        self._offer(node)

    def _match(self, token_ids: Sequence[int], max_depth: int) -> tuple[Node, int]:
        """The deepest node whose full pages begin `token_ids`, at most `max_depth` of them, and its depth."""
        node, depth = self._root, 0
        while depth < max_depth:
            start = depth * self.page_size
            wanted = tuple(token_ids[start : start + self.page_size])
            child = next((child for child in node.children.get(wanted[0], ()) if child.tokens == wanted), None)
            if child is None:
                break
            node, depth = child, depth + 1
        return node, depth

    def _take_tail(self, lease: Lease, token_ids: Sequence[int]) -> None:
        """Copy the page that agrees longest with what follows a lease's full pages, if any does."""
        start = lease.num_shared * self.page_size
        wanted = token_ids[start : min(start + self.page_size, len(token_ids) - 1)]
        candidates = lease.node.children.get(wanted[0], ()) if len(wanted) else ()
        source = max(candidates, key=lambda child: common_length(child.tokens, wanted), default=None)
        if source is None:
            return
        source.refs += 1  # not to be evicted for the page it is copied to
        self._num_idle -= source.refs == 1
        if self.num_available:
            lease.pages.append(self._take_page())
            self._copy_page(source.page, lease.pages[-1])
            lease.num_cached += common_length(source.tokens, wanted)
        source.refs -= 1
        self._num_idle += source.refs == 0
        self._touch(source)

    def _add_page(self, parent: Node, tokens: tuple[int, ...], page: int) -> Node:
        """The node for `tokens` below `parent`: a new one for `page`, or one that holds them, and `page` is freed."""
        siblings = parent.children.setdefault(tokens[0], [])
        for node in siblings:
            if node.tokens[: len(tokens)] == tokens:
                self._free.append(page)
                return node
        for node in [node for node in siblings if not node.refs and node.tokens == tokens[: len(node.tokens)]]:
            siblings.remove(node)
            node.parent = None
            self._num_idle -= 1
            self._free.append(node.page)
        node = Node(tokens, page, parent)
        siblings.append(node)
        self._num_idle += 1
        return node

    def _take_page(self) -> int:
        if not self._free:
            self._evict_oldest()
        return self._free.pop()

    def _evict_oldest(self) -> None:
        while (node := self._pop_evictable()) is None:
            self._unpin(next(iter(self._pins)))
        parent = node.parent
        assert parent is not None
        parent.children[node.tokens[0]].remove(node)
        if not parent.children[node.tokens[0]]:
            del parent.children[node.tokens[0]]
        node.parent = None
        self._num_idle -= 1
        self._free.append(node.page)
        parent.last_used = max(parent.last_used, node.last_used)
        self._offer(parent)

    def _pop_evictable(self) -> Node | None:
        """The leaf used longest ago, None when all that no sequence uses is pinned."""
        while self._oldest:
            last_used, _, node = heapq.heappop(self._oldest)
            if last_used == node.last_used and self._is_evictable(node):
                return node
        return None

    def _hold(self, node: Node) -> None:
        for held in self._path(node):
            held.refs += 1
            self._num_idle -= held.refs == 1

    def _release(self, node: Node) -> None:
        for held in self._path(node):
            held.refs -= 1
            self._num_idle += held.refs == 0
        self._touch(node)

    def _touch(self, node: Node) -> None:
        node.last_used = next(self._ticks)
        self._offer(node)

    def _offer(self, node: Node) -> None:
        """Note a leaf that may be evicted."""
        if self._is_evictable(node):
            if len(self._oldest) > 2 * self.num_pages + 64:
                self._oldest = [entry for entry in self._oldest if entry[0] == entry[2].last_used and entry[2].parent]
                heapq.heapify(self._oldest)
            heapq.heappush(self._oldest, (node.last_used, next(self._ticks), node))

    def _is_evictable(self, node: Node) -> bool:
        return not node.refs and not node.pins and not node.children and node.parent is not None

    def _path(self, node: Node) -> Iterator[Node]:
        """The node and its parents, the root excluded."""
        while node.parent is not None:
            yield node
            node = node.parent

    def _path_pages(self, node: Node) -> list[int]:
        return [held.page for held in self._path(node)][::-1]

    def _pages_of(self, num_tokens: int) -> int:
        return -(-num_tokens // self.page_size)


def common_length(one: Sequence[int], other: Sequence[int]) -> int:
    """How many first items two sequences share."""
    length = min(len(one), len(other))
    return next((index for index in range(length) if one[index] != other[index]), length)
