"""Make everything in artifacts/ that rests on the full data set, from nothing.

    python scripts/reproduce.py [--dry-run]

Says how long each step takes before it starts. A step that was done is not done again, and one
that was interrupted goes on where it was: run the same command again.
"""

import argparse
import re
import subprocess
import sys
import time
from typing import NamedTuple

from latent_nmr.commands.main import run_script

DATA = "artifacts/data/paper-stratified-seed0.zarr"
INDEPENDENT = "artifacts/data/paper-independent-seed0.zarr"
FEW = "artifacts/data/paper-independent-seed1.zarr"
# Of a first pulse other than 90°.
TURNED = "artifacts/data/paper-independent-flip{}-seed0.zarr"
RUNS = "artifacts/runs"

# A step is: minutes on two cores of a 2.x GHz server processor | title | command, or script with
# .py, which may go on in indented lines.
BEGINNING = """
12 | 15,000 curves, stratified ν | simulate --n-curves 15000 --line-draw stratified --seed 0
1.5 | 1,500 curves, independent ν | simulate --n-curves 1500 --line-draw independent --seed 1
0.5 | figures and manifest of the data | describe_data.py
"""
OF_WINDOW = """
{drawn} | baselines, {window} window | baselines {data} --window {window}
    --out artifacts/figures/baselines/{window} --force
{evaluated} | evaluation, {window} window | evaluate {data} --also {few} --window {window} --verdict
    --n-components 1 2 3 4 8 --out {runs}/reference-{window}
1.3 | tables, best model, latent space, {window} window | publish.py
    {runs}/reference-{window} --ship {window}
{audited} | audit of the decoder, {window} window | audit {window} {data}
    --out artifacts/audit/reference-{window} --force
"""
# Then the supervised half: probes on both lines, networks, and every edition of the challenge.
STUDIES = """
8 | noise, echo window | study_noise.py {data}
20 | settings of the β-VAE, echo window | study_settings.py {data}
12 | 15,000 curves, independent ν | simulate --n-curves 15000 --line-draw independent --seed 0
47 | probes, echo-independent | probe {independent} --features points polynomial pca latent
    polynomial+latent --n-forest-seeds 10 --n-detail-seeds 2
    --n-seeds 5 --out {runs}/probe-echo-independent
17 | probes, echo300-independent | probe {independent} --features points polynomial
    --n-detail-seeds 0 --tasks binary --window echo300
    --n-seeds 5 --out {runs}/probe-echo300-independent
17 | probes, echo-stratified | probe {data} --features points polynomial
    --n-detail-seeds 0 --tasks binary --n-seeds 5 --out {runs}/probe-echo-stratified
4 | 1,500 curves, θ = 60° | simulate --n-curves 1500 --flip-angle-deg 60 --seed 0
4 | 1,500 curves, θ = 120° | simulate --n-curves 1500 --flip-angle-deg 120 --seed 0
"""
WHOLE_CURVE = """
{minutes} | probes of the whole curve, {name} | probe {store} --window full --features points
    --classifiers forest --regressors forest network --n-detail-seeds 0 --n-seeds {n_seeds}
    --out {runs}/probe-full-{name}
"""
OF_EDITION = """
{minutes} | challenge {edition} | challenge {edition}
{minutes} | challenge {edition}, frozen ν | challenge {edition} --line-draw frozen --n-evaluation 0
    --also artifacts/data/challenge{edition}-independent-seed0.zarr
"""
END = """
16 | challenge 2021-gauss, 6000 + 6000 curves | challenge 2021-gauss --n-curves 6000
    --n-evaluation 6000 --n-seeds 1 --out {runs}/challenge-2021-gauss-6000
20 | challenge spin | challenge spin
0.5 | tables and figures | publish.py {published}
0.2 | tables of what documents show no figures of | publish.py {tabled} --tables-only
0.2 | network of the Gaussian challenge | publish.py {runs}/challenge-2021-gauss-independent
    --ship challenge-gauss
0.2 | network of the RKKY challenge | publish.py {runs}/challenge-2021-rkky-independent
    --ship challenge-rkky
"""
PUBLISHED = """
probe-echo-independent probe-full-independent challenge-2021-gauss-frozen
challenge-2021-rkky-frozen challenge-2020-independent challenge-2020-frozen
challenge-spin-independent
"""
TABLED = """
probe-echo300-independent probe-echo-stratified probe-full-flip60 probe-full-flip90
probe-full-flip120 challenge-2021-gauss-6000
"""


class Step(NamedTuple):
    """A command and the minutes it took."""

    title: str
    minutes: float
    words: list[str]


def read(text: str, **values: object) -> list[Step]:
    """The steps that a text describes, with some values put in."""
    places = {"data": DATA, "independent": INDEPENDENT, "few": FEW, "runs": RUNS}
    found = []
    for entry in re.split(r"\n(?=\S)", text.format(**places, **values).strip()):
        minutes, title, command = (part.strip() for part in entry.split("|"))
        name, *words = command.split()
        is_script = name.endswith(".py")
        start = [f"scripts/{name}"] if is_script else ["-m", "latent_nmr.commands.main", name]
        found.append(Step(title, float(minutes), [sys.executable, *start, *words]))
    return found


def steps() -> list[Step]:
    """Everything, in order."""
    found = read(BEGINNING)
    for window, drawn, evaluated, audited in (("echo", 1, 25, 1), ("full", 3, 90, 2)):
        minutes = {"drawn": drawn, "evaluated": evaluated, "audited": audited}
        found += read(OF_WINDOW, window=window, **minutes)
    found += read(STUDIES)
    found += read(WHOLE_CURVE, name="independent", store=INDEPENDENT, n_seeds=3, minutes=20)
    for angle, store in ((60, TURNED.format(60)), (90, FEW), (120, TURNED.format(120))):
        found += read(WHOLE_CURVE, name=f"flip{angle}", store=store, n_seeds=5, minutes=3)
    for edition, minutes in (("2021-gauss", 6), ("2021-rkky", 8), ("2020", 7)):
        found += read(OF_EDITION, edition=edition, minutes=minutes)
    runs = {"published": PUBLISHED, "tabled": TABLED}
    paths = {key: " ".join(f"{RUNS}/{name}" for name in runs[key].split()) for key in runs}
    return found + read(END, **paths)


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
