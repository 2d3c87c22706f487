"""The ML4SCI challenge of 2020 and 2021, on its own files or on simulated curves."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tyro

from latent_nmr.commands._shell import SOME_REFUSED, SUCCESS, Report

if TYPE_CHECKING:
    pass

RESULT_FILE = "challenge.json"
FORMAT = "latent_nmr.challenge"


@dataclass(frozen=True)
class Options:
    """Fit the models of the ML4SCI challenge, score them, and write a submission.

    Models: the course's baseline, the public deep network, the pipeline that won in 2020, and our
    best. Without --data, an equivalent set is simulated. The edition spin, our reading of that of
    November 2021, asks for α_x, α_z and the pulse angle θ, drawn from 30° to 150°.
    """

    edition: tyro.conf.Positional[Literal["2020", "2021-gauss", "2021-rkky", "spin"]]
    """Edition of the challenge."""
    data: Path | None = None
    """Folder with the challenge's own files; without it, curves are simulated."""
    models: tuple[Literal["baseline", "deep", "winners", "best"], ...] = (
        "baseline",
        "deep",
        "winners",
        "best",
    )
    """Models to fit."""
    n_seeds: int = 3
    """Number of repetitions, each with a test part and fits of its own."""
    max_epochs: int | None = None
    """Epochs of every network; without it, as many as were published."""
    n_curves: int | None = None
    """Simulated curves to fit and test on; without it 2000, and 3000 for spin."""
    n_evaluation: int | None = None
    """Simulated curves to submit predictions of; without it 500, and none for spin."""
    line_draw: Literal["independent", "stratified", "frozen"] = "independent"
    """How ν of simulated curves is drawn; frozen is the flaw of part of the public data."""
    seed: int = 0
    """Seed of the simulated curves."""
    also: tuple[Path, ...] = ()
    """Additional test sets of the same edition, scored in full: another line, another seed."""
    out: Path | None = None
    """Folder to write; without it, artifacts/runs/challenge-EDITION-LINE_DRAW."""
    force: bool = False
    """Replace an earlier result; fits on the same data are kept."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Open or simulate the data, call the study, write submission, figures and scores, report."""
    from latent_nmr.commands._output import Output
    from latent_nmr.commands._shell import tell
    from latent_nmr.data.io import open_echoes
    from latent_nmr.errors import InputError

    kind = "files" if options.data else options.line_draw
    out = options.out or Path("artifacts/runs") / f"challenge-{options.edition}-{kind}"
    output = Output("challenge", options, out, positional=("edition",))
    names = [path.stem for path in options.also]
    if len(set(names)) < len(names):
        raise InputError(
            f"--also must name sets by different names, but they are {' '.join(names)}. Rename one."
        )
    inputs = dict.fromkeys(options.also, _digest_of_set)
    if options.data is not None:
        inputs[options.data] = lambda folder: _digest_of_files(options.edition, folder)
    finished = output.finished(inputs)
    if finished is not None and not finished[0]["failures"]:
        return _report(finished[0], finished[1], out)
    data = _real_files(options) if options.data else _place_to_simulate(options)
    also = {path.stem: open_echoes(path) for path in options.also}
    with output.folder(kept=("steps", "seconds.json")) as folder:
        tell(f"Challenge {options.edition}: every fit is kept in {folder}")
        manifest = _write_all(output, folder, options, {**data, "also": also}, inputs)
    return _report(manifest, "", out)


def _write_all(output: Any, folder: Path, options: Options, data: dict, inputs: dict) -> dict:
    """Call the study and write everything into `folder`; returns the manifest."""
    from latent_nmr._files import write_json
    from latent_nmr.data.submission import SUBMISSION_NAMES
    from latent_nmr.report.challenge import challenge_values
    from latent_nmr.studies.challenge import challenge

    changed = {} if options.max_epochs is None else {"max_epochs": options.max_epochs}
    result = challenge(
        options.edition,
        models=options.models,
        n_seeds=options.n_seeds,
        network_parameters=changed,
        folder=folder,
        **data,
    )
    values = {
        "format": FORMAT,
        "command": output.command,
        "settings": output.settings,
        **challenge_values(result),
    }
    if "submission" in result.arrays and options.edition in SUBMISSION_NAMES:
        name, n_rows = SUBMISSION_NAMES[options.edition], len(result.arrays["submission"])
        result.write_submission(folder / name)
        values["submission"] = {"file": name, "model": values["submitted"], "n_rows": n_rows}
    result.figures.save(folder / "figures")
    result.write_into(folder)
    write_json(folder / RESULT_FILE, values)
    digests = {path: digest(path) for path, digest in inputs.items()}
    return output.write_manifest(values, digests, folder)


def _real_files(options: Options) -> dict[str, Any]:
    """The challenge's own curves, to fit on and to submit predictions of."""
    from latent_nmr.data.formats import open_challenge
    from latent_nmr.errors import InputError

    for name in ("n_curves", "n_evaluation"):
        value = getattr(options, name)
        if value is not None:
            raise InputError(
                f"--{name.replace('_', '-')} must be left out with --data, whose files say how "
                f"many curves there are, but is {value}. Leave it out."
            )
    if options.edition == "spin":
        raise InputError(
            f"--data must be left out for the edition spin, which has no files, but is "
            f"{options.data}. Leave it out: the curves are simulated."
        )
    assert options.data is not None  # asked for where it is given
    dataset, evaluation = (
        open_challenge(options.data, options.edition, part) for part in ("model", "eval")
    )
    return {"dataset": dataset, "evaluation": evaluation, "source": str(options.data)}


def _place_to_simulate(options: Options) -> dict[str, Any]:
    """Number, line and place of the curves to simulate."""
    from latent_nmr.physics.simulate import Simulation
    from latent_nmr.studies.challenge import EDITIONS
    from latent_nmr.studies.stores import default_store

    names = ("n_curves", "n_evaluation", "line_draw", "seed")
    preset = EDITIONS[options.edition].preset
    simulation = Simulation(preset, seed=options.seed, line_draw=options.line_draw)
    settings = {name: getattr(options, name) for name in names}
    return {**settings, "store": default_store(simulation)}


def _digest_of_set(path: Path) -> str:
    from latent_nmr.data.echoes import fingerprint
    from latent_nmr.data.io import open_echoes

    return fingerprint(open_echoes(path))


def _digest_of_files(edition: str, folder: Path) -> str:
    from latent_nmr.data.echoes import fingerprint
    from latent_nmr.data.formats import open_challenge

    parts = (open_challenge(folder, edition, part) for part in ("model", "eval"))
    return "-".join(fingerprint(part) for part in parts)


def _report(manifest: dict[str, Any], remark: str, out: Path) -> Report:
    from latent_nmr.report.challenge import challenge_lines, title_of

    lines = [remark] if remark else []
    lines += challenge_lines(manifest)
    if "submission" in manifest:
        sent = manifest["submission"]
        lines.append(
            f"submission {out / sent['file']}: {sent['n_rows']} rows of {title_of(sent['model'])}"
        )
    lines.append(f"written    {out}/: {RESULT_FILE}, figures, models, result, steps")
    code = SOME_REFUSED if manifest["failures"] else SUCCESS
    return Report(lines, {**manifest, "out": str(out)}, code)
