"""Fit classifiers, forests and networks to labelled echoes, and score them on held-out curves."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joblib import cpu_count

from latent_nmr._progress import progress_bar
from latent_nmr.analysis.classification import CLASSIFIERS, TASKS, TREES, class_names, classes_of
from latent_nmr.data._attributes import line_draw_of, pulse_angles_of
from latent_nmr.data.echoes import check_frame
from latent_nmr.data.feature_settings import FeatureSettings
from latent_nmr.data.labels import labelled_fingerprint
from latent_nmr.data.protocols import own_attributes
from latent_nmr.data.windows import HALF_WIDTHS, NORMALISATIONS
from latent_nmr.errors import NumericalError, check_choice, check_count, check_number
from latent_nmr.studies._estimators import reason_of
from latent_nmr.studies._identity import digest_of, package_versions
from latent_nmr.studies._ledger import Ledger, Step
from latent_nmr.studies._result import as_records
from latent_nmr.studies._threads import threads_side_by_side
from latent_nmr.studies._workplace import time_kept
from latent_nmr.studies.probes.data import FeatureMaker, Material, gather
from latent_nmr.studies.probes.measurements import (
    confusions_of,
    constant_labels_of,
    eliminations_of,
    importances_of,
    predictions_of,
    records_of,
)
from latent_nmr.studies.probes.names import FOREST, KINDS, TARGETS
from latent_nmr.studies.probes.network import default_network
from latent_nmr.studies.probes.plan import Choice, Plan, plan_of
from latent_nmr.studies.probes.result import ProbeResult, arrays_to_draw
from latent_nmr.studies.probes.steps import Facts, Repetition, facts_of

if TYPE_CHECKING:
    import xarray as xr

    from latent_nmr.data.polar import Polar

# Side by side: each holds curves and kernel matrices of its own, and forests use all cores.
MOST_FITS = 8

Done = list[tuple[Facts, Any]]
Failures = list[dict[str, Any]]


def probe(
    dataset: "xr.Dataset",
    *,
    features: Choice = KINDS,
    targets: str | Sequence[str] = TARGETS,
    tasks: str | Sequence[str] = TASKS,
    classifiers: Choice = tuple(CLASSIFIERS),
    regressors: Choice = (FOREST,),
    n_components: int = 2,
    n_seeds: int = 5,
    n_forest_seeds: int | None = None,
    n_detail_seeds: int | None = None,
    window: str = "echo",
    normalisation: str = "initial",
    part: "str | Polar" = "magnitude",
    held_out: float = 0.2,
    n_trees: int = TREES,
    network: Any = None,
    folder: Path | str | None = None,
    progress: bool | None = None,
    n_jobs: int | None = None,
) -> ProbeResult:
    """Fit classifiers and regressors to labelled echoes, and score them on held-out curves.

    The supervised half of the published study: which law a curve follows (power law or not, and
    three kernels), classification within bins of W, and regression of W, L and couplings; on
    points of the curve, on multi-scale polynomials, and on coordinates learned without labels.
    Smaller classes are repeated in the training part only, and features are learned on it alone.

    Parameters
    ----------
    dataset : xarray.Dataset
        Labelled echoes, as :func:`latent_nmr.simulate` returns them.
    features : one or several names or transformers, or mapping
        Any of `points`, `polynomial`, `pca`, `latent`; or several side by side, as in
        `points+latent`. A mapping gives names to transformers of your own, which otherwise go by
        their class; text in it stands for the features of that name.
    targets : sequence of str
        Any of `kernel`, `W`, `L`, `alpha_x`, `alpha_z`, and labels of your own that are numbers;
        each must be known of every curve.
    tasks : sequence of str
        Classifications of the kernel: `binary` (power law or not), `three-class`.
    classifiers : one or several names or classifiers, or mapping
        Any of `logistic`, `knn`, `linear_svm`, `kernel_svm`, `sgd`, `tree`, `forest`, `boosting`,
        or a mapping from names to classifiers of your own.
    regressors : one or several names or regressors, or mapping
        `forest` (one for each target) and `network` (one for all targets and the kernel), or a
        mapping from names to regressors of your own.
    n_components : int, default=2
        Coordinates of `pca` and of `latent`, the β-VAE fitted to the training part.
    n_seeds : int, default=5
        Repetitions, each with its own split and fits.
    n_forest_seeds : int, optional
        The same for forests on points and polynomials: regression and its importances, out-of-bag
        and five-fold scores. By default `n_seeds`.
    n_detail_seeds : int, optional
        The same for leak, feature elimination and screening by W, all for power law or not, on
        points and polynomials. By default `n_seeds`; 0 leaves them out, and out-of-bag and
        five-fold scores, too.
    window : {"echo", "full", "echo300", "top"}
        Part of the record.
    normalisation : {"initial", "window_max", "height"}
        What |M| is divided by: |M(0)|, or the largest value in the window.
    part : {"magnitude", "both", "real", "imaginary", "polar"} or Polar
        What of M, as for :func:`latent_nmr.features`; polynomials are of each quantity.
    held_out : float, default=0.2
        Fraction of the curves that is only scored.
    n_trees : int, default=100
        Trees of every random forest.
    network : estimator, optional
        Unfitted regressor of several targets that `network` stands for; by default a
        :class:`latent_nmr.CurveRegressor` with hidden layers of 512, 128 and 64 units.
    folder : path-like, optional
        Where every finished fit is kept: a probe that was interrupted continues there.
    progress : bool, optional
        Whether to show a progress bar; by default on a terminal and in a notebook.
    n_jobs : int, optional
        Fits side by side; by default one per core, and at most 8.

    Returns
    -------
    ProbeResult
        With `table`, `records`, `figures`, `failures`, `save` and `load`.

    Raises
    ------
    InputError
        For parameters that cannot be used, or data without the labels.
    NumericalError
        If every fit failed. Otherwise, those that fail are in `failures`, and the others are kept.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> from sklearn.linear_model import RidgeCV
    >>> ds = ln.simulate("paper", n_curves=120, seed=0, n_edge=10, step=4)
    >>> result = ln.probe(ds, features="points", targets="W", regressors={"ridge": RidgeCV()},
    ...                   n_seeds=2)
    >>> result.table[["target", "group", "model", "labels", "n_seeds"]].head(1)
      target group  model labels  n_seeds
    0      W   all  ridge  given        2
    """
    check_choice("window", window, HALF_WIDTHS)
    check_choice("normalisation", normalisation, NORMALISATIONS)
    check_count("n_components", n_components)
    check_number("held_out", held_out, above=0, at_most=0.9)
    n_workers = min(cpu_count(), MOST_FITS) if n_jobs is None else check_count("n_jobs", n_jobs)
    check_frame(dataset)
    network = default_network() if network is None else network
    chosen = FeatureSettings.for_data(dataset, window, normalisation, part)
    material = gather(dataset, chosen, held_out=held_out)
    plan = plan_of(
        material,
        features=features,
        targets=targets,
        tasks=tasks,
        classifiers=classifiers,
        regressors=regressors,
        n_seeds=n_seeds,
        n_forest_seeds=n_forest_seeds,
        n_detail_seeds=n_detail_seeds,
        n_trees=n_trees,
        network=network,
    )
    settings = {**chosen.as_metadata(), "held_out": held_out, "n_components": n_components}
    data_digest = labelled_fingerprint(dataset)
    identity = {**settings, "n_trees": n_trees, "network": digest_of(network), "data": data_digest}
    ledger = Ledger(None if folder is None else Path(folder), identity)
    with time_kept(None if folder is None else Path(folder)) as total:
        done, failures = _fit_all(plan, material, ledger, n_components, n_workers, progress)
    about = {
        **settings,
        "data_sha256": data_digest,
        "line_draw": line_draw_of(dataset.attrs),
        "pulse_angles_rad": pulse_angles_of(own_attributes(dataset)),
        "packages": package_versions(),
        "seconds": total["seconds"],
    }
    return _result(plan, material, done, failures, about)


def _fit_all(
    plan: Plan,
    material: Material,
    ledger: Ledger,
    n_components: int,
    n_workers: int,
    progress: bool | None,
) -> tuple[Done, Failures]:
    """Results of all steps that did not fail, split by split: features once, then the fits."""
    done: Done = []
    failures: Failures = []
    by_seed = [facts_of(plan, material, seed) for seed in range(plan.n_forest_seeds)]
    with (
        threads_side_by_side(),
        progress_bar(sum(map(len, by_seed)), "step", shown=progress) as bar,
    ):
        maker = FeatureMaker(
            material,
            plan.kinds,
            {kind: plan.foreign[kind] for kind in _foreign_kinds(plan)},
            n_components,
            ledger,
            lambda kind, seed, reason: failures.append(_failed_features(kind, seed, reason)),
        )
        for seed, wanted in enumerate(by_seed):
            split = material.split(seed)
            missing = [facts["features"] for facts in wanted if not ledger.has(facts)]
            tables = maker.tables(tuple(dict.fromkeys(missing)), split, seed)
            repetition = Repetition(plan, material, seed, split, tables)
            lost = set(missing) - set(tables)
            possible = [facts for facts in wanted if facts["features"] not in lost]
            bar.update(len(wanted) - len(possible))
            done += _fit(repetition, possible, ledger, n_workers, bar, failures)
    return done, failures


def _fit(
    repetition: Repetition,
    wanted: list[Facts],
    ledger: Ledger,
    n_workers: int,
    bar: Any,
    failures: Failures,
) -> Done:
    """Results of the steps of one repetition, side by side."""

    def step(facts: Facts) -> Step:
        return Step(facts, lambda: repetition.compute(facts))

    def on_step(finished: Step) -> None:
        bar.set_postfix_str(finished.title, refresh=False)
        bar.update()

    found = ledger.take_all(
        [step(facts) for facts in wanted],
        n_workers=n_workers,
        on_step=on_step,
        on_interrupt=lambda running: bar.set_postfix_str(
            f"interrupted: waiting for {', '.join(step.title for step in running)}"
        ),
        on_failure=lambda step, error: failures.append(_failed_fit(step.facts, error)),
    )
    return [
        (facts, result) for facts, result in zip(wanted, found, strict=True) if result is not None
    ]


def _foreign_kinds(plan: Plan) -> list[str]:
    kinds = dict.fromkeys(kind for joined in plan.kinds.values() for kind in joined)
    return [kind for kind in kinds if kind in plan.foreign]


def _failed_features(kind: str, seed: int, reason: str) -> dict[str, Any]:
    return {
        "step": "features", "model": kind, "features": kind, "target": "", "seed": seed,
        "reason": reason,
    }  # fmt: skip


def _failed_fit(facts: Any, error: Exception) -> dict[str, Any]:
    return {
        "step": facts["step"],
        "model": facts.get("model", "network" if facts["step"] == "network" else FOREST),
        "features": facts["features"],
        "target": facts.get("target") or " ".join(facts.get("targets", ())),
        "seed": facts["seed"],
        "reason": reason_of(error),
    }


def _result(
    plan: Plan, material: Material, done: Done, failures: Failures, about: dict[str, Any]
) -> ProbeResult:
    """Gather what all steps gave."""
    if not done:
        first = failures[0]
        raise NumericalError(
            f"at least one fit must succeed, but all failed; the first, {first['model']} on "
            f"{first['features']}, seed {first['seed']}: {first['reason'].rstrip('.')}. Drop it."
        )
    split, kernels = material.split(0), material.kernels
    importances, importance_arrays = importances_of(done)
    predictions, prediction_arrays = predictions_of(done)
    facts = {
        **about,
        "n_seeds": plan.n_seeds,
        "n_forest_seeds": plan.n_forest_seeds,
        "n_detail_seeds": plan.n_detail_seeds,
        "n_curves": len(material.curves),
        "incomplete_labels": material.incomplete,
        "constant_labels": constant_labels_of(done),
        "n_samples": material.curves.shape[1],
        "n_training": len(split.fitted),
        "n_held_out": len(split.held_out),
        "classes": {
            task: class_names(classes_of(kernels, task))
            for task in plan.tasks
            if kernels is not None
        },
        "confusions": confusions_of(done),
        "eliminations": eliminations_of(done),
        "importances": importances,
        "predictions": predictions,
    }
    arrays = {**arrays_to_draw(material), **importance_arrays, **prediction_arrays}
    return ProbeResult(as_records(records_of(done)), facts, arrays, failures)
