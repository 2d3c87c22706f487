"""What do models of measured echoes lose against plain ones, and PCA against them?

    latent-nmr simulate --n-curves 4000 --seed 19 --out artifacts/data/paper-independent-seed19.zarr
    python scripts/study_losses.py artifacts/data/paper-independent-seed19.zarr

DATA has whole curves of preset paper, with Re and Im, that no model of the package was trained on;
the last are scored. Takes a few minutes; writes artifacts/tables/measured-losses.json.
"""

import argparse
from pathlib import Path

from latent_nmr import open_echoes
from latent_nmr.commands.main import run_script
from latent_nmr.report.kept_results import write_result
from latent_nmr.studies.description import origin
from latent_nmr.studies.measurement.losses import loss_scores


def main() -> None:
    """Score, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--n-scored", type=int, default=1200)
    options = parser.parse_args()
    dataset = open_echoes(options.data)
    kept = {"n_scored": options.n_scored}
    scores = loss_scores(dataset, **kept, on_score=lambda row: print(row, flush=True))
    command = f"python scripts/study_losses.py {options.data} --n-scored {options.n_scored}"
    found = {"command": command, "settings": origin(options.data, dataset) | kept, "rows": scores}
    write_result(Path("artifacts/tables/measured-losses.json"), found)


if __name__ == "__main__":
    run_script(main)
