"""A sandbox for one command, of Linux namespaces: no network, nothing of the machine but its programs, strict limits.

`unshare` makes the namespaces; a script inside builds a root of its own and gives up every privilege before the command
starts. The workspace is a scratch overlay: the command may write to it, and nothing of that stays. Private files are
covered. A real root, as in containers, becomes nobody. See user_namespaces(7), mount_namespaces(7), pivot_root(2).
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import join

from heron.editor.tools.children import Command, Ended, run_child
from heron.editor.tools.sandbox_script import Room, write_script
from heron.editor.tools.threads import run_in_thread
from heron.editor.workspace.folders import Workspace
from heron.errors import InvalidRequest, NoPermission

MAX_COVERED = 2_000
MAX_ENTRIES = 500_000
_KERNEL = (5, 14)
"""From here on the number of processes is counted for each user namespace, and overlays need no privilege."""
_PROGRAMS = ("unshare", "mount", "umount", "pivot_root", "setpriv", "prlimit", "mkdir", "sh")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NAMESPACES = (
    "--mount",
    "--pid",
    "--net",
    "--ipc",
    "--uts",
    "--cgroup",
    "--fork",
    "--kill-child",
    "--propagation=private",
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, bytes of output kept, bytes of data one process may have, processes and threads, bytes it may write."""

    time_s: float = 60.0
    output_bytes: int = 100_000
    data_bytes: int = 2 << 30
    processes: int = 256
    scratch_bytes: int = 512 << 20


def find_obstacle() -> str:
    """Why there is no sandbox on this machine; empty if there may be one."""
    if sys.platform != "linux":
        return "commands need Linux for their sandbox"
    release = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2] if part.isdigit())
    if release < _KERNEL:
        return f"commands need Linux {_KERNEL[0]}.{_KERNEL[1]} or later for their sandbox"
    missing = [program for program in _PROGRAMS if shutil.which(program, path=_PATH) is None]
    return f"the sandbox of commands needs {', '.join(missing)} (util-linux)" if missing else ""


async def run_in_sandbox(workspace: Workspace, folder: Path, command: str, limits: Limits) -> Ended:
    """Run a shell command in a folder of the workspace. Raises NoPermission where no sandbox can be made."""
    if obstacle := find_obstacle():
        raise NoPermission(f"No command was run: {obstacle}.")
    covered = await run_in_thread(lambda: find_covered(workspace))
    with tempfile.TemporaryDirectory(prefix="heron-sandbox-") as made:
        base = Path(made)
        room = Room(base, workspace.folders, covered, folder, command, _make_limiter(limits), limits.scratch_bytes)
        (base / "root").mkdir()
        (base / "script").write_text(write_script(room, is_root=os.geteuid() == 0), encoding="utf-8")
        user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
        words = ("unshare", *user, *_NAMESPACES, "sh", str(base / "script"))
        ended = await run_child(Command(words, base, {"PATH": _PATH}, limits.time_s, limits.output_bytes))
        if not (base / "started").exists() and not ended.timed_out:
            reason = ended.output.strip()[-300:] or f"exit code {ended.exit_code}"
            raise NoPermission(f"No command was run: the sandbox cannot be made here ({reason}).")
    return ended


def find_covered(workspace: Workspace) -> tuple[Path, ...]:
    """What of the workspace a command must not see: private files and folders."""
    covered: list[Path] = []
    for path in _list_private(workspace):
        covered.append(path)
        if len(covered) > MAX_COVERED:
            raise InvalidRequest(f"No command was run: the workspace has more than {MAX_COVERED} private files.")
    return tuple(covered)


def _list_private(workspace: Workspace) -> Iterator[Path]:
    entries = 0
    for folder in workspace.folders:
        base = len(str(folder).rstrip("/")) + 1
        for here, folders, files in os.walk(folder):
            entries += len(folders) + len(files)
            if entries > MAX_ENTRIES:
                raise InvalidRequest(f"No command was run: the workspace has more than {MAX_ENTRIES} files.")
            private = {name for name in (*folders, *files) if workspace.is_private_name(f"{here}/{name}"[base:])}
            yield from (Path(here, name) for name in sorted(private) if not Path(here, name).is_symlink())
            folders[:] = [name for name in folders if name not in private]


def _make_limiter(limits: Limits) -> str:
    words = [
        f"--nproc={limits.processes}",
        f"--data={limits.data_bytes}",
        f"--fsize={limits.scratch_bytes}",
        f"--cpu={max(1, int(limits.time_s) + 1)}",
        "--core=0",
        "--nofile=1024",
    ]
    return join(["prlimit", *words])
