"""Describe the reference run: manifest, compact set and figures, from its two stores.

    python scripts/describe_data.py

`make data` simulates the stores and then calls this. Writes
latent_nmr/_shipped/paper-stratified-3000.npz, artifacts/tables/reference-set.json, and
echoes.png and labels.png in artifacts/figures/data.
"""

import hashlib
from pathlib import Path

import numpy as np

from latent_nmr import open_echoes, shipped
from latent_nmr._files import write_json
from latent_nmr.data.compact import STEP, load_compact, save_compact
from latent_nmr.data.echoes import fingerprint, label_fingerprint, magnitude
from latent_nmr.studies.dataset_figures import dataset_figures

STORES = {
    "stratified": "artifacts/data/paper-stratified-seed0.zarr",
    "independent": "artifacts/data/paper-independent-seed1.zarr",
}
COMPACT, N_COMPACT = shipped.FOLDER / "paper-stratified-3000.npz", 3000
TABLE, FIGURES = Path("artifacts/tables/reference-set.json"), Path("artifacts/figures/data")


def describe(path: str, dataset) -> dict:
    """What a store holds and the hashes of its numbers."""
    return {
        "path": path,
        "n_curves": dataset.sizes["curve"],
        "settings": dataset.attrs,
        # Parameters have the same bits everywhere; curves only where XLA makes the same code.
        "sha256_of_labels": label_fingerprint(dataset),
        "sha256_of_everything": fingerprint(dataset),
    }


def main() -> None:
    """Read the stores, write the files, say what was written."""
    datasets = {name: open_echoes(path) for name, path in STORES.items()}
    whole = datasets["stratified"]
    part = whole.isel(curve=slice(N_COMPACT))
    save_compact(part, COMPACT)
    shipped.write_manifest()
    rounding = np.abs(magnitude(load_compact(COMPACT)) - magnitude(part)).max()
    compact = {
        "file": COMPACT.name,
        "n_curves": N_COMPACT,
        "of": Path(STORES["stratified"]).name,
        "step": STEP,
        "largest_rounding": float(rounding),
        "n_bytes": COMPACT.stat().st_size,
        "sha256": hashlib.sha256(COMPACT.read_bytes()).hexdigest(),
    }
    stores = {name: describe(STORES[name], dataset) for name, dataset in datasets.items()}
    write_json(TABLE, {"command": "make data", "stores": stores, "compact": compact})
    dataset_figures(whole).save(FIGURES)
    print(f"wrote {COMPACT}, {TABLE}, and echoes and labels in {FIGURES}")


if __name__ == "__main__":
    main()
