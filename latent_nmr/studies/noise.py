"""How representations decay with noise: fitted on clean and on equally noisy curves."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from latent_nmr.analysis.score_names import HEADLINES, METHOD_TITLES
from latent_nmr.analysis.split import hold_out
from latent_nmr.data.feature_settings import FeatureSettings
from latent_nmr.data.labels import materials_of
from latent_nmr.data.protocols import refuse_protocols
from latent_nmr.data.scaling import curve_divisors, scaled_window
from latent_nmr.data.spectrometer import add_noise
from latent_nmr.data.windows import echo_sample, window_slice, window_time
from latent_nmr.studies.evaluation import EvaluationResult, evaluate
from latent_nmr.studies.evaluation._figures import figure_title
from latent_nmr.studies.trained_model import describe_data

if TYPE_CHECKING:
    import xarray as xr

METHODS = ("vae", "pca", "umap", "kmeans")
CLEAN, HELD_OUT = "clean", "held-out"


def noise_level(snr: float) -> str:
    """Name of a signal-to-noise ratio in results and tables."""
    return f"SNR {snr:g}"


def noisy_features(
    dataset: "xr.Dataset", snr: float | None, *, window: str = "echo", seed: int = 1000
) -> npt.NDArray[np.float32]:
    """|M| of every curve in the window over |M(0)| without noise, shape (n_curves, n_samples).

    Parameters
    ----------
    dataset : xarray.Dataset
        With `mx` and `my`.
    snr : float, optional
        Largest |M| of the curve in the window over the standard deviation of the noise in each
        channel; None for no noise.
    window : str
        As for :func:`latent_nmr.features`.
    seed : int
        Of the noise; a level adds its ratio.
    """
    refuse_protocols(dataset, "data for levels of noise")
    samples = window_slice(window, dataset.sizes["time"], echo_sample(dataset))

    def channels(curves: "xr.Dataset") -> list[npt.NDArray]:
        return [curves[name].transpose("curve", "time").to_numpy() for name in ("mx", "my")]

    # As if calibrated: the noise of one sample would else be that of the whole curve.
    divisors = curve_divisors(channels(dataset), samples, "initial")
    noisy = dataset
    if snr is not None:
        noisy = add_noise(dataset, snr, seed=seed + round(snr), window=window)
    scaled = scaled_window(
        channels(noisy), samples, "magnitude", divisors, window_time(dataset, window)
    )
    return scaled.astype(np.float32, copy=False)


def evaluate_noise(
    dataset: "xr.Dataset",
    levels: Sequence[float],
    *,
    methods: Any = METHODS,
    n_components: int = 2,
    n_seeds: int = 2,
    window: str = "echo",
    folder: Path | str | None = None,
) -> dict[str, EvaluationResult]:
    """One evaluation by what the methods are fitted on: clean curves, then each level of noise.

    Parameters
    ----------
    dataset : xarray.Dataset
        With `mx`, `my` and labels.
    levels : sequence of float
        Signal-to-noise ratios, see :func:`noisy_features`.
    methods, n_components, n_seeds
        As for :func:`latent_nmr.evaluate`.
    window : str
    folder : path-like, optional
        Keeps fits and scores, so that an interrupted study continues.

    Returns
    -------
    dict of EvaluationResult
        `clean`, with every level as a further part, and `SNR 10` and the like, of itself alone.
    """
    split = hold_out(
        dataset.sizes["curve"], dataset["kernel"].to_numpy(), groups=materials_of(dataset)
    )
    labels = dataset.isel(curve=split.held_out)
    curves = {CLEAN: noisy_features(dataset, None, window=window)}
    curves |= {noise_level(snr): noisy_features(dataset, snr, window=window) for snr in levels}
    results = {}
    for fitted, X in curves.items():
        others = [name for name in curves if name != CLEAN] if fitted == CLEAN else []

        def describe(rows: npt.NDArray, X=X, fitted=fitted) -> dict[str, Any]:
            known = describe_data(
                dataset.isel(curve=rows), X[rows], FeatureSettings(window, "initial")
            )
            return {**known, "fitted_on": fitted}

        results[fitted] = evaluate(
            X,
            dataset,
            methods,
            n_components=n_components,
            n_seeds=n_seeds,
            split=split,
            also={name: (curves[name][split.held_out], labels) for name in others},
            ceiling=False,
            metadata=describe,
            folder=None if folder is None else Path(folder) / fitted.replace(" ", "-"),
        )
    return results


def noise_figure(results: Mapping[str, EvaluationResult], levels: Sequence[float]):
    """Headline scores over the signal-to-noise ratio, one panel each: a matplotlib Figure.

    Parameters
    ----------
    results : mapping of EvaluationResult
        Of :func:`evaluate_noise`.
    levels : sequence of float
    """
    from latent_nmr.plots.evaluation import scores_over_noise

    names = {noise_level(snr): snr for snr in sorted(levels)} | {CLEAN: np.inf}
    as_noisy = {name: results[name].table_of(HELD_OUT) for name in names}
    clean = results[CLEAN]
    on_clean = {n: clean.table_of(HELD_OUT if n == CLEAN else n) for n in names}
    return scores_over_noise(_panels(as_noisy, names), levels, _panels(on_clean, names))


def _panels(tables: Mapping[str, Any], names: Mapping[str, float]) -> dict[str, list[Any]]:
    """Lines of every method by the title of the score."""
    from latent_nmr.plots.evaluation import Line

    rows = [row for row in tables[CLEAN].index if row[0] in METHOD_TITLES and row[0] != "shuffled"]
    places = np.array(list(names.values()))
    panels = {}
    for score in HEADLINES:
        lines = []
        for row in rows:
            cells = [table.loc[row, score] for table in tables.values()]
            means = np.array([cell["mean"] for cell in cells])
            deviations = np.nan_to_num(np.array([cell["sd"] for cell in cells]))
            lines.append(Line(row[0], METHOD_TITLES[row[0]], places, means, deviations))
        panels[figure_title(score)] = lines
    return panels
