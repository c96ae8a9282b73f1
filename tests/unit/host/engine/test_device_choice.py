"""Where a model runs, by what was asked for, what cards there are, and whether the model fits them."""

from pathlib import Path

import pytest

from heron.errors import OutOfMemory, ResourceError, UnsupportedModel
from heron.host.compiler.gpu.cards import Card, Survey
from heron.host.compiler.gpu.metal_survey import MetalSurvey
from heron.host.engine.cuda_engine import check_fit
from heron.host.engine.device_choice import Place, Surveys, choose_place
from heron.settings import EngineSettings
from unit.host.compiler.tiny_decoders import FAMILIES, TINIEST, write_decoder

SMALL = Card(0, "Small", (8, 6), 4_000_000_000, 8_000_000_000)
LARGE = Card(1, "Large", (9, 0), 70_000_000_000, 80_000_000_000)
OLD = Card(2, "Old", (7, 5), 90_000_000_000, 90_000_000_000)
NO_METAL = MetalSurvey("only Apple's systems have Metal; this is Linux", "Use auto or cpu.")
NOTHING = Survey((), "no NVIDIA driver was found", "Install it.")


def choose(setting: str, found: Survey, too_small: tuple[Card, ...] = (), metal: MetalSurvey = NO_METAL) -> Place:
    def fit(card: Card) -> None:
        if card in too_small:
            raise OutOfMemory(f"{card.name} has no room.")

    return choose_place(setting, fit, Surveys(lambda: found, lambda: metal))


def test_auto_takes_the_card_with_the_most_room() -> None:
    place = choose("auto", Survey((SMALL, LARGE)))
    assert place.card == LARGE
    assert place.reason == "The model runs on cuda:1 (Large, sm_90, 70.0 of 80.0 GB free)."
    assert choose("auto", Survey((SMALL, LARGE)), too_small=(LARGE,)).card == SMALL


def test_auto_says_why_it_takes_the_cpu() -> None:
    assert choose("auto", NOTHING) == Place("cpu", "The model runs on the CPU: no NVIDIA driver was found.")
    broken = Survey((LARGE,), "no CUDA compiler was found", "Install it.")
    assert choose("auto", broken) == Place("cpu", "The model runs on the CPU: no CUDA compiler was found.")
    refused = choose("auto", Survey((SMALL, OLD)), too_small=(SMALL,))
    assert refused.card is None
    assert "Old" in refused.reason
    assert "is too old: Heron's kernels need sm_80 or newer; Small has no room." in refused.reason


def test_the_cpu_asks_for_no_card() -> None:
    def refuse() -> Survey:
        raise AssertionError("nobody asked for a card")

    assert choose_place("cpu", lambda card: None, Surveys(refuse)).kind == "cpu"


@pytest.mark.parametrize(("setting", "card"), [("cuda", LARGE), ("cuda:0", SMALL), ("cuda:1", LARGE)])
def test_a_named_card_is_taken(setting: str, card: Card) -> None:
    assert choose(setting, Survey((SMALL, LARGE))).card == card


def test_cuda_without_a_number_takes_a_card_that_fits() -> None:
    assert choose("cuda", Survey((SMALL, LARGE)), too_small=(LARGE,)).card == SMALL


@pytest.mark.parametrize(
    ("setting", "found", "sentence"),
    [
        ("cuda", NOTHING, "engine.device is cuda, but no NVIDIA driver was found. Install it."),
        ("cuda:1", Survey((SMALL,)), "engine.device is cuda:1, which is not there. Found: cuda:0 (Small, sm_86"),
        ("cuda", Survey((SMALL,), "no compiler was found", "Get one."), "but no compiler was found. Found: cuda:0"),
        ("cuda", Survey((OLD,)), "is too old: Heron's kernels need sm_80"),
    ],
)  # fmt: skip
def test_a_named_device_that_cannot_be_used_is_an_error(setting: str, found: Survey, sentence: str) -> None:
    with pytest.raises(ResourceError) as told:
        choose(setting, found)
    assert sentence in str(told.value)


def test_a_named_card_without_room_is_an_error() -> None:
    with pytest.raises(OutOfMemory, match="Small has no room"):
        choose("cuda:0", Survey((SMALL, LARGE)), too_small=(SMALL,))


def test_metal_is_taken_where_it_is_named() -> None:
    for setting in ("metal", "metal:0"):
        assert choose(setting, NOTHING, metal=MetalSurvey()).kind == "metal"
    with pytest.raises(ResourceError, match=r"metal:1, which is not there. A Mac has only metal:0"):
        choose("metal:1", NOTHING, metal=MetalSurvey())
    with pytest.raises(ResourceError, match=r"engine.device is metal, but only Apple's systems have Metal"):
        choose("metal", NOTHING)


def test_auto_says_that_metal_could_be_tried() -> None:
    place = choose("auto", NOTHING, metal=MetalSurvey())
    assert place.kind == "cpu"
    assert 'engine.device = "metal" tries this Mac\'s GPU' in place.reason


def test_what_a_model_needs_is_held_against_the_cards_free_memory(tmp_path: Path) -> None:
    model, full = write_decoder(tmp_path / "tiny.gguf", TINIEST), Card(0, "Full", (9, 0), 600_000_000, 8_000_000_000)
    check_fit(model, EngineSettings(), SMALL)
    with pytest.raises(OutOfMemory, match=r"cuda:0 \(Full.* needs at least \d+ MB .* has 300 MB .*600 MB are free"):
        check_fit(model, EngineSettings(), full)
    other = write_decoder(tmp_path / "other.gguf", FAMILIES["gemma3"])
    with pytest.raises(UnsupportedModel, match="gemma3"):
        check_fit(other, EngineSettings(), LARGE)


@pytest.mark.parametrize("device", ["metal:0", "vulkan:0", "rocm"])
def test_a_device_of_another_kind_never_means_a_card(device: str) -> None:
    with pytest.raises(ResourceError, match=f"engine.device is {device.partition(':')[0]}"):
        choose(device, Survey((SMALL,)))
