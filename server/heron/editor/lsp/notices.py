"""What the user is told of a host that runs with less, or without a model: once each time, in words."""

from collections.abc import Callable

from heron.wire import Health

WITHOUT = "Heron goes on without a model for now and completes names that it knows."


class Notices:
    """Remembers what was shown, so that it is shown once; what is over may be shown again."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._shown = ""
        self._was_ready = False

    def hear(self, health: Health) -> None:
        """The host's state was read."""
        self._was_ready = self._was_ready or health.state == "ready"
        if health.state == "failed" and self._was_ready:
            self._tell(f"{health.message} {WITHOUT}".strip())
        elif health.state == "ready":
            self._tell(health.notice)

    def _tell(self, sentence: str) -> None:
        if sentence and sentence != self._shown:
            self._show(sentence)
        self._shown = sentence
