"""Say which pulse angle to measure next, and what it will buy."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from latent_nmr.commands._shell import Report
from latent_nmr.errors import InputError


@dataclass(frozen=True)
class Options:
    """Say which pulse angle to measure next, and what it will buy.

    Materials are drawn from the prior, and simulated after the pulses of every candidate at equal
    measuring time; the gain is how many nats of information an echo is expected to give.
    """

    model: Path = Path("posterior")
    """Folder of a posterior of whole records, or the name of one that comes with the package."""
    candidates: tuple[str, ...] = ("theta 30:150:10",)
    """Angles of the first pulse in degrees: "theta 30:150:10", "pair 60" is 60° and then 120°; with
    --linear also τ in µs: "tau 50:150:25" at 90°, "tau 50 at 60"."""
    snr: float = 30.0
    """|M(0)| of an echo at 90° over the noise of one column, 0.64 µs."""
    phase: Literal["trusted", "unknown"] = "trusted"
    """Whether phase and carrier of the echoes will be known."""
    flip_error: float = 0.0
    """Part by which pulses turn spins further than they are taken for, such as 0.03."""
    n_materials: int = 48
    """Materials whose gains are averaged."""
    n_draws: int = 400
    """Draws of every posterior."""
    seed: int = 0
    """Seed of materials, simulations and draws."""
    linear: bool = False
    """Also what derivatives of the simulator say, without the posterior; minutes an echo."""
    out: Path | None = None
    """Folder to write table, figure and gains of every material to; without it, none is kept."""
    force: bool = False
    """Replace an existing folder."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Rank the candidates, write, report."""
    from latent_nmr.commands._output import Output
    from latent_nmr.report.design import design_lines
    from latent_nmr.studies._ledger import STEPS_FOLDER
    from latent_nmr.studies.trained_model import model_digest

    if options.out is None:
        values = _design(options, None)
        return Report(design_lines(values), values)
    output = Output("design", options, options.out, positional=())
    inputs = {options.model: model_digest} if options.model.is_dir() else {}
    finished = output.finished(inputs)
    if finished is not None:
        return Report([*design_lines(finished[0]), finished[1]], finished[0])
    with output.folder(kept=(STEPS_FOLDER,)) as folder:
        values = {"command": output.command, **_design(options, folder)}
        shutil.rmtree(folder / STEPS_FOLDER)
        output.write_manifest(
            values, {path: digest(path) for path, digest in inputs.items()}, folder
        )
    return Report([*design_lines(values), f"written    {options.out}/"], values)


def _design(options: Options, folder: Path | None) -> dict[str, Any]:
    """The design as JSON holds it; table and figure are written into a folder."""
    from latent_nmr.report.design import design_values
    from latent_nmr.report.measurement import options_in
    from latent_nmr.studies.design import design

    names = ("candidates", "snr", "flip_error", "n_materials", "n_draws", "seed", "linear")
    how: dict[str, Any] = {name: getattr(options, name) for name in names}
    try:
        result = design(options.model, phase=options.phase == "trusted", folder=folder, **how)
    except InputError as error:
        text = str(error).replace("Ask for the linear check", "Ask for it with --linear")
        raise InputError(options_in(text)) from error
    if folder is not None:
        result.gains.to_csv(folder / "gains.csv", index=False)
        if options.linear:
            result.linear.to_csv(folder / "linear.csv", index=False)
        result.figures.save(folder)
    return design_values(result)
