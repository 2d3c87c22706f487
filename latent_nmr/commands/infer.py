"""Say what an echo says of its material: couplings, W, L and the kernel, with probabilities."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from latent_nmr.commands._shell import Report
from latent_nmr.errors import InputError, check_choice, check_count
from latent_nmr.studies.measurement._options import MeasurementOptions

if TYPE_CHECKING:
    from latent_nmr.studies.design import DesignResult
    from latent_nmr.studies.posterior import Inference

Echoes = Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="ECHOES")]


@dataclass(frozen=True)
class Options(MeasurementOptions):
    """Say what an echo says of its material: couplings, W, L and the kernel, with probabilities.

    Data sets of echoes are taken as whole records, other files as measured echoes. Several are of
    one material, and their posteriors are combined. An echo whose verdict is OUTSIDE is refused.
    """

    echoes: Echoes
    """Data sets of echoes, or files of spectrometers."""
    model: Path | None = None
    """Folder of a posterior; without it, that of the package for such echoes."""
    theta: tuple[float, ...] = ()
    """Angle of the first pulse, degrees, of all or of each; without it, what the data say, or 90.
    """
    snr: float | None = None
    """Signal-to-noise ratio of a column; without it, it is found."""
    phase: Literal["trusted", "unknown"] = "unknown"
    """Whether the phase of whole records is trusted."""
    curve: int = 0
    """Number of the curve or record, from 0."""
    anyway: bool = False
    """Take an echo whose verdict is OUTSIDE."""
    predictive: int = 20
    """Curves to simulate for the page, of whole records; 0 for none."""
    next: bool = False
    """Say which pulse angle to measure next, at the noise of the last echo."""
    n_draws: int = 4000
    """Draws of the posterior."""
    seed: int = 0
    """Seed of draws and simulations."""
    out: Path | None = None
    """Page to write, .html; without it, none."""
    force: bool = False
    """Replace an existing file."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Infer, write the page, report."""
    from latent_nmr._files import path_digest
    from latent_nmr.commands._output import Output
    from latent_nmr.report.inference_page import write_page

    if not options.echoes:
        raise InputError("ECHOES must be at least one file, but there is none. Give one.")
    check_count("--predictive", options.predictive, at_least=0, at_most=max(0, options.n_draws))
    output, inputs = None, {}
    if options.out is not None:
        check_choice("the suffix of --out", options.out.suffix, (".html",))
        output = Output("infer", options, options.out, positional=("echoes",), is_file=True)
        given = [*options.echoes, *([] if options.model is None else [options.model])]
        inputs = {path: path_digest for path in given if path.exists()}
        finished = output.finished(inputs)
        if finished is not None:
            values, remark = finished
            return Report([*_lines(values), remark], values)
    found = _inferred(options)
    values, following = found.as_json(), None
    if options.next:
        following = _following(options, found, values)
    lines = _lines(values)
    if output is not None:
        if options.predictive:
            found.predict(options.predictive, options.seed)
        with output.file() as staging:
            own = values | {"command": output.command}
            write_page(found, own, staging, following)
        output.write_manifest(values, {path: path_digest(path) for path in inputs})
        lines.append(f"written    {options.out}")
    return Report(lines, values)


def _inferred(options: Options) -> "Inference":
    """The posterior; what cannot be used is told with the names of options."""
    from latent_nmr.report.measurement import options_in
    from latent_nmr.studies.posterior import infer

    measuring = options.settings()
    if measuring.pop("m0", None) is not None:
        raise InputError(
            f"--m0 must be left out, but is {options.m0}: posteriors take |M| of any gain. Use "
            "latent-nmr measure with it."
        )
    try:
        return infer(
            list(options.echoes),
            options.model,
            flip_angle_deg=options.theta or None,
            snr=options.snr,
            phase=options.phase == "trusted",
            curve=options.curve,
            anyway=options.anyway,
            n_draws=options.n_draws,
            random_state=options.seed,
            **measuring,
        )
    except InputError as error:
        raise InputError(options_in(str(error))) from error


def _lines(values: dict[str, Any]) -> list[str]:
    """The posterior in words, and the next echo if it was asked for."""
    from latent_nmr.report.design import design_lines
    from latent_nmr.report.inference import inference_lines

    following = ["", *design_lines(values["next"])] if "next" in values else []
    return [*inference_lines(values), *following]


def _following(options: Options, found: "Inference", values: dict[str, Any]) -> "DesignResult":
    """The design of a further echo, which `values` then hold too."""
    from latent_nmr.report.design import design_values
    from latent_nmr.studies.design import next_design

    result = next_design(found, phase=options.phase == "trusted", seed=options.seed)
    values["next"] = design_values(result)
    return result
