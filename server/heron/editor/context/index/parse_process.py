"""A process that reads batches of files for a scan: pickled batches on stdin, pickled facts on stdout."""

import pickle
import sys
from typing import BinaryIO

from heron.editor.context.index.scan import read_here
from heron.editor.workspace.folders import Workspace


def serve(source: BinaryIO, target: BinaryIO) -> None:
    """Answer each batch until the scan closes the pipe, or is gone."""
    workspace = Workspace(*pickle.load(source))
    while True:
        try:
            batch = pickle.load(source)
        except EOFError:
            return
        pickle.dump(list(read_here(workspace, batch)), target, pickle.HIGHEST_PROTOCOL)
        target.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
