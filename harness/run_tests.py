"""Runs the cases of the harness: `python harness/run_tests.py --contexts dev-local`."""

import os
import sys

if __name__ == "__main__":
    # By its place, so that a checkout works without being installed.
    here = os.path.dirname(os.path.abspath(__file__))
    if here not in sys.path[1:]:
        sys.path.insert(1, here)

    from plait_harness.command import main

    sys.exit(main(sys.argv[1:]))
