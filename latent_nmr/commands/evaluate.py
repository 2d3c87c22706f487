"""Compare representations on one held-out split, with spread, ceiling and floor."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from latent_nmr.commands._shell import Report

if TYPE_CHECKING:
    from latent_nmr.commands._evaluation_data import Material
    from latent_nmr.commands._representations import Fit
    from latent_nmr.models.beta_vae import BetaVAE

# Options that change where and how results appear, not what they are.
NOT_SETTINGS = ("out", "force", "json")


@dataclass(frozen=True)
class Options:
    """Compare representations on one held-out split, with spread, ceiling and floor.

    Everything is fitted on the training part and scored on the held-out part. Writes a page
    (report.html), the table (scores.csv, scores.json), every embedding and every β-VAE.
    """

    data: tyro.conf.Positional[Path]
    """Zarr store or compact set of echoes; without labels, only label-free scores are given."""
    methods: tuple[str, ...] = ("pca", "umap", "kmeans", "vae")
    """What to compare: pca, umap, kmeans, vae."""
    models: tuple[Path, ...] = ()
    """Trained β-VAEs to take for vae; they must not have seen the held-out part. Without them,
    vae is trained on the training part."""
    n_components: tuple[int, ...] = (2,)
    """Dimensions at which to compare."""
    n_seeds: int = 5
    """Seeds of every method that has one."""
    window: str = "echo"
    """Part of the record: echo, full or echo300."""
    normalisation: str = "initial"
    """What |M| is divided by: initial (|M(0)|) or window_max."""
    held_out: float = 0.2
    """Part of the curves that is only scored."""
    split_seed: int = 0
    """Seed of the split."""
    also: tuple[Path, ...] = ()
    """Further data sets, of which every curve is scored: other ν, another seed."""
    ceiling: bool = True
    """Fit the random forests of the ceiling; minutes on thousands of curves."""
    out: Path | None = None
    """Folder to write; without it, artifacts/runs/evaluate-WINDOW."""
    force: bool = False
    """Replace an earlier evaluation; fits on the same data and split are kept."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Gather, fit, score, write, report."""
    from latent_nmr._files import sole_writer
    from latent_nmr.commands._evaluation_data import gather
    from latent_nmr.commands._evaluation_folder import finished_evaluation, report_of, write_all

    check_options(options)
    out = options.out or Path("artifacts/runs") / f"evaluate-{options.window}"
    settings = settings_of(options)
    finished = finished_evaluation(out, settings, force=options.force)
    if finished is not None:
        return report_of(finished, out, f"{out} is already finished; use --force to do it anew.")
    material = gather(
        options.data,
        options.also,
        window=options.window,
        normalisation=options.normalisation,
        fraction=options.held_out,
        split_seed=options.split_seed,
    )
    models = given_models(options, material)
    with sole_writer(out):
        result = write_all(out, material, fits_to_make(options, models), models, settings)
    return report_of(result, out, "")


def check_options(options: Options) -> None:
    """Check all that can be checked without reading a file."""
    from latent_nmr.commands._representations import METHODS
    from latent_nmr.data.windows import HALF_WIDTHS, NORMALISATIONS
    from latent_nmr.errors import InputError, check_choice, check_count, check_number

    check_choice("--window", options.window, HALF_WIDTHS)
    check_choice("--normalisation", options.normalisation, NORMALISATIONS)
    check_count("--n-seeds", options.n_seeds)
    check_count("--split-seed", options.split_seed, at_least=0, at_most=2**32 - 1)
    check_number("--held-out", options.held_out, above=0, at_most=0.9)
    for name, values in (("--methods", options.methods), ("--n-components", options.n_components)):
        if not values or len(set(values)) < len(values):
            raise InputError(
                f"{name} must name each of one or more once, but is {' '.join(map(str, values))}. "
                "Leave it out for the default."
            )
    for method in options.methods:
        check_choice("--methods", method, METHODS)
    for n_components in options.n_components:
        check_count("--n-components", n_components)
    if options.models and "vae" not in options.methods:
        raise InputError(
            f"--models must come with the method vae, but --methods is "
            f"{' '.join(options.methods)}. Add vae, or leave --models out."
        )
    places = [path.resolve() for path in options.models]
    if len(set(places)) < len(places):
        raise InputError("--models must be different folders, but one is given twice. Drop it.")


def settings_of(options: Options) -> dict[str, Any]:
    """Options that decide the result, as JSON holds them."""
    from latent_nmr.commands._progress import plain_settings

    return plain_settings(asdict(options), NOT_SETTINGS)


def fits_to_make(options: Options, models: dict["Fit", "BetaVAE"]) -> list["Fit"]:
    """Every fit of the table; those of given models in place of fits of our own."""
    from latent_nmr.commands._representations import fits_of

    methods = [method for method in options.methods if method != "vae" or not models]
    return sorted({*fits_of(methods, options.n_components, options.n_seeds), *models})


def given_models(options: Options, material: "Material") -> dict["Fit", "BetaVAE"]:
    """Read the models of --models and check that they are of this experiment."""
    from latent_nmr.commands._representations import Fit
    from latent_nmr.errors import InputError
    from latent_nmr.studies.trained_model import check_sampling, load_model

    found: dict[Fit, BetaVAE] = {}
    for path in options.models:
        model = load_model(path)
        for name in ("window", "normalisation"):
            wanted, have = getattr(options, name), model.metadata_[name]
            if have != wanted:
                raise InputError(
                    f"--models must be of the {name} {wanted}, but {path} is of {have}. "
                    f"Say --{name} {have}."
                )
        check_sampling(material.dataset, options.data, model)
        refuse_seen_curves(model, path, material)
        if model.n_components not in options.n_components:
            raise InputError(
                f"--models must have a number of axes among --n-components "
                f"({' '.join(map(str, options.n_components))}), but {path} has "
                f"{model.n_components}. Add it to --n-components."
            )
        fit = Fit("vae", model.n_components, len(found))
        found[fit] = model
    return found


def refuse_seen_curves(model: "BetaVAE", path: Path, material: "Material") -> None:
    """Raise `InputError` if a model was fitted on a curve that is to be scored."""
    from latent_nmr.errors import InputError
    from latent_nmr.studies.trained_model import training_split

    for part in material.scored_parts:
        n_seen = int((training_split(model, material.curves[part]) != "new").sum())
        if n_seen:
            raise InputError(
                f"--models must not have seen a curve that is scored, or the scores would flatter, "
                f"but {path} was trained on {n_seen} of the {len(material.curves[part])} curves "
                f"of the {part} part. Leave --models out, to train on the training part alone; or "
                "evaluate on fresh data."
            )
