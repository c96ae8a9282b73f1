"""Opening a located path so that no change on the way can lead elsewhere, and reading text from it."""

import errno
import os
import stat
from pathlib import Path

from heron.editor.workspace.folders import Workspace
from heron.errors import InvalidRequest, NoPermission, OutsideWorkspace

MAX_FILE_BYTES = 2_000_000
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def read_text(workspace: Workspace, path: Path, max_bytes: int = MAX_FILE_BYTES) -> str:
    """The text of a located file, undecodable bytes replaced, line ends as they are.

    Not redacted. Raises InvalidRequest for what is private, missing, no regular file, binary or too large.
    """
    shown = workspace.relative(path)
    if workspace.is_private(path):
        raise InvalidRequest(f"{shown!r} is private and never read.", param="path")
    content = read_bytes(workspace, path, max_bytes + 1)
    if len(content) > max_bytes:
        raise InvalidRequest(f"{shown!r} is larger than {max_bytes} bytes.", param="path")
    if b"\0" in content:
        raise InvalidRequest(f"{shown!r} is not a text file.", param="path")
    return content.decode("utf-8", "replace")


def read_bytes(workspace: Workspace, path: Path, limit_bytes: int) -> bytes:
    """The first `limit_bytes` of a located file."""
    with os.fdopen(open_inside(workspace, path), "rb") as file:
        return file.read(limit_bytes)


def open_inside(workspace: Workspace, path: Path, flags: int = os.O_RDONLY) -> int:
    """A descriptor of the regular file at a located path; with `O_CREAT` it may be new, its folder may not.

    Each part is opened below the one before and none may be a symbolic link, so that a link put there after `locate`
    leads nowhere. The caller closes it. Raises OutsideWorkspace, InvalidRequest or NoPermission.
    """
    folder = workspace.folder_of(path)
    if folder is None or path == folder:
        raise OutsideWorkspace(f"{str(path)!r} is not a file inside the workspace.")
    *above, name = path.relative_to(folder).parts
    try:
        return _open_below(folder, above, name, flags & ~os.O_TRUNC)
    except OSError as error:
        raise _explain(error, workspace.relative(path)) from error


def _open_below(folder: Path, above: list[str], name: str, flags: int) -> int:
    parent = os.open(folder, _FOLDER_FLAGS)
    try:
        for part in above:
            below = os.open(part, _FOLDER_FLAGS, dir_fd=parent)
            os.close(parent)
            parent = below
        # A fifo would block until someone writes to it.
        safe = flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        opened = os.open(name, safe, 0o666, dir_fd=parent)
    finally:
        os.close(parent)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise OSError(errno.EINVAL, "not a regular file")
    return opened


def _explain(error: OSError, shown: str) -> Exception:
    if error.errno in (errno.ELOOP, errno.EMLINK):
        return OutsideWorkspace(f"{shown!r} became a symbolic link while it was opened.")
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return InvalidRequest(f"There is no file {shown!r}.", param="path")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return NoPermission(f"{shown!r} may not be opened.")
    return InvalidRequest(f"{shown!r} is not a readable file ({error.strerror}).", param="path")
