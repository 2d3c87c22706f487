"""Make everything in artifacts/ that rests on the full data sets, from nothing.

    python scripts/reproduce.py [--dry-run]

The steps are those of scripts/reproduce.txt. Says how long each takes before it starts. A step that
was done is not done again, and one that was interrupted goes on where it was: run the same command
again.
"""

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from latent_nmr.commands.main import run_script

STEPS = Path(__file__).with_suffix(".txt")


class Step(NamedTuple):
    """A command and the minutes it took."""

    title: str
    minutes: float
    words: list[str]


def steps() -> list[Step]:
    """Everything, in order."""
    text = re.sub(r"^#.*\n", "", STEPS.read_text("utf-8"), flags=re.M)
    found = []
    for entry in re.split(r"\n(?=\S)", text.strip()):
        minutes, title, command = (part.strip() for part in entry.split("|"))
        name, *words = command.split()
        is_script = name.endswith(".py")
        start = [f"scripts/{name}"] if is_script else ["-m", "latent_nmr.commands.main", name]
        found.append(Step(title, float(minutes), [sys.executable, *start, *words]))
    return found


def main() -> None:
    """Say what will be done and how long it takes, then do it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--dry-run", action="store_true", help="say it, and do nothing")
    options = parser.parse_args()
    todo = steps()
    total = sum(step.minutes for step in todo)
    print("Takes, on two cores and from nothing:")
    for step in todo:
        print(f"  {step.minutes:5.1f} min  {step.title}")
    print(f"  {total:5.1f} min  in all", flush=True)
    if options.dry_run:
        return
    for number, step in enumerate(todo, start=1):
        left = sum(later.minutes for later in todo[number - 1 :])
        print(f"\n[{number}/{len(todo)}] {step.title}; about {left:.0f} min to go", flush=True)
        start = time.perf_counter()
        finished = subprocess.run(step.words, check=False)
        if finished.returncode:
            print(f"stopped: {' '.join(step.words[1:])} ended with {finished.returncode}")
            sys.exit(finished.returncode)
        print(f"[{number}/{len(todo)}] done in {(time.perf_counter() - start) / 60:.1f} min")


if __name__ == "__main__":
    run_script(main)
