"""The harness as a module: `python -m plait_harness`."""

import sys

from plait_harness.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
