"""What keeps Metal from being used is told, with what to do about it."""

import platform
import shutil

import pytest

from heron.host.compiler.gpu import metal_device
from heron.host.compiler.gpu.metal_survey import survey_metal


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A Mac as far as `survey_metal` can tell, but for what it asks TVM."""
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    return monkeypatch


def test_other_systems_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    assert survey_metal().problem == "only Apple's systems have Metal; this is Windows"


def test_an_intel_mac_is_refused(mac: pytest.MonkeyPatch) -> None:
    mac.setattr(platform, "machine", lambda: "x86_64")
    assert "Apple silicon" in survey_metal().problem


def test_a_missing_linker_is_told_with_a_remedy(mac: pytest.MonkeyPatch) -> None:
    mac.setattr(shutil, "which", lambda name: None)
    found = survey_metal()
    assert "no C compiler" in found.problem
    assert "xcode-select --install" in found.remedy


@pytest.mark.parametrize(("sees", "problem"), [(True, ""), (False, "TVM sees no GPU by Metal")])
def test_tvm_has_the_last_word(mac: pytest.MonkeyPatch, sees: bool, problem: str) -> None:
    mac.setattr(metal_device, "has_metal_device", lambda: sees)
    assert survey_metal().problem == problem
