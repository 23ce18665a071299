"""`python -m opssim` is the command `opssim`."""

import sys

from opssim.cli import main

if __name__ == "__main__":
    sys.exit(main())
