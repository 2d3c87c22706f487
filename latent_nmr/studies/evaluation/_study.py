"""The study: fit every method on the training part, score it on what was held out."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from latent_nmr._progress import progress_bar
from latent_nmr.errors import InputError, NumericalError, check_choice, check_count
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.inference import device_name
from latent_nmr.studies._identity import digest_of, package_versions
from latent_nmr.studies._known_curves import knows_curves, training_split
from latent_nmr.studies._ledger import Ledger
from latent_nmr.studies._result import as_records
from latent_nmr.studies._workplace import time_kept
from latent_nmr.studies.evaluation._fits import Fit, Fitter
from latent_nmr.studies.evaluation._methods import (
    BOTTLENECK,
    Method,
    bottlenecks,
    check_repeats_known,
    methods_of,
)
from latent_nmr.studies.evaluation._parts import DATA, FITTED, HELD_OUT, Material, divide
from latent_nmr.studies.evaluation._result import EvaluationResult, arrays_of, facts_of_fits
from latent_nmr.studies.evaluation._scores import FOREST, Scorer, n_forests, remarks_on

Metadata = Mapping[str, Any] | Callable[[npt.NDArray[np.int64]], Mapping[str, Any]]


def evaluate(
    X: npt.ArrayLike,
    labels: Any = None,
    methods: Any = ("pca", "umap", "kmeans", "vae"),
    *,
    n_components: int | Iterable[int] = 2,
    n_seeds: int = 5,
    held_out: float = 0.2,
    split_seed: int = 0,
    split: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    groups: npt.ArrayLike | None = None,
    also: Mapping[str, Any] | None = None,
    fitted: Any = None,
    ceiling: bool | str = True,
    n_trees: int = 200,
    n_neighbors: int = 15,
    metadata: Metadata | None = None,
    folder: Path | str | None = None,
    progress: bool | None = None,
) -> EvaluationResult:
    """Compare representations: fit on one part of the curves, score on the held-out part.

    Parameters
    ----------
    X : array-like, shape (n_curves, n_features)
        Such as ``latent_nmr.features(ds)``.
    labels : mapping, DataFrame or xarray.Dataset, optional
        Values per curve by name: numbers are predicted as numbers (R²), names as classes (F1). No
        method sees them. Of `kernel` and `L` there are further scores. One that some curves lack
        is left out; `facts["incomplete_labels"]` counts them. Without labels, only reconstruction
        and neighbourhoods are scored.
    methods : mapping of estimators, one or several estimators or names
        Anything with `fit` and `transform`, pipelines too, by the name that it has in the table;
        without a name, it goes by its class. Each is copied for every seed, with its parameters
        `random_state` set; one without is fitted once. Names of ours, as items or as values:
        `pca`, `umap`, `kmeans`, `vae`, `thorough` (:meth:`latent_nmr.BetaVAE.thorough`), and for
        data with repeats `vae-repeats` (:meth:`latent_nmr.BetaVAE.of_repeats`) and `repeat-pca`
        (:class:`latent_nmr.RepeatPCA`).
    n_components : int or sequence of int
        Dimensions of the methods that are given by name; an estimator has those of its output.
    n_seeds : int
        Fits of each method that has a `random_state`.
    held_out : float
        Fraction of the curves that is only scored, at most 0.9; each kernel in proportion.
    split_seed : int
        Seed of the split.
    split : pair of array of int, optional
        Rows of `X` to fit on and rows to score, in place of a random split.
    groups : array-like, shape (n_curves,), optional
        Material of each curve: its repeats are all fitted on or all scored. By default the
        `material` of the labels, if they have it.
    also : mapping, optional
        Further sets by name, each an array like `X`, or a pair of one and its labels; all of
        their curves are scored.
    fitted : mapping or estimator, optional
        Estimators that are fitted already, by name, or a list of them that counts as seeds. They
        are scored as they are. A `BetaVAE` that knows its training data is refused if it has seen
        a curve that is scored; of others it is not known.
    ceiling : bool or {"forest", "bottleneck"}
        Whether there are rows of what labels could make possible; by default both: `forest`,
        random forests that predict the labels from the curves themselves, and `bottleneck`, for
        every dimension d compared (up to 32) a network trained on all labels through a layer of d
        units, which are scored as coordinates. It weighs the labels alike, and is therefore no
        strict bound of a single score.
    n_trees : int
        Trees of each of these forests.
    n_neighbors : int
        Neighbours that predict labels, and size of the neighbourhoods compared.
    metadata : mapping or callable, optional
        What saved β-VAEs say of their data; a callable gets the rows of `X` that they are fitted
        on. Of `time_us` (µs, n_features) the traversals take their axis.
    folder : path-like, optional
        Keeps every fit and score, and the β-VAEs in `models`; called again with the same folder,
        the study continues.
    progress : bool, optional
        Whether a progress bar is shown; by default on a terminal and in a notebook.

    Returns
    -------
    EvaluationResult
        Methods that fail, or whose coordinates cannot be scored, are in `failures`, with the
        reason; the others' scores are not affected.

    Raises
    ------
    InputError
        For data, labels or methods that cannot be used, or if every fit fails.
    NumericalError
        If every fit fails for numerical reasons.

    Examples
    --------
    >>> import numpy as np
    >>> import latent_nmr as ln
    >>> from sklearn.decomposition import PCA
    >>> rng = np.random.default_rng(0)
    >>> W, t = rng.uniform(0.1, 0.3, 120), np.linspace(0, 9, 40)
    >>> X = np.exp(-W[:, None] * t) + 0.01 * rng.normal(size=(120, 40))
    >>> r = ln.evaluate(X, {"W": W}, {"PCA": PCA(2)}, ceiling=False, n_neighbors=5)
    >>> bool(r.table.loc[("PCA", 2), ("r2_W", "mean")] > 0.9)
    True
    """
    check_count("n_neighbors", n_neighbors)
    if isinstance(ceiling, str):
        check_choice("ceiling", ceiling, (FOREST, BOTTLENECK))
    check_count("n_trees", n_trees)
    check_count("split_seed", split_seed, at_least=0, at_most=2**32 - 1)
    plan = methods_of(methods, fitted, n_components, n_seeds)
    ways = {"held_out": held_out, "split_seed": split_seed}
    material = divide(X, labels, also, **ways, split=split, groups=groups, n_neighbors=n_neighbors)
    refuse_seen_curves(plan, material)
    check_repeats_known(plan, material.groups)
    place = None if folder is None else Path(folder)
    identity = {"curves": digest_of(material.curves)}
    if material.groups is not None:
        identity["groups"] = digest_of(material.groups)
    ledger = Ledger(place, identity)
    facts: dict[str, Any] = {**ways, "is_random_split": split is None, "n_neighbors": n_neighbors}
    with time_kept(place) as spent, _bar(plan, material, progress, ceiling) as step:
        given = _metadata_of(metadata, material, facts)
        fitter = Fitter(material, ledger, place, given, step)
        scorer = Scorer(material, ledger, n_neighbors, step)

        def complete(methods: Sequence[Method]) -> list[Fit]:
            return scorer.complete(
                fitter.complete(methods),
                lambda fit, error, reason: fitter.refuse(fit.method, fit.seed, error, reason),
            )

        fits = complete(plan)
        if not fits:
            raise _all_failed(fitter)
        fits += complete(_bottlenecks(fits, material, ceiling, n_seeds, step))
        rows = {part: scorer.records(fits, part) for part in material.scored_parts}
        for part, bound in (scorer.ceiling(n_trees) if ceiling in (True, FOREST) else {}).items():
            rows[part] += bound
    records = as_records([row for part in rows.values() for row in part])
    facts |= _facts(material, fits, scorer) | {"seconds": spent["seconds"]}
    arrays, of_arrays = arrays_of(material, fits, given() if metadata else {})
    return EvaluationResult(records, facts | of_arrays, arrays, fitter.failures)


def refuse_seen_curves(methods: Sequence[Method], material: Material) -> None:
    """Raise `InputError` if a fitted β-VAE was fitted on a curve that is to be scored."""
    for method in methods:
        model = method.estimator
        if not method.is_fitted or not isinstance(model, BetaVAE):
            continue
        if not knows_curves(getattr(model, "metadata_", {})):
            continue
        for part in material.scored_parts:
            curves = material.curves[part]
            # A part holds whole materials: of one that was seen, it holds the seen curve itself.
            n_seen = int((training_split(model, curves, None) != "new").sum())
            if n_seen:
                raise InputError(
                    "a fitted model must not have seen a curve that is scored, or the scores would "
                    f"flatter, but {method.name} (model {method.seeds[0]}) was trained on {n_seen} "
                    f"of the {len(curves)} curves of the {part} part. Leave it out, to train on "
                    "the training part alone; or evaluate on fresh data."
                )


def _bottlenecks(
    fits: Sequence[Fit], material: Material, ceiling: bool | str, n_seeds: int, step: "Steps"
) -> list[Method]:
    """The supervised networks of every dimension that was scored, if they are asked for."""
    if ceiling not in (True, BOTTLENECK):
        return []
    dimensions = [fit.n_components for fit in fits]
    found = bottlenecks(dimensions, material.labels[FITTED], n_seeds)
    step.expect(sum(len(method.seeds) for method in found) * (1 + len(material.scored_parts)))
    return found


@contextmanager
def _bar(
    plan: Sequence[Method], material: Material, progress: bool | None, ceiling: bool | str
) -> Iterator["Steps"]:
    """A progress bar; yields what is called with a few words for each step."""
    total = sum(len(method.seeds) for method in plan) * (1 + len(material.scored_parts))
    if ceiling in (True, FOREST) and any(material.pair(part) for part in material.scored_parts):
        total += n_forests(material.labels[FITTED])
    with progress_bar(total, "step", shown=progress) as bar:
        yield Steps(bar)


class Steps:
    """Tells a progress bar of every step."""

    def __init__(self, bar: Any):
        self._bar = bar

    def __call__(self, words: str) -> None:
        """One step is done."""
        self._bar.set_postfix_str(words, refresh=False)
        self._bar.update()

    def expect(self, n_steps: int) -> None:
        """Further steps have become known."""
        self._bar.total += n_steps


def _metadata_of(
    metadata: Metadata | None, material: Material, facts: Mapping[str, Any]
) -> Callable[[], dict[str, Any]]:
    """What gives the metadata of saved models, computed once."""
    known: list[dict[str, Any]] = []

    def given() -> dict[str, Any]:
        if not known:
            rows = material.split.fitted
            found = metadata(rows) if callable(metadata) else metadata or {}
            known.append(dict(found))
            if facts["is_random_split"]:
                split = {"fraction": facts["held_out"], "split_seed": facts["split_seed"]}
                known[0]["held_out"] = split
        return known[0]

    return given


def _facts(material: Material, fits: Sequence[Fit], scorer: Scorer) -> dict[str, Any]:
    """What is said of the study beside its scores."""
    parts = material.scored_parts
    return {
        "n_curves": len(material.curves[FITTED]) + len(material.curves[HELD_OUT]),
        "n_training": len(material.curves[FITTED]),
        "n_held_out": len(material.curves[HELD_OUT]),
        "n_scored": {part: len(material.curves[part]) for part in parts},
        "n_features": material.curves[FITTED].shape[1],
        "labels": sorted(material.labels[FITTED]),
        "incomplete_labels": material.incomplete[DATA],
        "expected_floor": {part: scorer.expected_floor(part) for part in parts},
        "remarks": remarks_on(material, fits),
        "fits": facts_of_fits(fits),
        "device": device_name(),
        "packages": package_versions(),
    }


def _all_failed(fitter: Fitter) -> Exception:
    """The exception for a study without a single fit."""
    pairs = [(failure["model"], failure["reason"].rstrip(".")) for failure in fitter.failures]
    found = [": ".join(pair) for pair in dict.fromkeys(pairs)]
    text = (
        f"methods must have at least one that can be scored, but all failed: {'; '.join(found)}. "
        "Check the methods and the curves."
    )
    is_numerical = all(isinstance(error, NumericalError) for error in fitter.errors)
    return NumericalError(text) if is_numerical else InputError(text)
