"""One line of `heron doctor`'s report."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. With a `problem`, `remedy` says what to do."""

    section: str
    name: str
    value: str
    problem: str = ""
    remedy: str = ""
