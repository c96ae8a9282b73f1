"""Settings: where they come from, and what is said of a wrong one."""

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.errors import InvalidSettings
from heron.settings import Settings, home_folder, load_settings, parse_settings, settings_schema


def test_defaults_without_a_file() -> None:
    assert load_settings() == Settings()


def test_later_sources_win(heron_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (heron_home / "config.toml").write_text('[model]\nname = "a"\n[completion]\nmax_tokens = 5\n')
    assert load_settings().model.name == "a"
    monkeypatch.setenv("HERON_MODEL", "b")
    assert load_settings().model.name == "b"
    loaded = load_settings({"model": {"name": "c"}})
    assert (loaded.model.name, loaded.completion.max_tokens) == ("c", 5)


def test_the_environment_names_a_host(heron_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (heron_home / "config.toml").write_text('[host]\nurl = "http://a"\ntoken = "of a"\n')
    monkeypatch.setenv("HERON_HOST_URL", "http://b")
    assert (load_settings().host.url, load_settings().host.token) == ("http://b", ""), (
        "no token is sent to another host"
    )
    monkeypatch.setenv("HERON_HOST_TOKEN", "of b")
    assert load_settings().host.token == "of b"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"engin": {}}, "Unknown setting 'engin'. Did you mean 'engine'?"),
        ({"engine": {"zzz": 1}}, "Unknown setting 'engine.zzz'. Known: device, instruction_set, threads"),
        ({"engine": {"threads": -1}}, "Setting engine.threads: -1 is outside 0 to 1024."),
        ({"engine": {"threads": 1.5}}, "Setting engine.threads: 1.5 is not a whole number."),
        ({"engine": {"threads": True}}, "Setting engine.threads: True is not a whole number."),
        ({"engine": {"instruction_set": "mmx"}}, "'mmx' is not one of auto, avx512-vnni, avx2, portable."),
        ({"engine": {"device": "gpu"}}, "Setting engine.device: 'gpu' is not one of auto, cpu, cuda, cuda:N"),
        ({"engine": {"device": "cuda:"}}, "Setting engine.device: 'cuda:' is not one of auto, cpu, cuda, cuda:N"),
        ({"engine": {"device": "cuda:01"}}, "Setting engine.device: 'cuda:01' is not one of"),
        ({"engine": {"device": "cuda:1\n"}}, "is not one of"),
        ({"engine": {"device": 1}}, "Setting engine.device: 1 is not a text."),
        ({"engine": 3}, "Setting engine: 3 is not a table of settings."),
        ({"model": {"name": 3}}, "Setting model.name: 3 is not a text."),
        ({"completion": {"enabled": "yes"}}, "Setting completion.enabled: 'yes' is not true or false."),
        ({"model": {"hub_timeout_s": float("nan")}}, "Setting model.hub_timeout_s: nan is outside 0.1 to 120."),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidSettings) as told:
        parse_settings(values)
    assert sentence in str(told.value)


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:0", "cuda:12", "metal"])
def test_devices(device: str) -> None:
    assert parse_settings({"engine": {"device": device}}).engine.device == device
    assert re.match(settings_schema()["properties"]["engine"]["properties"]["device"]["pattern"], device)


def test_whole_numbers_do_for_numbers() -> None:
    assert parse_settings({"host": {"idle_timeout_s": 60}}).host.idle_timeout_s == 60.0


@pytest.mark.parametrize("content", [b"[engine\n", b"\xff\xfe"])
def test_a_file_that_is_not_toml(heron_home: Path, content: bytes) -> None:
    (heron_home / "config.toml").write_bytes(content)
    with pytest.raises(InvalidSettings, match=r"config\.toml is not valid TOML"):
        load_settings()


def test_a_folder_in_the_files_place(heron_home: Path) -> None:
    (heron_home / "config.toml").mkdir()
    with pytest.raises(InvalidSettings, match=r"config\.toml cannot be read"):
        load_settings()


def test_home_is_what_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HERON_HOME", str(tmp_path / "x"))
    assert home_folder() == tmp_path / "x"
    monkeypatch.delenv("HERON_HOME")
    assert home_folder().is_absolute()


def test_lists_of_texts() -> None:
    assert parse_settings({"context": {"exclude": ["a", "b/"]}}).context.exclude == ("a", "b/")
    for wrong in ("a", [1], {"a": 1}, None):
        with pytest.raises(InvalidSettings, match=r"context\.exclude: .* is not a list of texts"):
            parse_settings({"context": {"exclude": wrong}})
    assert settings_schema()["properties"]["context"]["properties"]["exclude"]["type"] == "array"


def test_the_schema_has_the_defaults() -> None:
    for section, table in settings_schema()["properties"].items():
        for name, schema in table["properties"].items():
            default = getattr(getattr(Settings(), section), name)
            assert (list(default) if isinstance(default, tuple) else default) == schema["default"]
            assert schema["description"]


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.dictionaries(st.text(), x)))
def test_nothing_but_invalid_settings_is_raised(values: Any) -> None:
    with suppress(InvalidSettings):
        assert isinstance(parse_settings(values), Settings)
