"""The stages of a model that comes, as they are reported."""

from io import StringIO

from rich.console import Console

from heron.commands.stages import show_stages
from heron.wire import Health


def console() -> Console:
    return Console(file=StringIO(), force_terminal=False)


def test_each_stage_is_timed_and_told_once() -> None:
    out = console()
    with show_stages(out) as stages:
        stages.report(Health("starting"))
        stages.report(Health("downloading", "m", "from somewhere", 0.1))
        stages.report(Health("downloading", "m", "from somewhere", 0.9))
        stages.report(Health("compiling", "m"))
        stages.report(Health("loading", "m", fraction=0.5))
        stages.report(Health("ready", "m"))
    assert list(stages.seconds) == ["start the host", "fetch the model", "compile for this CPU", "load the weights"]
    assert all(seconds >= 0 for seconds in stages.seconds.values())
    told = [line.partition(":")[0] for line in out.file.getvalue().splitlines()]
    assert told == list(stages.seconds)


def test_a_stage_that_comes_back_is_added_up() -> None:
    with show_stages(console()) as stages:
        for state in ("loading", "starting", "loading", "ready"):
            stages.report(Health(state))
    assert list(stages.seconds) == ["load the weights", "start the host"]


def test_a_model_that_is_ready_has_no_stages() -> None:
    out = console()
    with show_stages(out) as stages:
        stages.report(Health("ready", "m"))
    assert not stages.seconds
    assert out.file.getvalue() == ""


def test_a_terminal_gets_bars() -> None:
    out = Console(file=StringIO(), force_terminal=True, width=80)
    with show_stages(out) as stages:
        stages.report(Health("downloading", "m", "from [the] registry", 0.5))
    assert "fetch the model" in out.file.getvalue()
    assert "from [the] registry" in out.file.getvalue()


def test_a_picture_gets_lines() -> None:
    out = Console(file=StringIO(), force_terminal=True, record=True, width=80)
    with show_stages(out) as stages:
        stages.report(Health("downloading", "m", fraction=0.5))
        stages.report(Health("ready", "m"))
    assert out.export_text().startswith("fetch the model: ")
