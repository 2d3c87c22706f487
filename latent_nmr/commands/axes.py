"""Say which label each latent axis orders, and what several seeds agree on."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from latent_nmr.commands._shell import Report

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

    from latent_nmr.analysis.naming import AxisName
    from latent_nmr.models.beta_vae import BetaVAE

# Must be equal, or the axes are not those of one experiment.
SHARED_METADATA = ("window", "normalisation")
# Differ between seeds on purpose, or change nothing that is learned.
FREE_PARAMETERS = ("random_state", "verbose")


@dataclass(frozen=True)
class Options:
    """Say which label each latent axis orders, against chance, and what several seeds agree on.

    Models of several seeds give the spread. Of data that a model was trained on, only the curves
    it did not see are used to name its axes; of other data, all.
    """

    data: tyro.conf.Positional[Path]
    """Zarr store or compact set of echoes, with labels."""
    models: tuple[Path, ...]
    """Folders of trained models, one per seed."""
    align: bool = False
    """Name the axes after turning all latent clouds onto one another."""
    n_permutations: int = 999
    """Shuffles for the null of the rank correlation, over all seeds."""
    n_information_permutations: int = 199
    """Shuffles for the null of the mutual information, over all seeds."""
    seed: int = 0
    """Seed of the shuffles."""
    out: Path | None = None
    """CSV file for the table; without it, none is written."""
    force: bool = False
    """Replace an existing file."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Embed the data with every model, name the axes, compare the seeds."""
    from latent_nmr._files import staged_file
    from latent_nmr.analysis.alignment import align
    from latent_nmr.commands._axes_report import report_of, strength_table
    from latent_nmr.data.windows import features
    from latent_nmr.studies.latent_figures import EMBEDDED_LABELS
    from latent_nmr.studies.stores import load_for_model

    check_options(options)
    if options.out is not None:
        refuse_overwriting([options.out], options.force)
    models = load_models(options.models)
    dataset = load_for_model(options.data, models[0])
    X = features(dataset, *(models[0].metadata_[name] for name in SHARED_METADATA))
    latents = [model.transform(X) for model in models]
    rows = [unseen_rows(model, X) for model in models]
    labels = {
        name: dataset[name].to_numpy() for name in EMBEDDED_LABELS if name in dataset.variables
    }
    alignment = align(latents, random_state=options.seed) if len(models) > 1 else None
    clouds = alignment.latents if alignment is not None and options.align else latents
    names = name_with_progress(clouds, labels, rows, options)
    table = strength_table(names)
    if options.out is not None:
        with staged_file(options.out) as staging:
            table.to_csv(staging, index=False)
    report = report_of(names, table, alignment, describe_rows(dataset, rows))
    report.values["models"] = [str(path) for path in options.models]
    report.values["aligned"] = options.align
    report.lines.extend(differing_settings(models))
    report.lines.extend(unused_axes(options.models, models))
    if options.out is not None:
        report.lines.append(f"written    {options.out}: {len(table)} rows")
        report.values["out"] = str(options.out)
    return report


def check_options(options: Options) -> None:
    """Check all that can be checked without reading a file."""
    from latent_nmr.analysis.strength import FEWEST_PERMUTATIONS
    from latent_nmr.errors import InputError, check_count

    check_count("--seed", options.seed, at_least=0, at_most=2**32 - 1)
    for name in ("n_permutations", "n_information_permutations"):
        flag = "--" + name.replace("_", "-")
        check_count(flag, getattr(options, name), at_least=FEWEST_PERMUTATIONS)
    if not options.models:
        raise InputError("--models must name at least one folder, but is empty. Give one.")
    places = [path.resolve() for path in options.models]
    for number, path in enumerate(options.models):
        if places[number] in places[:number]:
            raise InputError(
                f"--models must be different models, but {path} is given twice. Leave one out."
            )
    if options.align and len(places) == 1:
        raise InputError(
            f"--align must have two models to turn onto each other, but --models is {places[0]} "
            "alone. Give another, or leave --align out."
        )


def load_models(paths: tuple[Path, ...]) -> list["BetaVAE"]:
    """Read the models and check that their axes can be compared."""
    from latent_nmr.errors import InputError
    from latent_nmr.studies.trained_model import load_model

    models = [load_model(path) for path in paths]
    first = models[0]
    for path, model in zip(paths[1:], models[1:], strict=True):
        pairs = {
            **{name: (first.metadata_[name], model.metadata_[name]) for name in SHARED_METADATA},
            "n_components": (first.n_components, model.n_components),
        }
        for name, (wanted, found) in pairs.items():
            if found != wanted:
                raise InputError(
                    f"--models must share one {name}, for their axes to be compared, but {path} "
                    f"has {found!r} and {paths[0]} {wanted!r}. Run the command for each alone."
                )
        if model.metadata_["time_us"] != first.metadata_["time_us"]:
            raise InputError(
                f"--models must share one time grid, for their axes to be compared, but {path} has "
                f"{len(model.metadata_['time_us'])} samples at other times than {paths[0]}. "
                "Run the command for each alone."
            )
    return models


def unseen_rows(model: "BetaVAE", X: "np.ndarray") -> "np.ndarray":
    """Curves, by their features `X`, that a model was not trained on."""
    import numpy as np

    from latent_nmr.studies.trained_model import training_split

    return np.flatnonzero(training_split(model, X) != "training")


def describe_rows(dataset: "xr.Dataset", rows: list["np.ndarray"]) -> str:
    """Say which curves name the axes."""
    n_curves = dataset.sizes["curve"]
    counts = [len(unseen) for unseen in rows]
    if min(counts) == n_curves:
        return f"all {n_curves}: no model was trained on any of them"
    some = " or ".join(str(count) for count in sorted(set(counts)))
    who = "each model" if len(rows) > 1 else "the model"
    return f"the {some} of {n_curves} that {who} was not trained on"


def differing_settings(models: list["BetaVAE"]) -> list[str]:
    """A note if models differ in more than their seed; then ± is a spread over that too."""
    first = models[0].get_params()
    names = [
        name
        for name in first
        if name not in FREE_PARAMETERS
        and any(model.get_params()[name] != first[name] for model in models)
    ]
    if not names:
        return []
    values = "; ".join(
        f"{name} {', '.join(str(model.get_params()[name]) for model in models)}" for name in names
    )
    return [f"note       the models differ in more than their seed: {values}"]


def unused_axes(paths: tuple[Path, ...], models: list["BetaVAE"]) -> list[str]:
    """A warning for each axis out of use, whose order means little however clear it is."""
    from latent_nmr.latent_axes import axis_warnings

    return [
        f"warning    {path}: {sentence}"
        for path, model in zip(paths, models, strict=True)
        for sentence in axis_warnings(model.axis_variances_, model.likelihood)
    ]


def name_with_progress(clouds, labels, rows, options: Options) -> list["AxisName"]:
    """`name_axes` with a progress bar."""
    from tqdm.auto import tqdm

    from latent_nmr.analysis.naming import name_axes

    total = len(clouds) * clouds[0].shape[1]
    with tqdm(total=total, desc="shuffling", unit="axis", delay=1, disable=None) as bar:
        return name_axes(
            clouds,
            labels,
            rows=rows,
            n_permutations=options.n_permutations,
            n_information_permutations=options.n_information_permutations,
            random_state=options.seed,
            on_step=bar.update,
        )


def refuse_overwriting(paths: list[Path], force: bool) -> None:
    """Raise `InputError` if a path is taken and the user did not say --force."""
    from latent_nmr.errors import InputError

    taken = [path for path in paths if path.exists()]
    if taken and not force:
        raise InputError(
            f"--out must be a new path, but {taken[0]} exists. Choose another, or use --force."
        )
