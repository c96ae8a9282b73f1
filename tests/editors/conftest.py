"""One code-server for all tests of VS Code, and the end of a host that an editor started."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from editors.vscode import CodeServer, run_code_server
from homes import environment


@pytest.fixture(scope="session")
def code_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CodeServer]:
    with run_code_server(tmp_path_factory.mktemp("code-server")) as server:
        yield server


@pytest.fixture
def host_stopped(heron_home: Path) -> Iterator[None]:
    """The host that a test started leaves after it."""
    yield
    subprocess.run([sys.executable, "-m", "heron", "host", "--stop"], env=environment(heron_home), check=True)
