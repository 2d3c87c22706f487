"""How fast does each representation decay when the echoes are noisy?

    python scripts/study_noise.py [DATA] [--snr 3 10 30 100] [--n-seeds 2]

Echo window, one split, two coordinates, scores as from `latent-nmr evaluate`. SNR is the largest
|M| of the curve in the window over the standard deviation of the noise in each channel. Twice: all
fitted on clean curves, and all fitted on curves as noisy as those that are scored. The curves
are divided by |M(0)| = 1/2 without noise, as if calibrated: the noise of one sample would else be
that of the whole curve. Fits and scores are kept in artifacts/runs/noise, so that a killed study
goes on; writes artifacts/tables/noise.json and artifacts/figures/noise/.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from latent_nmr import evaluate, open_echoes
from latent_nmr._files import write_json
from latent_nmr.analysis.score_names import HEADLINES, METHOD_TITLES, SCORES
from latent_nmr.analysis.split import hold_out
from latent_nmr.data.spectrometer import add_noise
from latent_nmr.data.windows import curve_divisors, echo_sample, scaled_window, window_slice
from latent_nmr.plots.evaluation import Line, scores_over_noise
from latent_nmr.plots.style import save_figure
from latent_nmr.report.evaluation import rows_of, table_lines
from latent_nmr.report.score_table import Row, find_row
from latent_nmr.studies.evaluation._figures import figure_title
from latent_nmr.studies.trained_model import describe_data

METHODS = ("vae", "pca", "umap", "kmeans")
WINDOW, NOISE_SEED, N_COMPONENTS = "echo", 1000, 2
WORK = Path("artifacts/runs/noise")
RESULT, FIGURE = Path("artifacts/tables/noise.json"), Path("artifacts/figures/noise/scores")
CLEAN = "clean"


def noisy_features(dataset: xr.Dataset, snr: float | None) -> np.ndarray:
    """|M| of every curve in the window over |M(0)| without noise, shape (n_curves, 400)."""
    samples = window_slice(WINDOW, dataset.sizes["time"], echo_sample(dataset))

    def channels(curves: xr.Dataset) -> list[np.ndarray]:
        return [curves[name].transpose("curve", "time").to_numpy() for name in ("mx", "my")]

    divisors = curve_divisors(channels(dataset), samples, "initial")
    noisy = dataset
    if snr is not None:
        noisy = add_noise(dataset, snr, seed=NOISE_SEED + round(snr), window=WINDOW)
    scaled = scaled_window(channels(noisy), samples, "magnitude", divisors)
    return scaled.astype(np.float32, copy=False)


def study(data: Path, levels: Sequence[float], n_seeds: int) -> dict[str, dict[str, list[Row]]]:
    """Tables by what was fitted on, then by what was scored."""
    dataset = open_echoes(data)
    split = hold_out(dataset.sizes["curve"], dataset["kernel"].to_numpy())
    labels = dataset.isel(curve=split.held_out)
    curves = {CLEAN: noisy_features(dataset, None)}
    curves |= {f"SNR {snr:g}": noisy_features(dataset, snr) for snr in levels}

    def tables_of(fitted: str, others: Sequence[str]) -> dict[str, list[Row]]:
        result = evaluate(
            curves[fitted],
            dataset,
            METHODS,
            n_components=N_COMPONENTS,
            n_seeds=n_seeds,
            split=split,
            also={name: (curves[name][split.held_out], labels) for name in others},
            ceiling=False,
            metadata=lambda rows: {
                **describe_data(dataset.isel(curve=rows), curves[fitted][rows], WINDOW, "initial"),
                "fitted_on": fitted,
            },
            folder=WORK / fitted.replace(" ", "-"),
        )
        held_out = {fitted: rows_of(result, "held-out")}
        return held_out | {name: rows_of(result, name) for name in others}

    noisy = [name for name in curves if name != CLEAN]
    return {CLEAN: tables_of(CLEAN, noisy)} | {name: tables_of(name, ()) for name in noisy}


def lines_of(
    tables: Mapping[str, Mapping[str, Sequence[Row]]], levels: Sequence[float]
) -> tuple[dict[str, list[Line]], dict[str, list[Line]]]:
    """Headline scores over the level, by title: fitted on noisy curves, and on clean ones."""
    names = {f"SNR {snr:g}": snr for snr in sorted(levels)}
    on_noisy = {name: tables[name][name] for name in names}
    on_noisy[CLEAN] = tables[CLEAN][CLEAN]
    return _lines(on_noisy, names), _lines({name: tables[CLEAN][name] for name in on_noisy}, names)


def _lines(
    by_level: Mapping[str, Sequence[Row]], names: Mapping[str, float]
) -> dict[str, list[Line]]:
    places = np.array([names.get(level, np.inf) for level in by_level])
    panels = {}
    for score in HEADLINES:
        lines = []
        for method in METHODS:
            rows = [find_row(rows, method, N_COMPONENTS) for rows in by_level.values()]
            cells = [row.cell(score) for row in rows if row is not None]
            means = np.array([cell.mean for cell in cells if cell is not None])
            spreads = np.array([cell.deviation for cell in cells if cell is not None])
            lines.append(Line(method, METHOD_TITLES[method], places, means, spreads))
        panels[figure_title(score)] = lines
    return panels


def markdown(tables: Mapping[str, Mapping[str, Sequence[Row]]], levels: Sequence[float]) -> str:
    """Headline scores of every method at every level, fitted on clean and on noisy curves."""
    heads = [SCORES[name].title for name in HEADLINES]
    lines = ["| | fitted on | SNR | " + " | ".join(heads) + " |", "|" + "---|" * (len(heads) + 3)]
    for method in METHODS:
        for snr in (None, *sorted(levels, reverse=True)):
            level = CLEAN if snr is None else f"SNR {snr:g}"
            for fitted in dict.fromkeys((CLEAN, level)):
                row = find_row(tables[fitted][level], method, N_COMPONENTS)
                cells = [] if row is None else [row.cell(name) for name in HEADLINES]
                texts = ["" if cell is None else cell.text() for cell in cells]
                what = "clean" if fitted == CLEAN else "noisy"
                name = "none" if snr is None else f"{snr:g}"
                lines.append(
                    f"| {METHOD_TITLES[method]} | {what} | {name} | " + " | ".join(texts) + " |"
                )
    return "\n".join(lines)


def main() -> None:
    """Study, print, draw, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    default = Path("artifacts/data/paper-stratified-seed0.zarr")
    parser.add_argument("data", type=Path, nargs="?", default=default)
    parser.add_argument("--snr", type=float, nargs="+", default=[3, 10, 30, 100])
    parser.add_argument("--n-seeds", type=int, default=2)
    options = parser.parse_args()
    tables = study(options.data, options.snr, options.n_seeds)
    for fitted, parts in tables.items():
        for part, rows in parts.items():
            print(
                f"\nFitted on {fitted} curves, scored on {part} curves",
                *table_lines(rows),
                sep="\n",
            )
    print("\n" + markdown(tables, options.snr))
    levels = " ".join(f"{snr:g}" for snr in options.snr)
    command = (
        f"python scripts/study_noise.py {options.data} --snr {levels} --n-seeds {options.n_seeds}"
    )
    result: dict[str, Any] = {
        "command": command,
        "snr": options.snr,
        "tables": {
            fitted: {part: [row.as_json() for row in rows] for part, rows in parts.items()}
            for fitted, parts in tables.items()
        },
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    write_json(RESULT, result)
    FIGURE.parent.mkdir(parents=True, exist_ok=True)
    noisy, clean = lines_of(tables, options.snr)
    save_figure(scores_over_noise(noisy, options.snr, clean), FIGURE)


if __name__ == "__main__":
    main()
