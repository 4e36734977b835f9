"""`python -m local_emulator up|demo|down|status`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
