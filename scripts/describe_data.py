"""Describe the reference run: manifest, compact set and figures, from its two stores.

    python scripts/describe_data.py

`make data` simulates the stores, then calls this. Writes _shipped/paper-stratified-3000.npz,
artifacts/tables/reference-set.json, and echoes.png and labels.png in artifacts/figures/data.
"""

import argparse
from pathlib import Path

from latent_nmr import open_echoes, shipped
from latent_nmr.commands.main import run_script
from latent_nmr.report.kept_results import write_result
from latent_nmr.studies.dataset_figures import dataset_figures
from latent_nmr.studies.description import describe_store, write_excerpt

# The compact set and the figures are made of the first.
STORES = (
    Path("artifacts/data/paper-stratified-seed0.zarr"),
    Path("artifacts/data/paper-independent-seed1.zarr"),
)
COMPACT, N_COMPACT = shipped.FOLDER / "paper-stratified-3000.npz", 3000
TABLE, FIGURES = Path("artifacts/tables/reference-set.json"), Path("artifacts/figures/data")


def main() -> None:
    """Read the stores, write the files, say what was written."""
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    datasets = [open_echoes(path) for path in STORES]
    compact = {"of": STORES[0].name, **write_excerpt(datasets[0], N_COMPACT, COMPACT)}
    shipped.write_manifest()
    stores = {
        dataset.attrs["line_draw"]: describe_store(path, dataset)
        for path, dataset in zip(STORES, datasets, strict=True)
    }
    write_result(TABLE, {"command": "make data", "stores": stores, "compact": compact})
    dataset_figures(datasets[0]).save(FIGURES)
    print(f"wrote {COMPACT}, {TABLE}, and echoes and labels in {FIGURES}")


if __name__ == "__main__":
    run_script(main)
