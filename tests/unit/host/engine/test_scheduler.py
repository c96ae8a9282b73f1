"""The policy: who runs, who waits, who makes room."""

import pytest

from heron.errors import Overloaded
from heron.host.engine.prefix_cache import PrefixCache
from heron.host.engine.scheduler import Chunk, Scheduler, SchedulerLimits
from heron.host.engine.sequence import Sequence
from unit.host.engine.sequences import make_sequence


def make_scheduler(num_pages: int = 100, page_size: int = 4, **limits: int) -> Scheduler:
    cache = PrefixCache(num_pages, page_size, lambda source, target: None)
    return Scheduler(cache, SchedulerLimits(**limits))


def run_step(scheduler: Scheduler) -> dict[Sequence, int]:
    """Run a plan as a model would that answers token 7; tokens by sequence."""
    chunks = scheduler.plan()
    for chunk in chunks:
        scheduler.commit(chunk)
        if chunk.num_logits:
            chunk.sequence.token_ids.append(7)
    return {chunk.sequence: chunk.num_tokens for chunk in chunks}


def add(scheduler: Scheduler, *sequences: Sequence) -> None:
    for sequence in sequences:
        scheduler.add(sequence)


def test_a_long_prompt_is_run_in_chunks_and_only_the_last_wants_logits() -> None:
    scheduler = make_scheduler(max_step_tokens=8)
    sequence = make_sequence(list(range(20)))
    add(scheduler, sequence)
    wanted = []
    for _ in range(3):
        (chunk,) = scheduler.plan()
        wanted.append((chunk.num_tokens, chunk.num_logits))
        scheduler.commit(chunk)
    assert wanted == [(8, 0), (8, 0), (4, 1)]


def test_decoding_goes_on_beside_a_prefill() -> None:
    scheduler = make_scheduler(max_step_tokens=8)
    first, second = make_sequence([1, 2]), make_sequence(list(range(20)))
    add(scheduler, first)
    run_step(scheduler)
    add(scheduler, second)
    assert run_step(scheduler) == {first: 1, second: 7}


def test_completions_go_before_chats_and_chats_before_background() -> None:
    scheduler = make_scheduler(max_running=1)
    background = make_sequence([1, 2], priority="background")
    chat = make_sequence([3, 4], priority="chat")
    completion = make_sequence([5, 6], priority="completion")
    add(scheduler, background, chat, completion)
    order = []
    while scheduler.num_waiting or scheduler.num_running:
        (sequence,) = run_step(scheduler)
        order.append(sequence)
        scheduler.remove(sequence)
    assert order == [completion, chat, background]


def test_first_come_first_served_within_a_priority() -> None:
    scheduler = make_scheduler(max_running=1)
    sequences = [make_sequence([number, number]) for number in range(5)]
    add(scheduler, *sequences)
    order = []
    for _ in sequences:
        (sequence,) = run_step(scheduler)
        order.append(sequence)
        scheduler.remove(sequence)
    assert order == sequences


def test_a_completion_takes_the_place_of_a_chat_which_then_goes_on_from_its_pages() -> None:
    scheduler = make_scheduler(max_running=1)
    chat, completion = make_sequence([1, 2, 3, 4, 5, 6], priority="chat"), make_sequence([9, 9])
    add(scheduler, chat)
    run_step(scheduler)
    add(scheduler, completion)
    assert run_step(scheduler) == {completion: 2}
    assert scheduler.num_preempted == 1
    scheduler.remove(completion)
    assert run_step(scheduler) == {chat: 1}


def test_a_chat_does_not_take_the_place_of_a_completion() -> None:
    scheduler = make_scheduler(max_running=1)
    completion, chat = make_sequence([9, 9]), make_sequence([1, 2], priority="chat")
    add(scheduler, completion)
    run_step(scheduler)
    add(scheduler, chat)
    assert run_step(scheduler) == {completion: 1}


def test_the_least_urgent_makes_room_when_pages_run_out() -> None:
    scheduler = make_scheduler(num_pages=4, page_size=2)
    older, younger = make_sequence([1, 2, 3]), make_sequence([4, 5, 6])
    add(scheduler, older, younger)
    assert set(run_step(scheduler)) == {older, younger}
    assert set(run_step(scheduler)) == {older, younger}
    assert set(run_step(scheduler)) == {older}
    assert younger.lease is None
    scheduler.remove(older)
    assert set(run_step(scheduler)) == {younger}


def test_nobody_is_preempted_for_a_prompt_that_would_not_fit_even_then() -> None:
    scheduler = make_scheduler(num_pages=6, page_size=2)
    completion, chat = make_sequence([1] * 7), make_sequence([4, 5, 6], priority="chat")
    add(scheduler, completion, chat)
    run_step(scheduler)
    add(scheduler, make_sequence([8] * 7))
    run_step(scheduler)
    assert scheduler.num_preempted == 0


def test_a_waiting_chat_is_not_starved_by_a_stream_of_completions() -> None:
    scheduler = make_scheduler(max_running=1, aging_steps=5)
    chat = make_sequence([1, 2], priority="chat")
    add(scheduler, chat)
    for number in range(20):
        add(scheduler, make_sequence([number, 3]))
        ran = run_step(scheduler)
        if chat in ran:
            return
        for sequence in ran:
            scheduler.remove(sequence)
    raise AssertionError("the chat starved")


def test_background_work_takes_part_now_and_then_beside_a_chat() -> None:
    scheduler = make_scheduler(background_steps=4)
    background, chat = make_sequence([1, 2], priority="background"), make_sequence([3, 4], priority="chat")
    add(scheduler, background, chat)
    shares = [background in run_step(scheduler) for _ in range(16)]
    assert shares.count(True) == 4
    scheduler.remove(chat)
    assert all(background in run_step(scheduler) for _ in range(4))


def test_prefill_of_a_chat_yields_to_a_running_completion() -> None:
    scheduler = make_scheduler(max_step_tokens=64, yielding_tokens=8)
    completion, chat = make_sequence([1, 2]), make_sequence(list(range(40)), priority="chat")
    add(scheduler, completion, chat)
    assert run_step(scheduler) == {completion: 2, chat: 8}
    scheduler.remove(completion)
    assert run_step(scheduler) == {chat: 32}


def test_a_step_that_is_all_background_is_short() -> None:
    scheduler = make_scheduler(max_step_tokens=64, background_tokens=16)
    background = make_sequence(list(range(80)), priority="background")
    add(scheduler, background)
    assert run_step(scheduler) == {background: 16}
    completion = make_sequence(list(range(100, 180)))
    add(scheduler, completion)
    assert run_step(scheduler) == {completion: 64}


def test_what_is_cancelled_before_it_began_never_runs() -> None:
    scheduler = make_scheduler()
    sequence = make_sequence([1, 2])
    add(scheduler, sequence)
    scheduler.remove(sequence)
    assert scheduler.plan() == []


def test_a_full_queue_refuses_and_says_when_to_come_back() -> None:
    scheduler = make_scheduler(max_waiting=2)
    add(scheduler, make_sequence([1]), make_sequence([2]))
    with pytest.raises(Overloaded, match="2 requests are waiting") as caught:
        scheduler.add(make_sequence([3]))
    assert caught.value.retry_after_s == 1.0


def test_a_step_never_holds_more_tokens_than_allowed() -> None:
    scheduler = make_scheduler(max_step_tokens=9, max_running=4)
    add(scheduler, *(make_sequence([number] * 7) for number in range(4)))
    for _ in range(12):
        chunks: list[Chunk] = scheduler.plan()
        assert 0 < sum(chunk.num_tokens for chunk in chunks) <= 9
        for chunk in chunks:
            scheduler.commit(chunk)
            chunk.sequence.token_ids += [7] * chunk.num_logits


def test_a_draft_is_cut_to_the_pages_there_are() -> None:
    scheduler = make_scheduler(num_pages=2, page_size=2)
    add(scheduler, make_sequence([1, 2]))
    run_step(scheduler)
    (chunk,) = scheduler.plan()
    extended = scheduler.extend(chunk, (5, 6, 7))
    assert (extended.draft, extended.num_tokens, extended.num_logits) == ((5,), 2, 2)
    assert scheduler.extend(chunk, ()) == chunk
    roomy = make_scheduler(num_pages=3, page_size=2)
    add(roomy, make_sequence([1, 2]))
    run_step(roomy)
    (chunk,) = roomy.plan()
    assert roomy.extend(chunk, (5, 6, 7)).draft == (5, 6, 7)
    assert len(chunk.lease.pages) == 3


def test_rejected_drafts_are_not_counted_as_computed() -> None:
    scheduler = make_scheduler()
    sequence = make_sequence([1, 2])
    add(scheduler, sequence)
    run_step(scheduler)
    (chunk,) = scheduler.plan()
    chunk = scheduler.extend(chunk, (5, 6, 7))
    sequence.token_ids += [5, 8]
    scheduler.commit(chunk, num_rejected=2)
    assert sequence.num_computed == 4
    assert sequence.num_pending == 1
