"""Which files an import may mean. Python, JavaScript and TypeScript, Go, Rust, Java and C by their own rules.

Nothing is looked up outside of the index: a module that is not in the workspace has no files.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

ENDINGS = (".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".vue", ".svelte")
MAX_GUESSES = 12
_VERSION = re.compile(r"v\d+")


@dataclass(frozen=True, slots=True)
class Guess:
    """A file, or the files right in a folder, by its whole path or by the end of it, which begins with a slash."""

    kind: Literal["file", "file_end", "folder", "folder_end"]
    path: str


def guess_files(language: str, from_path: str, module: str, name: str) -> list[Guess]:
    """What `name` of `module` may be defined in, most likely first; empty for a language without rules."""
    rule = rules().get(language)
    return list(dict.fromkeys(rule(from_path, module, name)))[:MAX_GUESSES] if rule else []


def rules() -> Mapping[str, Callable[[str, str, str], Iterator[Guess]]]:
    """The rule of each language: from path, module and name to guesses."""
    return {
        **{"python": _python, "javascript": _script, "typescript": _script, "tsx": _script, "go": _go, "rust": _rust},
        **{"vue": _script, "svelte": _script},
        **{"java": _java, "c": _include, "cpp": _include, "ruby": _ruby, "php": _php, "lua": _lua, "bash": _bash},
    }


def _python(from_path: str, module: str, name: str) -> Iterator[Guess]:
    dots = len(module) - len(module.lstrip("."))
    below = "/".join(part for part in module.lstrip(".").split(".") if part)
    folder = os.path.dirname(from_path)
    for _ in range(dots - 1):
        folder = os.path.dirname(folder)
    base = f"{folder if dots else ''}/{below}".rstrip("/")
    tails = [".py", "/__init__.py", ".pyi"]
    if name and name != "*":
        tails += [f"/{name}.py", f"/{name}/__init__.py"]
    yield from (Guess("file" if dots else "file_end", base + tail) for tail in tails)


def _script(from_path: str, module: str, name: str) -> Iterator[Guess]:
    if module.startswith("."):
        base = os.path.normpath(os.path.join(os.path.dirname(from_path), module))
        yield from (Guess("file", path) for path in _script_files(base))
    elif module:
        # An alias of the bundler (`@/x`, `~/x`), a path from the root, or a package of the same repository.
        inner = module.lstrip("@~#/") if module[:2] in ("@/", "~/", "#/") else module
        yield from (Guess("file_end", path) for path in _script_files(f"/{inner}"))
        package = inner.rpartition("/")[2]
        yield from (Guess("file_end", f"/{package}/{source}.ts") for source in ("src/index", "index", "lib/index"))


def _script_files(base: str) -> Iterator[str]:
    stem, ending = os.path.splitext(base)
    if ending in ENDINGS:
        yield base
        if ending in (".js", ".mjs", ".jsx"):  # TypeScript imports the file that will be compiled
            yield stem + ending.replace("js", "ts")
            yield f"{stem}.tsx"
        return
    yield from (base + ending for ending in ENDINGS[:5])
    yield from (f"{base}/index{ending}" for ending in ENDINGS[:5])


def _go(from_path: str, module: str, name: str) -> Iterator[Guess]:
    """A package is a folder; its import path ends as the folder's path does, after the module's name and version."""
    parts = module.strip('"').split("/")
    for told in (parts, [part for part in parts if not _VERSION.fullmatch(part)]):
        ends = ["/" + "/".join(told[start:]) for start in range(max(0, len(told) - 4), len(told))]
        yield from (Guess("folder_end", end) for end in ends if not _VERSION.fullmatch(end[1:]))


def _rust(from_path: str, module: str, name: str) -> Iterator[Guess]:
    parts = [part for part in module.split("::") if part]
    folder, stem = os.path.dirname(from_path), os.path.basename(from_path).removesuffix(".rs")
    here = folder if stem in ("mod", "lib", "main") else f"{folder}/{stem}"
    while parts and parts[0] in ("self", "super"):
        here = os.path.dirname(here) if parts.pop(0) == "super" else here
        yield from _rust_files("file", "/".join([here, *parts]), name)
    if not parts:
        return
    if parts[0] == "crate":
        root = folder[: folder.rfind("/src") + 4] if "/src" in folder else folder
        yield from _rust_files("file", "/".join([root, *parts[1:]]), name)
    else:
        crate = f"/{parts[0].replace('_', '-')}/src"
        yield from _rust_files("file", "/".join([here, *parts]), name)
        yield from _rust_files("file_end", "/".join([crate, *parts[1:]]), name)


def _rust_files(kind: Literal["file", "file_end"], base: str, name: str) -> Iterator[Guess]:
    tails = [".rs", "/mod.rs", *([f"/{name}.rs"] if name and name != "*" else []), "/lib.rs", "/main.rs"]
    yield from (Guess(kind, base + tail) for tail in tails)


def _java(from_path: str, module: str, name: str) -> Iterator[Guess]:
    folder = "/" + module.replace(".", "/")
    if name == "*":
        yield Guess("folder_end", folder)
    yield Guess("file_end", f"{folder}/{name}.java")
    yield Guess("file_end", f"{folder}.java")  # a static import: the class is the last part of the module


def _include(from_path: str, module: str, name: str) -> Iterator[Guess]:
    beside = os.path.normpath(os.path.join(os.path.dirname(from_path), module))
    stem = os.path.splitext(module.lstrip("./"))[0]
    yield Guess("file", beside)
    yield Guess("file_end", "/" + module.lstrip("./"))
    yield from (Guess("file_end", f"/{stem}{ending}") for ending in (".c", ".cc", ".cpp", ".cxx"))


def _ruby(from_path: str, module: str, name: str) -> Iterator[Guess]:
    beside = os.path.normpath(os.path.join(os.path.dirname(from_path), module))
    yield Guess("file", beside.removesuffix(".rb") + ".rb")
    yield Guess("file_end", f"/{module.lstrip('./').removesuffix('.rb')}.rb")


def _php(from_path: str, module: str, name: str) -> Iterator[Guess]:
    """PSR-4: the last parts of the namespace are folders, the class is the file."""
    parts = [part for part in module.split("::") if part]
    for start in range(max(0, len(parts) - 3), len(parts) + 1):
        yield Guess("file_end", "/" + "/".join([*parts[start:], f"{name}.php"]))


def _lua(from_path: str, module: str, name: str) -> Iterator[Guess]:
    path = "/" + module.replace(".", "/")
    yield from (Guess("file_end", path + tail) for tail in (".lua", "/init.lua"))


def _bash(from_path: str, module: str, name: str) -> Iterator[Guess]:
    yield Guess("file", os.path.normpath(os.path.join(os.path.dirname(from_path), module)))
    yield Guess("file_end", "/" + module.rpartition("/")[2])
