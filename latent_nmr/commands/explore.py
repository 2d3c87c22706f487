"""Write one HTML file on which one moves through the latent space of a model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from latent_nmr.commands._shell import ModelPath, Report
from latent_nmr.studies.echo_options import DataOptions


@dataclass(frozen=True)
class Options(DataOptions):
    """Write one HTML file on which one moves through the latent space of a model.

    It holds decoder, encoder and the embedded data, and needs no network: the decoded curve follows
    the pointer, beside the nearest simulated curve; where the decoder invents, the map is hatched;
    an echo as CSV can be dropped on it.
    """

    model: ModelPath
    """Folder of a trained model, or the name of one of the package, such as echo."""
    data: Annotated[tyro.conf.Positional[Path | None], tyro.conf.arg(metavar="DATA")] = None
    """Data set of echoes in any format, of which at most 3000 curves are shown; without it, the
    reference set."""
    out: Path = Path("map.html")
    """File to write."""
    force: bool = False
    """Replace an existing file."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Embed the data, make the page and save it."""
    from latent_nmr.commands._output import Output
    from latent_nmr.report.explorer import explore
    from latent_nmr.studies.trained_model import model_digest

    source = options.data
    inputs = {options.model: model_digest}
    if source is not None:
        inputs[source] = options.digest
    output = Output("explore", options, options.out, positional=("model", "data"), is_file=True)
    finished = output.finished(inputs)
    if finished is not None:
        return report_of(*finished, options.out)
    dataset = None if source is None else options.open(source)
    page = explore(options.model, dataset)
    with output.file() as staging:
        page.save(staging)
    values = {"n_shown": page.content.facts["n_shown"], "n_bytes": options.out.stat().st_size}
    manifest = output.write_manifest(values, {path: made(path) for path, made in inputs.items()})
    return report_of(manifest, "", options.out)


def report_of(values: dict, remark: str, out: Path) -> Report:
    """Lines and values of a page."""
    lines = [remark] if remark else []
    lines.append(
        f"{out}: {values['n_shown']} curves, {values['n_bytes'] / 1e6:.1f} MB; open it in a browser"
    )
    return Report(lines, {**values, "out": out})
