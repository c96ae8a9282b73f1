"""The page tree against a model that writes tokens into pages: what a lease reads is what its tokens are."""

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from heron.host.engine.prefix_cache import Lease, PrefixCache, common_length
from unit.host.engine.sequences import check_pages

TOKENS = st.lists(st.integers(0, 1), min_size=1, max_size=12)


@dataclass(eq=False)
class Holder:
    """A lease and its tokens, computed up to `num_computed`."""

    lease: Lease
    token_ids: list[int]
    num_computed: int


class CacheMachine(RuleBasedStateMachine):
    """Random leases over a small pool whose pages hold the tokens written to them."""

    holders: Bundle[Holder] = Bundle("holders")

    @initialize(num_pages=st.integers(1, 14), page_size=st.integers(1, 4))
    def begin(self, num_pages: int, page_size: int) -> None:
        self.pages = [[-1] * page_size for _ in range(num_pages)]
        self.cache = PrefixCache(num_pages, page_size, self.copy_page)
        self.open: list[Holder] = []

    def copy_page(self, source: int, target: int) -> None:
        self.pages[target] = list(self.pages[source])

    @rule(target=holders, token_ids=TOKENS)
    def open_lease(self, token_ids: list[int]) -> Holder:
        free = self.cache.num_available
        lease = self.cache.open(token_ids)
        if lease is None:
            assert -(-len(token_ids) // self.cache.page_size) > free or self.open
            assert self.cache.num_available == free
            return Holder(Lease(self.cache._root, [], 0, 0), [], 0)  # type: ignore[arg-type]
        assert lease.num_cached < len(token_ids)
        holder = Holder(lease, token_ids, lease.num_cached)
        self.open.append(holder)
        return holder

    @rule(holder=holders, count=st.integers(1, 8))
    def compute(self, holder: Holder, count: int) -> None:
        size = self.cache.page_size
        for position in range(holder.num_computed, min(holder.num_computed + count, len(holder.token_ids))):
            self.pages[holder.lease.pages[position // size]][position % size] = holder.token_ids[position]
            holder.num_computed += 1
        if holder in self.open:
            self.cache.commit(holder.lease, holder.token_ids, holder.num_computed)

    @rule(holder=holders, token_id=st.integers(0, 1))
    def append(self, holder: Holder, token_id: int) -> None:
        if holder in self.open and self.cache.grow(holder.lease, len(holder.token_ids) + 1):
            holder.token_ids = [*holder.token_ids, token_id]

    @rule(token_ids=TOKENS)
    def pin(self, token_ids: list[int]) -> None:
        num_free = self.cache.num_available
        assert self.cache.pin(token_ids) <= len(token_ids)
        assert self.cache.num_available == num_free

    @rule(token_ids=TOKENS)
    def unpin(self, token_ids: list[int]) -> None:
        self.cache.unpin(token_ids)

    @rule(holder=consumes(holders))
    def close_lease(self, holder: Holder) -> None:
        if holder in self.open:
            self.open.remove(holder)
            self.cache.close(holder.lease, holder.token_ids, holder.num_computed)

    @invariant()
    def every_lease_reads_its_own_tokens(self) -> None:
        for holder in getattr(self, "open", ()):
            read = [token for page in holder.lease.pages for token in self.pages[page]]
            assert read[: holder.num_computed] == holder.token_ids[: holder.num_computed]

    @invariant()
    def every_page_is_in_one_place(self) -> None:
        if hasattr(self, "open"):
            check_pages(self.cache, [page for item in self.open for page in item.lease.pages[item.lease.num_shared :]])

    def teardown(self) -> None:
        for holder in getattr(self, "open", ()):
            self.cache.close(holder.lease, holder.token_ids, holder.num_computed)
        if hasattr(self, "open"):
            check_pages(self.cache, [])
            assert self.cache.num_available == self.cache.num_pages


CacheMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestCache = CacheMachine.TestCase


def compute(cache: PrefixCache, token_ids: list[int]) -> int:
    """Run a whole sequence; how many of its tokens were cached."""
    lease = cache.open(token_ids)
    assert lease is not None
    cache.close(lease, token_ids, len(token_ids))
    return lease.num_cached


def make_cache(num_pages: int, page_size: int = 4) -> PrefixCache:
    return PrefixCache(num_pages, page_size, lambda source, target: None)


def test_finds_a_prefix_that_ends_within_a_page() -> None:
    cache = make_cache(8)
    compute(cache, [1, 2, 3, 4, 5, 6, 7, 8, 9])
    assert compute(cache, [1, 2, 3, 4, 5, 6, 20, 21]) == 6


def test_typing_on_leaves_no_trail_of_begun_pages() -> None:
    cache = make_cache(16)
    for length in range(1, 33):
        assert compute(cache, list(range(length))) == max(0, length - 1)
    assert cache.num_free == 16 - 8


def test_evicts_what_was_used_longest_ago_and_its_end_first() -> None:
    cache = make_cache(4)
    compute(cache, [1, 1, 1, 1, 1, 1, 1, 1])
    compute(cache, [2, 2, 2, 2])
    compute(cache, [1, 1, 1, 1, 1, 1, 1, 1])
    compute(cache, [3, 3, 3, 3, 3, 3, 3, 3])
    assert compute(cache, [1, 1, 1, 1, 9]) == 4
    assert compute(cache, [2, 2, 2, 2, 9]) == 0


def test_refuses_more_than_is_available_and_changes_nothing() -> None:
    cache = make_cache(3)
    lease = cache.open([1] * 8)
    assert lease is not None
    assert cache.open([2] * 5) is None
    assert not cache.grow(lease, 13)
    assert cache.num_available == 1
    assert cache.grow(lease, 12)


def test_never_evicts_what_is_in_use() -> None:
    cache = make_cache(3)
    compute(cache, [1, 1, 1, 1, 1, 1, 1, 1])
    user = cache.open([1, 1, 1, 1, 1, 1, 1, 1, 5])
    assert user is not None
    assert cache.open([2]) is None
    assert user.num_cached == 8


def test_what_is_pinned_stays_while_others_come_and_go() -> None:
    cache = make_cache(8)
    compute(cache, [1] * 9)
    assert cache.pin([1] * 9) == 8
    for number in range(2, 20):
        compute(cache, [number] * 20)
    assert compute(cache, [1] * 9) == 8
    cache.unpin([1] * 9)
    compute(cache, [20] * 32)
    assert compute(cache, [1] * 9) == 0


def test_pins_give_way_to_running_sequences_rather_than_failing_them() -> None:
    cache = make_cache(8)
    compute(cache, [1] * 9)
    cache.pin([1] * 9)
    lease = cache.open([2] * 32)
    assert lease is not None
    assert cache.num_pinned == 0


def test_at_most_a_share_of_the_pages_is_pinned_and_the_latest_pins_stay() -> None:
    cache = make_cache(16)
    for number in (1, 2, 3):
        compute(cache, [number] * 9)
        assert cache.pin([number] * 9) == 8
    assert cache.num_pinned == 4
    compute(cache, [4] * 48)
    assert [compute(cache, [number] * 9) for number in (3, 2, 1)] == [8, 8, 0]
    compute(cache, [5] * 40)
    assert cache.pin([5] * 40) == 16


def test_the_notes_of_old_leaves_do_not_pile_up() -> None:
    cache = make_cache(4)
    for _ in range(1000):
        compute(cache, [1, 2, 3])
    assert len(cache._oldest) <= 2 * 4 + 65


def test_common_length() -> None:
    assert common_length([1, 2, 3], [1, 2, 4, 5]) == 2
    assert common_length([], [1]) == 0
    assert common_length([1, 2], [1, 2]) == 2
