"""Interpretation of latent axes: the label that each one orders, and what several models share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from latent_nmr._progress import progress_bar
from latent_nmr.analysis import naming
from latent_nmr.analysis.alignment import align as align_latents
from latent_nmr.analysis.strength import FEWEST_PERMUTATIONS
from latent_nmr.data.echoes import check_dataset
from latent_nmr.errors import check_count
from latent_nmr.latent_axes import axis_names
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.studies._identity import digest_of
from latent_nmr.studies._known_curves import training_split
from latent_nmr.studies._labels import labels_by_name
from latent_nmr.studies._ledger import Ledger
from latent_nmr.studies._result import StudyResult, as_records, record
from latent_nmr.studies.axes._models import checked_models, differing_parameters
from latent_nmr.studies.trained_model import check_sampling

if TYPE_CHECKING:
    import xarray as xr

# Statistics of an axis and a label, and their names in a `LabelStrength`.
STATISTICS = {"abs_rho": "order", "mi": "information"}
# What is known of each statistic besides its values.
PARTS = {"": "mean", "_sd": "sd", "_null": "null", "_null_of_largest": "null_of_largest"}

LatentArray = npt.NDArray[np.floating]


class AxesResult(StudyResult):
    """Labels that latent axes order and depend on.

    `table` has one row per axis and label: rank correlation |ρ| (`abs_rho`, empty for a label
    without an order, such as the kernel) and mutual information in nats (`mi`), each as the mean
    over the models, with the standard deviation `_sd`, and two 95 % quantiles under permutation:
    `_null` of this label, `_null_of_largest` of the largest over all labels, above which an axis
    is said to order it or to depend on it. `facts["axes"]` says for each axis which label it
    orders and which it depends on in every model, and `facts["stability"]` how much of its variance
    the models share. Figures: `strengths`, and `stability` of several
    models.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> model, data = ln.load_pretrained("echo"), ln.load_reference(n_curves=60)
    >>> r = ln.name_axes(model, data, n_permutations=19, n_information_permutations=19)
    >>> r.save("axes")
    >>> ln.AxesResult.load("axes").table.equals(r.table)
    True
    """

    study = "axes"

    @property
    def table(self) -> pd.DataFrame:
        """One row per axis and label."""
        return strength_table(self.facts["axes"])

    def _drawers(self) -> dict[str, Callable[[], Any]]:
        from latent_nmr.studies.axes import _figures

        drawers = {"strengths": partial(_figures.draw_strengths, self.facts)}
        if self.facts["stability"] is not None:
            drawers["stability"] = partial(_figures.draw_stability, self.facts)
        return drawers


def name_axes(
    models: "BetaVAE | Path | str | Sequence[BetaVAE | Path | str]",
    dataset: "xr.Dataset",
    *,
    align: bool = False,
    n_permutations: int = 999,
    n_information_permutations: int = 199,
    random_state: int = 0,
    names: Sequence[str] | None = None,
    folder: Path | str | None = None,
    progress: bool | None = None,
) -> AxesResult:
    """Find the labels that latent axes order and depend on, and compare models of several seeds.

    An axis orders a label if their rank correlation exceeds chance in every model, and depends on
    it if their mutual information does. Of data that a model was trained on, only the curves that
    it did not see are used; of other data, all.

    Parameters
    ----------
    models : BetaVAE or path-like, or sequence of these
        Trained on echoes; the folder of a saved one, or the name of one that comes with the
        package. Several, such as one per seed, must have one window, normalisation and number of
        axes.
    dataset : xarray.Dataset
        Echoes with labels: W, L, kernel, alpha_x, alpha_z and those of other names. One that any
        of the curves used lacks is left out; ``facts["axes"]`` says why.
    align : bool
        Name the axes after Procrustes alignment of the embeddings: rotated, each about its mean,
        onto one another.
    n_permutations, n_information_permutations : int
        Permutations for the nulls of |ρ| and of the mutual information, over all models; at least
        19.
    random_state : int
        Seeds the permutations.
    names : sequence of str, optional
        Names of the models in messages and records; by default `model 1` and so on.
    folder : path-like, optional
        Where finished steps are kept, so that an interrupted call continues.
    progress : bool, optional
        Whether to show a progress bar; by default on a terminal and in a notebook.

    Returns
    -------
    AxesResult

    Raises
    ------
    InputError
        If the models are not comparable, two of them are the same, or the data have other times
        than their own.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> model, data = ln.load_pretrained("echo"), ln.load_reference(n_curves=300)
    >>> r = ln.name_axes(model, data, n_permutations=39, n_information_permutations=19)
    >>> [axis["orders"] for axis in r.facts["axes"]]
    ['alpha_x', 'alpha_x']
    >>> r.table.columns[:3].tolist(), len(r.table)
    (['axis', 'label', 'abs_rho'], 10)
    """
    check_count("random_state", random_state, at_least=0, at_most=2**32 - 1)
    for name, count in (
        ("n_permutations", n_permutations),
        ("n_information_permutations", n_information_permutations),
    ):
        check_count(name, count, at_least=FEWEST_PERMUTATIONS)
    given = list(models) if isinstance(models, list | tuple) else [models]
    names = [f"model {number}" for number in range(1, len(given) + 1)] if names is None else names
    models = checked_models(given, names, align=align)
    check_dataset(dataset)
    inputs = _inputs_of(models, dataset)
    identity = {"inputs": digest_of(*inputs), "random_state": random_state}
    ledger = Ledger(None if folder is None else Path(folder), identity)
    aligned = _align(ledger, inputs.latents, random_state) if len(models) > 1 else None
    clouds = inputs.latents if aligned is None or not align else list(aligned["latents"])
    axes = _measure(
        ledger,
        inputs._replace(latents=clouds),
        {
            "align": align,
            "n_permutations": n_permutations,
            "n_information_permutations": n_information_permutations,
            "random_state": random_state,
        },
        progress,
    )
    facts = {
        "axes": axes,
        "models": list(names),
        "aligned": align,
        "n_curves": dataset.sizes["curve"],
        "n_unseen": [len(rows) for rows in inputs.rows],
        "differing_parameters": differing_parameters(models),
        "axis_variances": [list(map(float, model.axis_variances_)) for model in models],
        "likelihoods": [model.parameters_["likelihood"] for model in models],
        "stability": None if aligned is None else _stability(aligned),
    }
    seeds = [model.random_state for model in models]
    return AxesResult(as_records(list(_records(facts, seeds))), facts)


def _measure(
    ledger: Ledger, inputs: "_Inputs", settings: Mapping[str, Any], progress: bool | None
) -> list[dict[str, Any]]:
    """Names of all axes, as JSON holds them, kept in the ledger."""
    keywords = {name: value for name, value in settings.items() if name != "align"}

    def compute() -> list[dict[str, Any]]:
        total = len(inputs.latents) * inputs.latents[0].shape[1]
        with progress_bar(total, "axis", shown=progress, desc="permutations") as bar:
            names = naming.name_axes(
                inputs.latents, inputs.labels, rows=inputs.rows, on_step=bar.update, **keywords
            )
        return [asdict(name) for name in names]

    return ledger.take({"step": "names", **settings}, compute)


def strength_table(axes: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The table of an `AxesResult`, from its fact `axes`."""
    columns = [name + part for name in STATISTICS for part in PARTS]
    rows = [
        {"axis": axis["axis"], "label": label["label"], **_row(label)}
        for axis in axes
        for label in axis["labels"]
    ]
    return pd.DataFrame(rows, columns=["axis", "label", *columns])


def _row(label: Mapping[str, Any]) -> dict[str, float | None]:
    row = {}
    for name, key in STATISTICS.items():
        strength = label[key]
        if strength is not None:
            values = strength["values"]
            deviation = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
            known = {"mean": float(np.mean(values)), "sd": deviation, **strength}
            row |= {name + part: known[entry] for part, entry in PARTS.items()}
    return row


class _Inputs(NamedTuple):
    """Embeddings of all curves, rows that each model has not seen, labels of all curves."""

    latents: list[LatentArray]
    rows: list[npt.NDArray[np.integer]]
    labels: dict[str, npt.NDArray[np.generic]]


def _inputs_of(models: Sequence[BetaVAE], dataset: "xr.Dataset") -> _Inputs:
    from latent_nmr.data.feature_settings import FeatureSettings
    from latent_nmr.data.labels import materials_of

    check_sampling(dataset, "the data set", models[0])
    X = FeatureSettings.of_metadata(models[0].metadata_).of(dataset)
    return _Inputs(
        [model.transform(X) for model in models],
        [unseen_rows(model, X, materials_of(dataset)) for model in models],
        labels_by_name(dataset, len(X)),
    )


def unseen_rows(
    model: BetaVAE, X: npt.NDArray[np.floating], groups: npt.ArrayLike | None = None
) -> npt.NDArray[np.integer]:
    """Curves, by their features `X`, of whose group, such as a material, a model saw none."""
    return np.flatnonzero(training_split(model, X, groups) != "training")


def _align(ledger: Ledger, latents: list[LatentArray], random_state: int) -> dict[str, Any]:
    def compute() -> dict[str, npt.NDArray]:
        alignment = align_latents(latents, random_state=random_state)
        return {
            "latents": np.stack(alignment.latents),
            "after_rotation": alignment.stability,
            "before_rotation": alignment.unaligned,
            "null": alignment.stability_null,
            "overall": np.asarray(alignment.overall),
            "overall_null": np.asarray(alignment.overall_null),
            "rotations": alignment.rotations,
        }

    return ledger.take_arrays({"step": "alignment"}, compute)


def _stability(aligned: Mapping[str, npt.NDArray]) -> dict[str, Any]:
    """Variance that the models share, per axis and of all, and the rotations that show it."""
    return {name: values.tolist() for name, values in aligned.items() if name != "latents"}


def _records(facts: Mapping[str, Any], seeds: Sequence[Any]):
    """Values of every statistic for each model, its nulls, and the shared variance."""
    for axis in facts["axes"]:
        for label in axis["labels"]:
            for name, key in STATISTICS.items():
                if label[key] is None:
                    continue
                common = {"axis": axis["axis"], "target": label["label"], "features": "latent"}
                for model, seed, value in zip(
                    facts["models"], seeds, label[key]["values"], strict=True
                ):
                    own = {"model": model, "seed": seed, "score": name, "value": value}
                    yield record("axes", **common, **own)
                for part in ("null", "null_of_largest"):
                    own = {"seed": None, "score": f"{name}_{part}", "value": label[key][part]}
                    yield record("axes", **common, **own)
    if facts["stability"] is not None:
        for name in ("after_rotation", "before_rotation", "null"):
            shares = facts["stability"][name]
            for axis, value in zip(axis_names(len(shares)), shares, strict=True):
                score = f"stability_{name}"
                yield record("axes", axis=axis, seed=None, score=score, value=value)
