"""Starting the process that scans, following it, and ending it."""

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from heron.editor.context.index.symbol import Progress
from heron.editor.workspace.folders import Workspace
from heron.errors import SystemFault

logger = logging.getLogger(__name__)

WORKERS = 2
_COMMAND = (sys.executable, "-P", "-m", "heron.editor.context.index.scan_process")


class Scanner:
    """At most one scan of one index at a time."""

    def __init__(self, path: Path, workspace: Workspace) -> None:
        self._path = path
        self._workspace = workspace
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._closed = False

    def scan(self, report: Callable[[Progress], None]) -> bool:
        """Bring the index in line with the disk; blocks. False if `close` ended it. Raises SystemFault if it failed."""
        with self._lock:
            if self._closed:
                return False
            process = self._process = self._start()
        try:
            return self._follow(process, report)
        finally:
            _release(process)

    def close(self) -> None:
        """End a running scan; what it has written stays."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._process.kill()

    def _start(self) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdin is not None
        folders = [str(folder) for folder in self._workspace.folders]
        task = {"path": str(self._path), "folders": folders, "exclude": self._workspace.exclude, "workers": WORKERS}
        process.stdin.write(json.dumps(task) + "\n")
        process.stdin.flush()
        return process

    def _follow(self, process: "subprocess.Popen[str]", report: Callable[[Progress], None]) -> bool:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            report(Progress(*json.loads(line)))
        complaint = process.stderr.read()
        code = process.wait()
        if code and not self._closed:
            raise SystemFault(f"The scan of the workspace ended with code {code}: {complaint.strip()[-500:]}")
        return code == 0


def _release(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()
