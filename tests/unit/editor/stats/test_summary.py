from hypothesis import given
from hypothesis import strategies as st

from heron.editor.stats.store import Record
from heron.editor.stats.summary import summarize


def test_figures_by_language_and_of_all() -> None:
    records = [
        *(Record("python", "inline", 10, float(number), "rejected") for number in range(1, 19)),
        Record("python", "inline", 10, 19.0, "accepted", 10, 5),
        Record("python", "popup", 10, 20.0, "partly", 4),
        Record("go", "inline", 3, 7.0, "typed"),
    ]
    python, go, whole = summarize(records)
    assert (python.language, python.shown, python.accepted, python.partly, python.rejected) == ("python", 20, 1, 1, 18)
    assert (python.acceptance, python.kept, python.accepted_chars) == (0.1, 0.5, 14)
    assert (python.latency_p50_ms, python.latency_p90_ms, python.latency_p95_ms) == (10.0, 18.0, 19.0)
    assert (go.typed, go.acceptance, go.kept) == (1, 0.0, None)
    assert (whole.language, whole.shown) == ("all", 21)


def test_nothing_has_no_figures() -> None:
    assert summarize([]) == ()


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_percentiles_are_values_that_were_measured(latencies: list[float]) -> None:
    figures = summarize([Record("a", "inline", 1, value) for value in latencies])[-1]
    known = {round(value, 2) for value in latencies}
    assert {figures.latency_p50_ms, figures.latency_p90_ms, figures.latency_p95_ms} <= known
    assert figures.latency_p50_ms <= figures.latency_p90_ms <= figures.latency_p95_ms
