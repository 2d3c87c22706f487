"""What settings of the β-VAE change: scores beside PCA, the samples themselves and chance."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA

from latent_nmr.analysis.score_names import HEADLINES
from latent_nmr.analysis.scores import REGRESSED, Parts, neighbour_scores
from latent_nmr.analysis.split import hold_out
from latent_nmr.data.labels import materials_of
from latent_nmr.data.windows import features
from latent_nmr.latent_axes import axis_state
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.many import fit_many
from latent_nmr.studies.evaluation import EvaluationResult, evaluate

if TYPE_CHECKING:
    import xarray as xr

Labels = Mapping[str, npt.NDArray[np.floating]]
Split = tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]]
# By score: mean, sd and values, one per seed.
Scores = dict[str, dict[str, Any]]


def compare_settings(
    X: npt.NDArray[np.floating],
    labels: Labels,
    settings: Mapping[str, Mapping[str, Any]],
    split: Split,
    *,
    n_seeds: int = 5,
    groups: npt.ArrayLike | None = None,
) -> Iterator[tuple[str, Scores]]:
    """Yield the scores of β-VAEs with some settings, then of what they are compared with.

    Parameters
    ----------
    X : ndarray, shape (n_curves, n_features)
    labels : mapping of ndarray, shape (n_curves,)
        Numbers that are predicted from the nearest neighbours in the latent space.
    settings : mapping
        Parameters of `BetaVAE` by a title.
    split : pair of ndarray of int
        Rows to fit on, rows to score.
    n_seeds : int
    groups : array-like, shape (n_curves,), optional
        Materials, where there are repeats.

    Yields
    ------
    title : str
        Of the setting; then `PCA, 2 components`, `all samples` (neighbours among the curves) and
        `shuffled labels` (in the plane of PCA: the floor).
    scores : dict
        R² by label that varies, `rms`, and of β-VAEs `active_axes`, `smallest_axis_variance`,
        `epochs` and `scale`: each with `mean`, `sd` and `values` over seeds.
    """
    for title, setting in settings.items():
        own = None if groups is None else np.asarray(groups)[split[0]]
        template = BetaVAE(**setting)
        models = fit_many(X[split[0]], seeds=range(n_seeds), model=template, groups=own)
        yield title, _over_seeds([_judge(model, X, labels, split) for model in models])
    pca = PCA(2, random_state=0).fit(X[split[0]])
    yield "PCA, 2 components", _over_seeds([_judge(pca, X, labels, split)])
    yield "all samples", _over_seeds([_predicted(X, labels, split)])
    latent, floors = pca.transform(X), []
    for seed in range(n_seeds):
        order = np.random.default_rng(seed).permutation(len(X))
        shuffled = {name: values[order] for name, values in labels.items()}
        floors.append(_predicted(latent, shuffled, split))
    yield "shuffled labels", _over_seeds(floors)


def true_parameter_scores(dataset: "xr.Dataset", names: Sequence[str]) -> dict[str, float]:
    """Headline scores of coordinates that are true parameters: what no encoder could exceed.

    Parameters
    ----------
    dataset : xarray.Dataset
    names : sequence of str
        Labels that serve as coordinates, each over its standard deviation.
    """
    split = hold_out(
        dataset.sizes["curve"], dataset["kernel"].to_numpy(), groups=materials_of(dataset)
    )
    rows = [{n: dataset[n].to_numpy()[own] for n in (*REGRESSED, "kernel")} for own in split]
    fitted, scored = (np.stack([part[name] for name in names], axis=1) for part in rows)
    deviation = fitted.std(axis=0)
    scores = neighbour_scores(fitted / deviation, scored / deviation, Parts(*rows))
    return {name: scores[name] for name in HEADLINES if name in scores}


def score_setting(
    dataset: "xr.Dataset",
    parameters: Mapping[str, Any] | None = None,
    *,
    n_components: int,
    n_seeds: int = 2,
    window: str = "echo",
    normalisation: str = "initial",
    share: float = 1.0,
    folder: Path | str | None = None,
) -> EvaluationResult:
    """Fit β-VAEs with some settings, and score them on the held-out part of `evaluate`.

    Parameters
    ----------
    dataset : xarray.Dataset
        With all labels.
    parameters : mapping, optional
        Parameters of `BetaVAE` that differ from the defaults.
    n_components, n_seeds : int
    window, normalisation : str
        As for :func:`latent_nmr.features`.
    share : float
        Part of the training part that is fitted on.
    folder : path-like, optional
        Keeps fits and scores, so that an interrupted study continues.
    """
    split = hold_out(
        dataset.sizes["curve"], dataset["kernel"].to_numpy(), groups=materials_of(dataset)
    )
    return evaluate(
        features(dataset, window, normalisation),
        dataset,
        {"vae": BetaVAE(n_components=n_components, **(parameters or {}))},
        n_seeds=n_seeds,
        split=(split.fitted[: round(share * len(split.fitted))], split.held_out),
        ceiling=False,
        folder=folder,
    )


def _predicted(Z: npt.NDArray, labels: Labels, split: Split) -> dict[str, float]:
    parts = [
        {name: np.asarray(values, np.float64)[own] for name, values in labels.items()}
        for own in split
    ]
    found = neighbour_scores(Z[split[0]], Z[split[1]], Parts(*parts))
    scores = {name: f"r2_{name}" for name in labels}
    return {name: found[score] for name, score in scores.items() if score in found}


def _judge(model: Any, X: npt.NDArray, labels: Labels, split: Split) -> dict[str, float]:
    Z = model.transform(X)
    residual = X[split[1]] - model.inverse_transform(Z[split[1]])
    found = {"rms": float(np.sqrt(np.mean(residual**2))), **_predicted(Z, labels, split)}
    if isinstance(model, BetaVAE):
        states = [axis_state(variance) for variance in model.axis_variances_]
        found["active_axes"] = states.count("active")
        found["smallest_axis_variance"] = float(model.axis_variances_.min())
        found |= {"epochs": model.n_iter_, "scale": model.scale_}
    return found


def _over_seeds(results: Sequence[Mapping[str, float]]) -> Scores:
    table = {}
    # Of permuted labels, one can vary among the scored rows with some seeds only.
    for name in dict.fromkeys(name for result in results for name in result):
        values = [result[name] for result in results if name in result]
        spread = stdev(values) if len(values) > 1 else 0.0
        table[name] = {"mean": mean(values), "sd": spread, "values": values}
    return table
