"""What supervised models read off the echoes: kernel, W, L and couplings, on held-out curves."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from latent_nmr.commands._shell import Report

if TYPE_CHECKING:
    from latent_nmr.commands._probe_plan import Plan

# Options that change where and how results appear, not what they are.
NOT_SETTINGS = ("out", "force", "json")


@dataclass(frozen=True)
class Options:
    """Fit classifiers and random forests to labelled echoes, and score them on held-out curves.

    The supervised half of the published study: which law a curve follows (power law or not, and
    three kernels), screening by W, W, L and couplings, on points of the curve, on multi-scale
    polynomials, and on coordinates that were learned without labels. Smaller classes are repeated
    in the training part only.
    """

    data: tyro.conf.Positional[Path]
    """Zarr store or compact set of labelled echoes."""
    features: tuple[str, ...] = ("points", "polynomial", "pca", "latent")
    """What models see: points, polynomial, pca, latent; or several side by side, as in
    points+latent."""
    target: tuple[str, ...] = ("kernel", "W", "L", "alpha_x", "alpha_z")
    """What they are to tell: kernel, W, L, alpha_x, alpha_z."""
    tasks: tuple[str, ...] = ("binary", "three-class")
    """What is asked of the kernel: binary (power law or not), three-class."""
    algorithms: tuple[str, ...] = (
        "logistic", "knn", "linear_svm", "kernel_svm", "sgd", "tree", "forest", "boosting",
    )  # fmt: skip
    """Classifiers of the kernel: logistic, knn, linear_svm, kernel_svm, sgd, tree, forest,
    boosting."""
    regressors: tuple[str, ...] = ("forest",)
    """What numbers are told by: forest, one for each; network, one for all of them and the
    kernel."""
    n_components: int = 2
    """Coordinates of pca and of latent, the β-VAE trained on the training part."""
    n_seeds: int = 5
    """Repetitions, each with a split and fits of its own."""
    n_forest_seeds: int | None = None
    """The same for forests on points and polynomials: regression and its importances, out of bag,
    five-fold; without it, as many."""
    n_detail_seeds: int | None = None
    """The same for leak, feature elimination and screening by W, on points and polynomials, all of
    power law or not; without it, as many; 0 leaves them out, and out of bag and five-fold too."""
    window: str = "echo"
    """Part of the record: echo, full or echo300."""
    normalisation: str = "initial"
    """What |M| is divided by: initial (|M(0)|) or window_max."""
    held_out: float = 0.2
    """Part of the curves that is only scored."""
    out: Path | None = None
    """Folder to write; without it, artifacts/runs/probe-WINDOW."""
    force: bool = False
    """Replace an earlier probe; steps on the same data are kept."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Gather, fit and score step by step, write, report."""
    from latent_nmr._files import sole_writer
    from latent_nmr.commands._probe_data import gather
    from latent_nmr.commands._probe_folder import finished_probe, write_all
    from latent_nmr.commands._probe_plan import check_labels
    from latent_nmr.commands._probe_report import report_of
    from latent_nmr.commands._progress import plain_settings

    plan = checked_plan(options)
    out = options.out or Path("artifacts/runs") / f"probe-{options.window}"
    settings = plain_settings(asdict(options), NOT_SETTINGS)
    finished = finished_probe(out, settings, force=options.force)
    if finished is not None:
        return report_of(finished, out, f"{out} is already finished; use --force to do it anew.")
    material = gather(
        options.data,
        window=options.window,
        normalisation=options.normalisation,
        held_out=options.held_out,
        n_components=options.n_components,
    )
    check_labels(plan, material)
    with sole_writer(out):
        result = write_all(out, material, plan, settings)
    return report_of(result, out, "")


def checked_plan(options: Options) -> "Plan":
    """Check all that can be checked without reading a file."""
    from latent_nmr.analysis.classification import CLASSIFIERS, TASKS
    from latent_nmr.analysis.forest_regression import TARGETS
    from latent_nmr.commands._probe_data import JOIN, KINDS
    from latent_nmr.commands._probe_plan import KERNEL, REGRESSORS, Plan
    from latent_nmr.data.windows import HALF_WIDTHS, NORMALISATIONS
    from latent_nmr.errors import InputError, check_choice, check_count, check_number

    check_choice("--window", options.window, HALF_WIDTHS)
    check_choice("--normalisation", options.normalisation, NORMALISATIONS)
    check_count("--n-seeds", options.n_seeds)
    check_count("--n-components", options.n_components)
    check_number("--held-out", options.held_out, above=0, at_most=0.9)
    n_seeds = options.n_seeds
    n_forest_seeds = n_seeds if options.n_forest_seeds is None else options.n_forest_seeds
    n_detail_seeds = n_seeds if options.n_detail_seeds is None else options.n_detail_seeds
    check_count("--n-forest-seeds", n_forest_seeds, at_least=n_seeds)
    check_count("--n-detail-seeds", n_detail_seeds, at_least=0, at_most=n_seeds)
    for name in ("features", "target", "tasks", "algorithms", "regressors"):
        values = getattr(options, name)
        if not values or len(set(values)) < len(values):
            given = " ".join(values) or "empty"
            raise InputError(
                f"--{name} must name each of one or more once, but is {given}. "
                "Leave it out for the default."
            )
    for name in options.features:
        kinds = name.split(JOIN)
        for kind in kinds:
            check_choice("--features", kind, KINDS)
        if len(set(kinds)) < len(kinds):
            raise InputError(f"--features must join different kinds, but is {name}. Drop one.")
    for target in options.target:
        check_choice("--target", target, (KERNEL, *TARGETS))
    for task in options.tasks:
        check_choice("--tasks", task, TASKS)
    for algorithm in options.algorithms:
        check_choice("--algorithms", algorithm, CLASSIFIERS)
    for regressor in options.regressors:
        check_choice("--regressors", regressor, REGRESSORS)
    plan = Plan(
        features=options.features,
        targets=options.target,
        tasks=options.tasks,
        algorithms=options.algorithms,
        regressors=options.regressors,
        n_seeds=n_seeds,
        n_forest_seeds=n_forest_seeds,
        n_detail_seeds=n_detail_seeds,
    )
    if n_forest_seeds > n_seeds and not plan.explained:
        raise InputError(
            "--n-forest-seeds must be left out without points or polynomial among the features, "
            f"but is {n_forest_seeds}. Leave it out, or add them to --features."
        )
    return plan
