"""Place measured echoes in latent space: a verdict, and W, L and kernel with intervals."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import tyro

from latent_nmr.commands._shell import SOME_REFUSED, SUCCESS, Report
from latent_nmr.errors import InputError, check_choice
from latent_nmr.studies.measurement._options import MeasurementOptions

Files = Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="FILES")]
OUT_SUFFIXES = (".html", ".json")


@dataclass(frozen=True)
class Options(MeasurementOptions):
    """Place measured echoes in latent space: a verdict, and W, L and kernel with intervals.

    Times are 100us, 0.1ms or 100 (µs); frequencies 50kHz or 0.05 (MHz). A file that cannot be used
    is refused with its reason and cure, the others go on, and the exit code is 4.
    """

    files: Files
    """Tecmag TNT, Bruker and Varian folders, NMRPipe, CSDM, NQR JSON, npz, tables as text."""
    model: Path = Path("measured-echo")
    """Model of measured echoes: a name of the package, or its folder."""
    seed: int = 0
    """Seed of the simulated measurements that records are compared with."""
    out: Path | None = None
    """Page to write, .html, or all numbers and curves, .json; without it, none."""
    force: bool = False
    """Replace an existing file."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Measure all files, write the page, report."""
    from latent_nmr.commands._output import Output
    from latent_nmr.report.measurement import in_options, options_in, refusal_text
    from latent_nmr.report.measurement_page import write_page
    from latent_nmr.studies.measurement import measure, measurement_digest
    from latent_nmr.studies.trained_model import model_digest

    if not options.files:
        raise InputError("FILES must be at least one file or folder, but there is none. Give one.")
    settings = options.settings()
    output, inputs = None, {}
    if options.out is not None:
        check_choice("the suffix of --out", options.out.suffix, OUT_SUFFIXES)
        output = Output("measure", options, options.out, positional=("files",), is_file=True)
        digest = partial(measurement_digest, opening=settings["opening"])
        inputs = {**dict.fromkeys(options.files, digest), options.model: model_digest}
        finished = output.finished(inputs)
        if finished is not None:
            return _report(finished[0]["result"], options, finished[1])
    try:
        result = measure(list(options.files), options.model, seed=options.seed, **settings)
    except InputError as error:
        raise InputError(options_in(str(error))) from error
    values = in_options(result.as_json(arrays=False))
    if len(result.refused) == len(result.files):
        raise InputError(" ".join(refusal_text(file["refused"]) for file in values["files"]))
    if output is not None:
        with output.file() as staging:
            if output.out.suffix == ".json":
                result.save(staging, overwrite=True)
            else:
                write_page(result, values | {"command": output.command}, staging)
        digests = {path: digest(path) for path, digest in inputs.items()}
        output.write_manifest({"result": values}, digests)
    return _report(values, options, f"written    {options.out}" * (output is not None))


def _report(values: dict[str, Any], options: Options, remark: str) -> Report:
    from latent_nmr.report.measurement import measurement_lines

    lines = measurement_lines(values) + ([remark] if remark else [])
    is_refused = any(file["refused"] for file in values["files"])
    shown = values if options.out is None else values | {"out": options.out}
    return Report(lines, shown, SOME_REFUSED if is_refused else SUCCESS)
