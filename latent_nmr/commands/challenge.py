"""The ML4SCI challenge of 2020 and 2021, on its own files or on simulated curves."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from latent_nmr._letters import path_text
from latent_nmr.commands._shell import SOME_REFUSED, SUCCESS, Report, tell

RESULT_FILE = "challenge.json"
Model = Literal["baseline", "deep", "winners", "best"]


@dataclass(frozen=True)
class Options:
    """Fit the models of the ML4SCI challenge, score them, and write a submission.

    Models: the course's baseline, the public deep network, the pipeline that won in 2020, and our
    best. Without --data, an equivalent set is simulated. The edition spin, our reading of that of
    November 2021, asks for α_x, α_z and the pulse angle θ, drawn from 30° to 150°, or for the
    couplings alone of curves of one pulse angle; there are no files of it. Of data that hold |M|
    only, models see |M| where they would see Re and Im of M.
    """

    edition: Annotated[
        tyro.conf.Positional[Literal["2020", "2021-gauss", "2021-rkky", "spin"]],
        tyro.conf.arg(metavar="EDITION"),
    ]
    """Edition of the challenge: 2020, 2021-gauss, 2021-rkky or spin."""
    data: Path | None = None
    """Data set of the edition in any format, or reference for the one that comes with the package;
    of a folder with the challenge's own files, both parts; without it, curves are simulated."""
    evaluation: Path | None = None
    """Curves to submit predictions of, a data set in any format; scored, too, if it has labels."""
    part: Literal["complex", "magnitude"] | None = None
    """What of M models see; without it, what the data hold."""
    models: tuple[Model, ...] = ("baseline", "deep", "winners", "best")
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
    from latent_nmr.data.echoes import fingerprint
    from latent_nmr.data.io import open_echoes
    from latent_nmr.errors import InputError

    kind = "files" if options.data else options.line_draw
    out = options.out or Path("artifacts/runs") / f"challenge-{options.edition}-{kind}"
    output = Output("challenge", options, out, positional=("edition",))
    if len({path.stem for path in options.also}) < len(options.also):
        raise InputError(
            "--also must give sets of different names, but they are "
            f"{' '.join(path.stem for path in options.also)}. Rename one."
        )
    inputs: dict[Path, Any] = {path: lambda p: fingerprint(open_echoes(p)) for path in options.also}
    for path in filter(None, (options.data, options.evaluation)):
        inputs[path] = lambda p: "-".join(map(fingerprint, _given_data(options, p).values()))
    finished = output.finished(inputs)
    if finished is not None and not finished[0]["failures"]:
        return _report(finished[0], finished[1], out)
    data = _given_data(options) | ({} if options.data else _place_to_simulate(options))
    also = {path_text(path.stem): open_echoes(path) for path in options.also}
    with output.folder(kept=("steps", "seconds.json")) as folder:
        tell(f"Challenge {options.edition}: every fit is kept in {folder}")
        values = _write_all(folder, options, {**data, "also": also}, output)
        digests = {path: digest(path) for path, digest in inputs.items()}
        manifest = output.write_manifest(values, digests, folder)
    return _report(manifest, "", out)


def _write_all(folder: Path, options: Options, data: dict[str, Any], output: Any) -> dict[str, Any]:
    """Call the study and write everything but the manifest; returns what challenge.json holds."""
    from latent_nmr._files import write_json
    from latent_nmr.data.submission import SUBMISSION_NAMES
    from latent_nmr.report.challenge import challenge_values
    from latent_nmr.report.kept_results import CHALLENGE
    from latent_nmr.studies.challenge import challenge

    result = challenge(
        options.edition,
        models=options.models,
        part=options.part,
        n_seeds=options.n_seeds,
        network_parameters=_given(options, "max_epochs"),
        source=None if options.data is None else path_text(options.data),
        folder=folder,
        **_given(options, "n_curves", "n_evaluation"),
        **data,
    )
    head = {"format": CHALLENGE, "command": output.command, "settings": output.settings}
    values = head | challenge_values(result)
    if "submission" in result.arrays and options.edition in SUBMISSION_NAMES:
        name, n_rows = SUBMISSION_NAMES[options.edition], len(result.arrays["submission"])
        result.write_submission(folder / name)
        values["submission"] = {"file": name, "model": values["submitted"], "n_rows": n_rows}
    result.figures.save(folder / "figures")
    result.write_into(folder)
    write_json(folder / RESULT_FILE, values)
    return values


def _given(options: Options, *names: str) -> dict[str, Any]:
    """Options that are not left to the study."""
    return {n: getattr(options, n) for n in names if getattr(options, n) is not None}


def _given_data(options: Options, path: Path | None = None) -> dict[str, Any]:
    """Curves to fit on, and those to submit predictions of; with `path`, those from there only."""
    from latent_nmr.data.challenge_files import challenge_parts

    places = {"dataset": options.data, "evaluation": options.evaluation}
    if options.evaluation is None and options.data and challenge_parts(options.data):
        places["evaluation"] = options.data
    return {
        name: _open(place, options, name)
        for name, place in places.items()
        if place is not None and path in (None, place)
    }


def _open(path: Path, options: Options, name: str) -> Any:
    """Open a data set; of the challenge's own files, the part that is asked for."""
    from latent_nmr.data.challenge_files import challenge_parts, open_challenge
    from latent_nmr.data.io import open_echoes
    from latent_nmr.errors import InputError

    parts = challenge_parts(path)
    if not parts:
        return open_echoes(path)
    if options.edition == "spin":
        raise InputError(
            "data must not be the challenge's files for the edition spin, which has none, but are "
            f"at {path}. Leave them out to simulate curves, or give a set of its preset."
        )
    part = "model" if name == "dataset" else "eval"
    if path != options.data and (options.edition, part) not in parts:
        part = parts[0][1]  # curves with labels, too, can be those to submit
    return open_challenge(path, options.edition, part)


def _place_to_simulate(options: Options) -> dict[str, Any]:
    """Line, seed and store of the curves to simulate."""
    from latent_nmr.physics.simulate import Simulation
    from latent_nmr.studies.challenge import EDITIONS
    from latent_nmr.studies.stores import default_store

    facts = {"line_draw": options.line_draw, "seed": options.seed}
    return {**facts, "store": default_store(Simulation(EDITIONS[options.edition].preset, **facts))}


def _report(manifest: dict[str, Any], remark: str, out: Path) -> Report:
    from latent_nmr.commands._output import written_line
    from latent_nmr.report.challenge import challenge_lines, title_of

    lines = [*([remark] if remark else []), *challenge_lines(manifest)]
    if "submission" in manifest:
        sent = manifest["submission"]
        path, title = out / sent["file"], title_of(sent["model"])
        lines.append(f"submission {path}: {sent['n_rows']} rows of {title}")
    lines.append(written_line(out, manifest["files"]))
    code = SOME_REFUSED if manifest["failures"] else SUCCESS
    return Report(lines, {**manifest, "out": out}, code)
