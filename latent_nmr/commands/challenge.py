"""The ML4SCI challenge of 2020 and 2021, on its own files or on fresh curves."""

from dataclasses import asdict, dataclass
from pathlib import Path

import tyro

from latent_nmr.commands._shell import Report

NOT_SETTINGS = ("out", "force", "json")


@dataclass(frozen=True)
class Options:
    """Fit the models of the ML4SCI challenge, score them, and write a submission.

    Models: the course's baseline, the public deep network, the pipeline that won in 2020, and our
    best. Without --data, an equivalent set is simulated. The edition spin, our reading of that of
    November 2021, asks for α_x, α_z and the pulse angle θ, drawn from 30° to 150°.
    """

    edition: tyro.conf.Positional[str]
    """2020, 2021-gauss, 2021-rkky or spin."""
    data: Path | None = None
    """Folder with the challenge's own files; without it, curves are simulated."""
    models: tuple[str, ...] = ("baseline", "deep", "winners", "best")
    """What to fit: baseline, deep, winners, best."""
    n_seeds: int = 3
    """Repetitions, each with a test part and fits of its own."""
    n_curves: int | None = None
    """Simulated curves to fit and test on; without it 2000, and 3000 for spin."""
    n_evaluation: int | None = None
    """Simulated curves to submit predictions of; without it 500, and none for spin."""
    line_draw: str = "independent"
    """How ν of simulated curves is drawn: independent, stratified, or frozen, the flaw of part of
    the public data."""
    seed: int = 0
    """Seed of the simulated curves."""
    also: tuple[Path, ...] = ()
    """Further stores of the same edition, which are scored only: another line, another seed."""
    out: Path | None = None
    """Folder to write; without it, artifacts/runs/challenge-EDITION-LINE_DRAW."""
    force: bool = False
    """Replace an earlier result; fits on the same data are kept."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Gather or simulate, fit and score step by step, write, report."""
    from latent_nmr._files import sole_writer
    from latent_nmr.commands._challenge_data import EDITIONS, check_varying, gather, read_other
    from latent_nmr.commands._challenge_folder import finished_challenge, write_all
    from latent_nmr.commands._challenge_report import report_of
    from latent_nmr.commands._progress import plain_settings

    check_options(options)
    edition = EDITIONS[options.edition]
    kind = "files" if options.data else options.line_draw
    out = options.out or Path("artifacts/runs") / f"challenge-{edition.name}-{kind}"
    settings = plain_settings(asdict(options), NOT_SETTINGS)
    finished = finished_challenge(out, settings, force=options.force)
    if finished is not None:
        return report_of(finished, out, f"{out} is already finished; use --force to do it anew.")
    default = edition.n_evaluation
    n_evaluation = default if options.n_evaluation is None else options.n_evaluation
    material = gather(
        edition,
        options.data,
        n_curves=options.n_curves or edition.n_curves,
        n_evaluation=n_evaluation,
        line_draw=options.line_draw,
        seed=options.seed,
    )
    check_varying(material)
    others = {path.stem: read_other(edition, path) for path in options.also}
    with sole_writer(out):
        result = write_all(out, material, others, options.models, options.n_seeds, settings)
    return report_of(result, out, "")


def check_options(options: Options) -> None:
    """Check all that can be checked without reading a file."""
    from latent_nmr.commands._challenge_data import EDITIONS
    from latent_nmr.errors import InputError, check_choice, check_count
    from latent_nmr.models.challenge_models import MODELS
    from latent_nmr.physics.line import DRAWS

    check_choice("the edition", options.edition, EDITIONS)
    check_choice("--line-draw", options.line_draw, DRAWS)
    check_count("--n-seeds", options.n_seeds)
    check_count("--seed", options.seed, at_least=0, at_most=2**32 - 1)
    if options.n_curves is not None:
        check_count("--n-curves", options.n_curves, at_least=50)
    if options.n_evaluation is not None:
        check_count("--n-evaluation", options.n_evaluation, at_least=0)
    for name, values in (("models", options.models), ("also", options.also)):
        if len(set(values)) < len(values) or (name == "models" and not values):
            raise InputError(
                f"--{name} must name each of one or more once, but is "
                f"{' '.join(map(str, values))}. Leave it out for the default."
            )
    for model in options.models:
        check_choice("--models", model, MODELS)
    if options.data is not None:
        for name in ("n_curves", "n_evaluation"):
            if getattr(options, name) is not None:
                flag = name.replace("_", "-")
                raise InputError(
                    f"--{flag} must be left out with --data, whose files say how many curves there "
                    f"are, but is {getattr(options, name)}. Leave it out."
                )
