"""Which local model stands behind a remote server, and what happens where there is none."""

from pathlib import Path

import pytest

from heron.errors import HostUnreachable
from heron.host.engine.remote_load import choose_fallback, load_remote
from heron.settings import EngineSettings, ModelSettings, Settings

FAR = EngineSettings(remote_url="http://127.0.0.1:1")
SMALL, CODER = "smollm2-135m-instruct", "qwen2.5-coder-0.5b-instruct"


@pytest.mark.parametrize(
    ("here", "named", "chosen"),
    [
        ((SMALL, CODER), CODER, CODER),
        ((SMALL, CODER), SMALL, SMALL),
        ((SMALL,), "a model of the server's", SMALL),
        ((SMALL,), "auto", SMALL),
        ((), "auto", None),
        ((), SMALL, None),
    ],
)
def test_only_a_model_that_is_here_is_taken(
    here: tuple[str, ...], named: str, chosen: str | None, heron_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heron.host.engine.remote_load.list_installed", lambda: here)
    found = choose_fallback(Settings(model=ModelSettings(named), engine=FAR))
    if chosen is None:
        assert found is None
    else:
        assert found is not None
        assert (found.model.name, found.engine.remote_url) == (chosen, "")


def test_without_one_an_unreachable_server_is_told(heron_home: Path) -> None:
    with pytest.raises(HostUnreachable, match="does not answer"):
        load_remote(Settings(engine=FAR), lambda health: None, "Because.")
