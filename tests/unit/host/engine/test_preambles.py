"""What conversations begin with in common."""

from heron.host.engine.preambles import Preambles

SYSTEM = list(range(100))


def test_conversations_that_part_share_what_came_before() -> None:
    preambles = Preambles()
    assert preambles.find([*SYSTEM, 1, *range(200, 240)]) == 0
    assert preambles.find([*SYSTEM, 2, *range(300, 340)]) == len(SYSTEM)


def test_the_next_turn_of_a_conversation_shares_nothing() -> None:
    preambles = Preambles()
    first = [*SYSTEM, *range(200, 240)]
    preambles.find(first)
    assert preambles.find([*first, *range(300, 340)]) == 0
    assert preambles.find([*first, *range(300, 340), *range(400, 420)]) == 0


def test_little_in_common_is_not_worth_it() -> None:
    preambles = Preambles()
    preambles.find([1, 2, 3, *range(200, 240)])
    assert preambles.find([1, 2, 3, *range(300, 340)]) == 0


def test_only_the_last_conversations_are_remembered() -> None:
    preambles = Preambles()
    preambles.find([*SYSTEM, *range(200, 240)])
    for number in range(8):
        preambles.find([1000 + number] * 50)
    assert preambles.find([*SYSTEM, *range(300, 340)]) == 0
