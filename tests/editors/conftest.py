"""One code-server for all tests of VS Code."""

from collections.abc import Iterator

import pytest

from editors.vscode import CodeServer, run_code_server


@pytest.fixture(scope="session")
def code_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CodeServer]:
    with run_code_server(tmp_path_factory.mktemp("code-server")) as server:
        yield server
