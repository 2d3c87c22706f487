"""Describe the reference run: manifest, compact set and figures, from its two stores.

    python scripts/describe_data.py

`make data` simulates the stores and then calls this. Writes
latent_nmr/_shipped/paper-stratified-3000.npz, artifacts/tables/reference-set.json, and
echoes.png and labels.png in artifacts/figures/data.
"""

import hashlib
from pathlib import Path

import numpy as np

from latent_nmr import shipped
from latent_nmr._files import write_json
from latent_nmr.data.compact import STEP, load_compact, save_compact
from latent_nmr.data.echoes import ALL_LABELS, fingerprint, magnitude
from latent_nmr.data.io import open_echoes
from latent_nmr.data.windows import window_slice
from latent_nmr.physics.kernels import KERNELS, kernel_table
from latent_nmr.plots.dataset import Example, plot_echo_overview, plot_label_histograms
from latent_nmr.plots.style import save_figure

STORES = {
    "stratified": Path("artifacts/data/paper-stratified-seed0.zarr"),
    "independent": Path("artifacts/data/paper-independent-seed1.zarr"),
}
COMPACT = shipped.FOLDER / "paper-stratified-3000.npz"
TABLE = Path("artifacts/tables/reference-set.json")
N_COMPACT = 3000
FIGURES = Path("artifacts/figures/data")
SHOWN_KERNELS = {"gaussian": 8.0, "power": 1.47, "rkky": 13.0}


def main() -> None:
    """Read the stores, write the files, say what was written."""
    datasets = {name: open_echoes(path) for name, path in STORES.items()}
    whole = datasets["stratified"]
    part = whole.isel(curve=slice(N_COMPACT))
    save_compact(part, COMPACT)
    shipped.write_manifest()
    rounding = np.abs(magnitude(load_compact(COMPACT)) - magnitude(part)).max()
    write_json(
        TABLE,
        {
            "command": "make data",
            "stores": {name: describe(STORES[name], data) for name, data in datasets.items()},
            "compact": {
                "file": COMPACT.name,
                "n_curves": N_COMPACT,
                "of": STORES["stratified"].name,
                "step": STEP,
                "largest_rounding": float(rounding),
                "n_bytes": COMPACT.stat().st_size,
                "sha256": hashlib.sha256(COMPACT.read_bytes()).hexdigest(),
            },
        },
    )
    draw(whole)
    print(f"wrote {COMPACT}, {TABLE}, and echoes and labels in {FIGURES}")


def describe(path: Path, dataset) -> dict:
    """What a store holds and the hashes of its numbers."""
    labels = hashlib.sha256()
    for name in ALL_LABELS:
        if name in dataset.coords:
            values = dataset[name].to_numpy()
            labels.update(
                values.tobytes() if values.dtype.kind == "f" else "\n".join(values).encode()
            )
    return {
        "path": str(path),
        "n_curves": dataset.sizes["curve"],
        "settings": dataset.attrs,
        # Parameters have the same bits everywhere; curves only where XLA makes the same code.
        "sha256_of_labels": labels.hexdigest(),
        "sha256_of_everything": fingerprint(dataset),
    }


def nearest_curve(dataset, rows: np.ndarray, parameter: float) -> int:
    """Of some rows, the curve nearest to a kernel parameter and to W = 0.2 MHz."""
    drawn, strength = (dataset[name].to_numpy()[rows] for name in ("kernel_parameter", "W"))
    away = np.hypot((drawn - parameter) / np.ptp(drawn), (strength - 0.2) / np.ptp(strength))
    return int(rows[np.argmin(away)])


def draw(dataset) -> None:
    """Draw the echoes and the labels of a data set."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    time, echo = dataset["time"].to_numpy(), int(dataset.attrs["echo_index"])
    kernel = np.array(dataset["kernel"].to_numpy().tolist())
    examples = []
    for name, parameter in SHOWN_KERNELS.items():
        row = nearest_curve(dataset, np.flatnonzero(kernel == name), parameter)
        signal = dataset["mx"].to_numpy()[row] + 1j * dataset["my"].to_numpy()[row]
        examples.append(Example(name, signal))
    kernels = {
        name: (
            f"{KERNELS[name].symbol} = {parameter:g}",
            np.abs(kernel_table(name, parameter, 100)[0, 1:51]),
        )
        for name, parameter in SHOWN_KERNELS.items()
    }
    figure = plot_echo_overview(
        time,
        magnitude(dataset),
        examples,
        kernels,
        window_slice("echo", len(time), echo),
        {"τ": time[dataset.attrs["pulse_samples"][1]], "2τ": time[echo]},
    )
    save_figure(figure, FIGURES / "echoes")
    labels = {name: dataset[name].to_numpy() for name in ("alpha_x", "alpha_z", "W", "L")}
    save_figure(plot_label_histograms(labels, kernel), FIGURES / "labels")


if __name__ == "__main__":
    main()
