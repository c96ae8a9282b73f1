"""`python -m heron`, the same as the `heron` command."""

import sys

from heron.cli import main

if __name__ == "__main__":
    sys.exit(main())
