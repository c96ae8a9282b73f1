"""Which file tests of a source file belong in, by the conventions of its language and the folders there are."""

from collections.abc import Callable
from pathlib import PurePosixPath
from urllib.parse import quote, unquote

Exists = Callable[[str], bool]
"""Whether there is a file or folder at a URI."""

_SCHEME = "file://"
_MAX_ABOVE = 12


def find_test_file(uri: str, language: str, exists: Exists) -> str | None:
    """The URI of the test file, which may not exist yet; None for a language whose tests Heron does not place.

    Rust's unit tests stand in the file itself.
    """
    path = PurePosixPath(unquote(uri.removeprefix(_SCHEME)))
    match language:
        case "python":
            return _uri(_python(path, exists))
        case "javascript" | "typescript" | "tsx":
            return _uri(_javascript(path, exists))
        case "go":
            return _uri(path.with_name(f"{path.stem}_test.go"))
        case "java":
            return _uri(_java(path))
        case "rust":
            return uri
        case _:
            return None


def _python(path: PurePosixPath, exists: Exists) -> PurePosixPath:
    """`tests/` above, with the folders it mirrors as far as they are there; else beside the source."""
    name = f"test_{path.stem.lstrip('_')}.py"
    if exists(_uri(path.with_name(name))):
        return path.with_name(name)
    for above in list(path.parents)[:_MAX_ABOVE]:
        for folder in (above / "tests" / "unit", above / "tests", above / "test"):
            if exists(_uri(folder)):
                return _mirrored(folder, path.parent.relative_to(above), exists) / name
        if exists(_uri(above / ".git")):
            break
    return path.with_name(name)


def _mirrored(folder: PurePosixPath, relative: PurePosixPath, exists: Exists) -> PurePosixPath:
    """The deepest folder below `folder` that repeats the end of a source's path: `src/shop` may be `tests/shop`."""
    for skipped in range(len(relative.parts)):
        candidate = folder.joinpath(*relative.parts[skipped:])
        if exists(_uri(candidate)):
            return candidate
    return folder


def _javascript(path: PurePosixPath, exists: Exists) -> PurePosixPath:
    """`__tests__` beside the source, `.spec` where a spec of that name is there, else `.test` beside it."""
    if exists(_uri(path.with_name(f"{path.stem}.spec{path.suffix}"))):
        return path.with_name(f"{path.stem}.spec{path.suffix}")
    name = f"{path.stem}.test{path.suffix}"
    if exists(_uri(path.parent / "__tests__")):
        return path.parent / "__tests__" / name
    for above in list(path.parents)[:_MAX_ABOVE]:
        if exists(_uri(above / "package.json")):
            folder = next((above / part for part in ("tests", "test") if exists(_uri(above / part))), None)
            return folder / name if folder else path.with_name(name)
    return path.with_name(name)


def _java(path: PurePosixPath) -> PurePosixPath:
    """Maven's and Gradle's layout, else beside the source."""
    parts = list(path.parts)
    for number in range(len(parts) - 1):
        if parts[number : number + 2] == ["src", "main"]:
            parts[number + 1] = "test"
            break
    return PurePosixPath(*parts).with_name(f"{path.stem}Test.java")


def _uri(path: PurePosixPath) -> str:
    return _SCHEME + quote(str(path))
