"""Drafters for tests of the step loop: right for as long as a script says, then wrong."""

from collections.abc import Callable
from collections.abc import Sequence as Items

from heron.host.engine.draft import StepSpace
from heron.host.engine.sequence import Sequence


class ScriptedDrafter:
    """Guesses `answer_of(sequence)` from where it is, `length()` tokens, wrong from the `num_right()`th on."""

    def __init__(
        self, answer_of: Callable[[Sequence], list[int]], length: Callable[[], int], num_right: Callable[[], int]
    ) -> None:
        self._answer_of, self._length, self._num_right = answer_of, length, num_right
        self.learned: dict[Sequence, list[int]] = {}
        self.remembered: list[Sequence] = []
        self.spaces: list[StepSpace] = []
        self.steps: list[int] = []

    def draft(self, sequences: Items[Sequence], space: StepSpace) -> list[tuple[int, ...]]:
        self.spaces.append(space)
        room, drafts = space.room, []
        for sequence in sequences:
            guess = self._answer_of(sequence)[sequence.num_answered :][: min(self._length(), room)]
            right = self._num_right()
            drafts.append((*guess[:right], *(token_id % 2 + 1 for token_id in guess[right:])))
            room -= len(guess)
        return drafts

    def learn(self, sequence: Sequence, token_ids: list[int]) -> None:
        self.learned.setdefault(sequence, []).extend(token_ids)

    def observe_step(self, num_tokens: int, seconds: float) -> None:
        assert seconds > 0
        self.steps.append(num_tokens)

    def remember(self, sequence: Sequence) -> None:
        self.remembered.append(sequence)


def right_drafter(answer_of: Callable[[Sequence], list[int]], length: int = 4) -> ScriptedDrafter:
    """Always right."""
    return ScriptedDrafter(answer_of, lambda: length, lambda: length)
