"""A package for pip to install without a network."""

import sys
from pathlib import Path
from zipfile import ZipFile

_NAME = "heron_lsp-0.0.1"


def write_wheel(folder: Path) -> Path:
    """A wheel whose command `heron` is that of this Python."""
    python = repr(sys.executable)
    code = f"import os, sys\ndef main(): os.execv({python}, [{python}, '-m', 'heron', *sys.argv[1:]])\n"
    info = f"{_NAME}.dist-info"
    path = folder / f"{_NAME}-py3-none-any.whl"
    with ZipFile(path, "w") as wheel:
        wheel.writestr("heron_elsewhere.py", code)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: heron-lsp\nVersion: 0.0.1\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/entry_points.txt", "[console_scripts]\nheron = heron_elsewhere:main\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path
