"""Asks every question of this folder, one after another, or those that are named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
QUESTIONS = (
    "start_up",
    "hello",
    "linear_20",
    "foreach_500",
    "resume_2000",
    "counts",
    "s3_many",
    "s3_foreach",
    "s3_far",
    "s3_memory",
)


def main() -> None:
    """Run the questions; exits with 1 if a demand of one is missed."""
    asked = sys.argv[1:] or list(QUESTIONS)
    unknown = sorted(set(asked) - set(QUESTIONS))
    if unknown:
        sys.exit(f"no such question: {', '.join(unknown)}; there is: {', '.join(QUESTIONS)}")
    missed = [
        name
        for name in asked
        if subprocess.run([sys.executable, str(HERE / f"{name}.py")], check=False).returncode
    ]
    if missed:
        sys.exit(f"missed: {', '.join(missed)}")


if __name__ == "__main__":
    main()
