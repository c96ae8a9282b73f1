from heron.editor.lsp.notices import WITHOUT, Notices
from heron.wire import Health

LESS = "Memory ran out. The model runs with a smaller context window until that is over."


def told(*states: Health) -> list[str]:
    shown: list[str] = []
    notices = Notices(shown.append)
    for health in states:
        notices.hear(health)
    return shown


def ready(notice: str = "") -> Health:
    return Health("ready", "m", notice=notice)


def test_running_with_less_is_told_once_and_again_when_it_comes_again() -> None:
    assert told(ready(), ready(LESS), ready(LESS), Health("loading", "m", notice=LESS), ready(LESS)) == [LESS]
    assert told(ready(LESS), ready(), ready(LESS)) == [LESS, LESS]


def test_a_model_that_is_given_up_is_told_of_with_what_is_done_without_it() -> None:
    gone = Health("failed", "m", "The engine worker ended 5 times.")
    assert told(ready(), gone, gone) == [f"The engine worker ended 5 times. {WITHOUT}"]


def test_one_that_never_was_there_is_the_status_alone() -> None:
    assert told(Health("loading", "m"), Health("failed", "m", "No network.")) == []
