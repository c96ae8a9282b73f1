"""Every escape of `escapes.toml` is tried with every tool; none may read, write, reach or end what is not its own."""

import asyncio
import json
import os
import socket
import subprocess
import threading
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heron.editor.tools.builtin import make_tools
from heron.editor.tools.consent import ConsentQuestion
from heron.editor.tools.registry import Registry
from heron.editor.tools.sandbox import find_obstacle
from heron.editor.tools.tool import Scene, ToolOutcome
from heron.editor.workspace.folders import open_workspace
from heron.settings import ToolsSettings
from heron.wire import ToolCall

CANARY = "CANARY-5d41402a"
ESCAPES = tomllib.loads(Path(__file__).with_name("escapes.toml").read_text(encoding="utf-8"))
PRIVATE = (
    *(".env", ".ENV", ".env.local", "config/prod.env", "id_rsa", "keys/server.pem", "keys/id_ed25519", ".git/config"),
    *(".git/logs/HEAD", ".git-credentials", ".npmrc", ".aws/credentials", "secrets.json"),
)
IGNORED = ("ignored.txt", "build/output.txt", "hidden-by-heron.txt")
LINKS = {
    "link-to-file": "../outside/secret.txt",
    "link-to-folder": "../outside",
    "link-to-link": "link-to-file",
    "absolute-link": "/etc/passwd",
    "link-to-environ": "/proc/self/environ",
    "link-to-root": "/",
    "src/deep-link": "../../outside/secret.txt",
    "loop": "loop",
    "link-to-env": ".env",
}
PLAIN = "print('hello')\n"


@dataclass(frozen=True)
class Ground:
    """A workspace full of traps, and what lies around it."""

    base: Path
    registry: Registry
    scene: Scene
    port: int
    accepted: list[object]
    victim: "subprocess.Popen[bytes]"

    def fill(self, text: str) -> str:
        places = {"{ws}": "ws", "{out}": "outside", "{home}": "home"}
        for mark, name in places.items():
            text = text.replace(mark, str(self.base / name))
        return (
            text.replace("{port}", str(self.port))
            .replace("{pid}", str(self.victim.pid))
            .replace("{{", "{")
            .replace("}}", "}")
        )

    async def call(self, tool: str, **arguments: object) -> ToolOutcome:
        return await self.registry.run(ToolCall("1", tool, json.dumps(arguments)), self.scene, permit)

    def state(self) -> dict[str, str]:
        """Every file on the ground with its content."""
        found = {}
        for here, _, files in os.walk(self.base):
            for path in (Path(here, name) for name in files):
                if path.is_file() and not path.is_symlink():
                    found[str(path)] = path.read_text()
        return found


async def permit(question: ConsentQuestion) -> bool:
    return True


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    base = Path(os.path.realpath(tmp_path_factory.mktemp("ground")))
    _lay_traps(base)
    os.environ["HERON_TEST_CANARY"] = CANARY
    victim = subprocess.Popen(["sleep", "600"], cwd=base / "outside")
    registry = Registry()
    for tool in make_tools(ToolsSettings(run_command=True, command_time_s=1.5)):
        registry.add(tool)
    accepted: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket(socket.AF_UNIX) as named:
        named.bind(os.path.relpath(base / "outside" / "listening"))
        named.listen()
        for server in (listening, named):
            threading.Thread(target=_accept, args=(server, accepted), daemon=True).start()
        scene = Scene(open_workspace([base / "ws"]))
        yield Ground(base, registry, scene, listening.getsockname()[1], accepted, victim)
    victim.kill()
    victim.wait()
    del os.environ["HERON_TEST_CANARY"]


def _lay_traps(base: Path) -> None:
    ws = base / "ws"
    secrets = [base / "outside/secret.txt", base / "ws-neighbour/secret.txt", base / "home/.ssh/id_rsa"]
    for path in (*secrets, *(ws / name for name in (*PRIVATE, *IGNORED))):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{CANARY}\n")
    (base / "home/.bashrc").write_text("")
    (ws / "src").mkdir()
    (ws / "src/main.py").write_text(PLAIN)
    (ws / ".gitignore").write_text("ignored.txt\nbuild/\n")
    (ws / ".heronignore").write_text("hidden-by-heron.txt\n")
    for name, target in LINKS.items():
        (ws / name).symlink_to(target)
    os.mkfifo(ws / "fifo")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(os.path.relpath(ws / "socket"))


def _accept(server: socket.socket, accepted: list[object]) -> None:
    with suppress(OSError):
        while True:
            connection, _ = server.accept()
            accepted.append(connection)


def test_there_are_enough_escapes() -> None:
    assert len(ESCAPES["paths"]) + len(ESCAPES["commands"]) >= 60
    assert len(set(ESCAPES["paths"])) == len(ESCAPES["paths"])


async def test_the_workspace_itself_can_be_read(ground: Ground) -> None:
    for path in ("src/main.py", str(ground.base / "ws/src/main.py"), f"file://{ground.base}/ws/src/main.py"):
        outcome = await ground.call("read_file", path=path)
        assert outcome.status == "ok"
        assert PLAIN.strip() in outcome.text


@pytest.mark.parametrize("escape", ESCAPES["paths"])
async def test_no_path_leads_out(ground: Ground, escape: str) -> None:
    path = ground.fill(escape)
    before = ground.state()
    read = await ground.call("read_file", path=path)
    assert read.status in ("error", "refused")
    outcomes = [
        read,
        await ground.call("document_outline", path=path),
        await ground.call("list_directory", path=path),
        await ground.call("diagnostics", path=path or "src"),
        await ground.call("git_diff", path=path),
        await ground.call("grep", pattern="CANARY", glob=path),
        await ground.call("run_command", command="cat secret.txt .env", folder=path),
        await ground.call("apply_edit", path=path, old_text="CANARY", new_text="x"),
        await ground.call("apply_edit", path=path, old_text="", new_text="x", start_line=1),
    ]
    assert not [outcome for outcome in outcomes if CANARY in repr(outcome)]
    assert not [edit for outcome in outcomes for edit in outcome.edits]
    assert ground.state() == before
    new = await ground.call("apply_edit", path=path, old_text="", new_text="x")
    assert all(edit.uri.startswith(f"file://{ground.base}/ws/") for edit in new.edits)
    assert not ground.accepted


async def test_searches_see_nothing_private(ground: Ground) -> None:
    for arguments in (
        {"pattern": "CANARY"},
        {"pattern": "C.*RY", "is_regex": True},
        {"pattern": "CANARY", "glob": "**"},
    ):
        assert (await ground.call("grep", **arguments)).text == "No matches."
    listed = (await ground.call("list_directory", path=".")).text.splitlines()
    assert listed == [".gitignore", ".heronignore", "config/", "fifo", "keys/", "socket", "src/"]


@pytest.mark.parametrize("escape", ESCAPES["commands"])
async def test_no_command_breaks_out(ground: Ground, escape: str) -> None:
    before = ground.state()
    outcome = await ground.call("run_command", command=ground.fill(escape))
    assert CANARY not in outcome.text
    assert ground.state() == before
    assert ground.victim.poll() is None
    assert not ground.accepted
    if outcome.status != "ok":
        assert "No command was run" in outcome.text, "without a sandbox commands are refused"


@pytest.mark.skipif(bool(find_obstacle()), reason=find_obstacle())
async def test_commands_run_and_what_they_write_is_gone(ground: Ground) -> None:
    outcome = await ground.call("run_command", command="cat src/main.py; echo new > new; cat new; exit 3")
    if "cannot be made here" in outcome.text:
        pytest.skip(outcome.text)
    assert outcome.text.splitlines()[:2] == ["Exit code 3.", PLAIN.strip()]
    assert not (ground.base / "ws/new").exists()


async def test_a_link_that_comes_and_goes_is_never_followed(ground: Ground) -> None:
    place, stop = ground.base / "ws/src/flips", threading.Event()

    def flip() -> None:
        aside = ground.base / "aside"
        while not stop.is_set():
            aside.symlink_to(ground.base / "outside/secret.txt")
            aside.rename(place)
            aside.write_text(PLAIN)
            aside.rename(place)

    flipping = threading.Thread(target=flip)
    flipping.start()
    try:
        outcomes = [await ground.call("read_file", path="src/flips") for _ in range(150)]
    finally:
        stop.set()
        flipping.join()
        place.unlink()
    assert not [outcome for outcome in outcomes if CANARY in outcome.text]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                ["..", ".", "/", "//", "outside", "secret.txt", ".env", "src", "link-to-folder", "loop", "~"]
            ),
            st.sampled_from(["file://", "%2e%2e", "\\", "\0", "link-to-root", "proc", "self", "root", "keys", "ws"]),
            st.text(max_size=5),
        ),
        max_size=8,
    ),
    st.sampled_from(["", "/"]),
)
def test_no_made_up_path_leads_out(ground: Ground, parts: list[str], glue: str) -> None:
    path = glue.join(parts)
    outcome = asyncio.run(ground.call("read_file", path=path))
    assert CANARY not in outcome.text
    assert outcome.status != "ok" or all(
        reference.uri.startswith(f"file://{ground.base}/ws/") for reference in outcome.references
    )
