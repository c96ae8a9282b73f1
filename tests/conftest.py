"""What tests share: a home of their own, and the real models, fetched once by the product itself."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from homes import CODER, SMALL, STORE, environment
from mlc_package import has_real_package

settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("any machine")  # a slow machine is no fault, and CI tries the same examples each time


def pytest_report_header() -> str:
    """Say whether MLC-LLM itself is tested against."""
    return f"mlc_llm: {'the real package' if has_real_package() else 'not installed, its stand-in takes its place'}"


@pytest.fixture(autouse=True)
def heron_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home for each test; nothing of the user's own is read or written."""
    home = tmp_path_factory.mktemp("home")
    for name in [name for name in os.environ if name.startswith("HERON_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HERON_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def stored_models() -> dict[str, Path]:
    """The real models by name, kept in the checkout's `.heron` folder, which git ignores, from one run to the next."""
    from heron.host.models.catalog import find_model
    from heron.host.models.fetch import ensure_model
    from heron.host.models.store import Store
    from heron.settings import ModelSettings

    store = Store(STORE)
    fetched = {}
    for name in (SMALL, CODER):
        fetched[name] = ensure_model(find_model(name), store, ModelSettings(), lambda progress: None)
    return fetched


@pytest.fixture(scope="session")
def model_home(stored_models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One home a session for tests with real models: they are stored, everything else is made in this session.

    Its host, if a test left one running, is stopped at the end.
    """
    home = tmp_path_factory.mktemp("model-home")
    (home / "models").symlink_to(STORE / "models")
    (home / "config.toml").write_text("[host]\nresponse_cache_mb = 0\n")  # who asks twice wants the model twice
    yield home
    subprocess.run([sys.executable, "-m", "heron", "host", "--stop"], env=environment(home), check=True)
