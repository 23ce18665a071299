"""`python -m roost`: see `roost._cli`."""

import sys

from roost._cli import main

if __name__ == "__main__":
    sys.exit(main())
