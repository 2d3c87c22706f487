"""Make everything in artifacts/ that rests on the full data set, from nothing.

    python scripts/reproduce.py [--dry-run]

Says how long each step takes before it starts. A step that was done is not done again, and one
that was interrupted goes on where it was: run the same command again.
"""

import argparse
import subprocess
import sys
import time
from typing import NamedTuple

DATA = "artifacts/data/paper-stratified-seed0.zarr"
INDEPENDENT = "artifacts/data/paper-independent-seed1.zarr"
RUNS = "artifacts/runs"
WINDOWS = ("echo", "full")
# Of the first pulse, degrees.
RIGHT_ANGLE = 90
ANGLES = (60, RIGHT_ANGLE, 120)


class Step(NamedTuple):
    """A command and the minutes it took on two cores of a 2.x GHz server processor."""

    title: str
    minutes: float
    words: list[str]


def command(*words: str) -> list[str]:
    """A command of the package, run by this interpreter."""
    return [sys.executable, "-m", "latent_nmr.commands.main", *words]


def script(name: str, *words: str) -> list[str]:
    """A script beside this one."""
    return [sys.executable, f"scripts/{name}.py", *words]


def steps() -> list[Step]:
    """Everything, in order."""
    simulate = ("simulate", "--n-curves")
    found = [
        Step(
            "15,000 curves, stratified ν",
            12,
            command(*simulate, "15000", "--line-draw", "stratified", "--seed", "0"),
        ),
        Step(
            "1,500 curves, independent ν",
            1.5,
            command(*simulate, "1500", "--line-draw", "independent", "--seed", "1"),
        ),
        Step("figures and manifest of the data", 0.5, script("describe_data")),
    ]
    minutes = {"echo": (1, 25, 1), "full": (3, 90, 2)}
    for window in WINDOWS:
        drawn, evaluated, audited = minutes[window]
        out = f"{RUNS}/reference-{window}"
        model = window
        evaluate = ("evaluate", DATA, "--also", INDEPENDENT, "--window", window, "--verdict")
        dimensions = ("--n-components", "1", "2", "3", "4", "8")
        found += [
            Step(
                f"baselines, {window} window",
                drawn,
                command(
                    "baselines", DATA, "--window", window,
                    "--out", f"artifacts/figures/baselines/{window}", "--force",
                ),
            ),
            Step(
                f"evaluation, {window} window",
                evaluated,
                command(*evaluate, *dimensions, "--out", out),
            ),
            Step(
                f"tables and best model, {window} window",
                1,
                script("publish_evaluation", out, "--name", window),
            ),
            Step(
                f"latent space, {window} window",
                0.3,
                script(
                    "draw_latent_figure", model, DATA,
                    "--out", f"artifacts/figures/latent-{window}",
                ),
            ),
            Step(
                f"audit of the decoder, {window} window",
                audited,
                command(
                    "audit", model, DATA, "--out", f"artifacts/audit/reference-{window}", "--force"
                ),
            ),
        ]  # fmt: skip
    found.append(Step("noise, echo window", 8, script("study_noise", DATA)))
    found.append(Step("settings of the β-VAE, echo window", 20, script("study_settings", DATA)))
    return found + supervised_steps()


def supervised_steps() -> list[Step]:
    """The supervised half: probes on both lines, networks, and every edition of the challenge."""
    data = "artifacts/data/paper-independent-seed0.zarr"
    simulate = ("simulate", "--n-curves", "15000", "--line-draw", "independent", "--seed", "0")
    found = [Step("15,000 curves, independent ν", 12, command(*simulate))]
    both = ("points", "polynomial")
    more = ("pca", "latent", "polynomial+latent")
    shown = ("--n-detail-seeds", "0", "--tasks", "binary")
    for name, minutes, store, words in (
        (
            "echo-independent",
            47,
            data,
            ("--features", *both, *more, "--n-forest-seeds", "10", "--n-detail-seeds", "2"),
        ),
        ("echo300-independent", 17, data, ("--features", *both, *shown, "--window", "echo300")),
        ("echo-stratified", 17, DATA, ("--features", *both, *shown)),
    ):
        probe = command("probe", store, *words, "--n-seeds", "5", "--out", f"{RUNS}/probe-{name}")
        found.append(Step(f"probes, {name}", minutes, probe))
    found += network_steps(data)
    for edition, minutes in (("2021-gauss", 6), ("2021-rkky", 8), ("2020", 7)):
        own = f"artifacts/data/challenge{edition}-independent-seed0.zarr"
        frozen = ("--line-draw", "frozen", "--n-evaluation", "0", "--also", own)
        found += [
            Step(f"challenge {edition}", minutes, command("challenge", edition)),
            Step(f"challenge {edition}, frozen ν", minutes, command("challenge", edition, *frozen)),
        ]
    large = ("--n-curves", "6000", "--n-evaluation", "6000", "--n-seeds", "1")
    words = ("challenge", "2021-gauss", *large, "--out", f"{RUNS}/challenge-2021-gauss-6000")
    found.append(Step("challenge 2021-gauss, 6000 + 6000 curves", 16, command(*words)))
    found.append(Step("challenge spin", 20, command("challenge", "spin")))
    probes = ("echo-independent", "echo300-independent", "echo-stratified", "full-independent")
    folders = [f"{RUNS}/probe-{name}" for name in (*probes, *(f"full-flip{a}" for a in ANGLES))]
    draws = ("independent", "frozen")
    editions = ("2021-gauss", "2021-rkky", "2020")
    folders += [f"{RUNS}/challenge-{edition}-{draw}" for edition in editions for draw in draws]
    folders += [f"{RUNS}/challenge-2021-gauss-6000", f"{RUNS}/challenge-spin-independent"]
    found.append(Step("tables, figures and networks", 1, script("publish_supervised", *folders)))
    return found


def network_steps(data: str) -> list[Step]:
    """Forests and a network on the whole curve, and what other pulse angles add."""
    found = []
    whole = (
        "--window", "full", "--features", "points", "--classifiers", "forest", "--regressors",
        "forest", "network", "--n-detail-seeds", "0",
    )  # fmt: skip
    runs = {"independent": (data, 3, 20)}
    for angle in ANGLES:
        store = INDEPENDENT
        if angle != RIGHT_ANGLE:
            store = f"artifacts/data/paper-independent-flip{angle}-seed0.zarr"
            words = ("--n-curves", "1500", "--flip-angle-deg", str(angle), "--seed", "0")
            found.append(Step(f"1,500 curves, θ = {angle}°", 4, command("simulate", *words)))
        runs[f"flip{angle}"] = (store, 5, 3)
    for name, (store, n_seeds, minutes) in runs.items():
        out = f"{RUNS}/probe-full-{name}"
        words = ("probe", store, *whole, "--n-seeds", str(n_seeds), "--out", out)
        found.append(Step(f"probes of the whole curve, {name}", minutes, command(*words)))
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
    try:
        main()
    except KeyboardInterrupt:
        print("\ninterrupted; the same command goes on from here")
        sys.exit(130)
