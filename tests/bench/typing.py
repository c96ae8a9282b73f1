"""A typing trace through a real `heron lsp`, and through `llama-server`'s `/infill`, segment by segment in turn.

python tests/bench/typing.py --llama-server PATH [--keys N] [--model NAME] [--package NAME --old V --new V]

What was added between two releases of a package is typed into the older one, with key times drawn from a log-normal
distribution (median 180 ms) by a seed. At each key the editor asks for a completion and drops the request before.
Prints JSON.
"""

import importlib
import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
# Scripts of this folder would take this file for Python's `typing`: import from the folder above instead.
sys.path[:] = [os.path.dirname(_HERE), *(path for path in sys.path if os.path.abspath(path) != _HERE)]

if __name__ == "__main__":
    from bench.typing_trace import main

    main()
elif __name__ == "typing":
    del sys.modules["typing"]  # whoever asked for `typing` gets Python's own
    importlib.import_module("typing")
