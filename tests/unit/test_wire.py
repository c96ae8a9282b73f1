"""What crosses the wings is plain frozen data."""

import dataclasses
import inspect
import sys

import pytest

from heron import wire

CLASSES = [item for _, item in inspect.getmembers(wire, inspect.isclass) if item.__module__ == wire.__name__]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_frozen_slotted_data_without_behaviour(kind: type) -> None:
    assert dataclasses.is_dataclass(kind)
    assert kind.__dataclass_params__.frozen
    assert "__slots__" in vars(kind)
    assert not [name for name, member in vars(kind).items() if inspect.isfunction(member) and not name.startswith("_")]


def test_imports_only_the_standard_library() -> None:
    source = inspect.getsource(wire)
    modules = [line.split()[1] for line in source.splitlines() if line.startswith(("import ", "from "))]
    assert all(name.split(".")[0] in sys.stdlib_module_names for name in modules)


def test_defaults_are_greedy() -> None:
    sampling = wire.Sampling()
    assert (sampling.temperature, sampling.top_p, sampling.top_k, sampling.seed) == (0.0, 1.0, 0, None)
