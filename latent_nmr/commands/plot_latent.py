"""Plot the latent map of a data set, coloured by labels."""

from dataclasses import dataclass
from pathlib import Path

from latent_nmr.commands._shell import DataPath, ModelPath, Report
from latent_nmr.studies.echo_options import DataOptions


@dataclass(frozen=True)
class Options(DataOptions):
    """Plot the latent map of a data set, one panel per label."""

    model: ModelPath
    """Folder of a trained model, or the name of one of the package, such as echo."""
    data: DataPath
    """Data set of echoes in any format, or reference for the set that comes with the package."""
    color: tuple[str, ...] = ("kernel", "W", "L")
    """Labels that colour the panels: any of W, L, kernel, alpha_x, alpha_z, and labels of your own.
    Data without the default ones are coloured by those that they have."""
    out: Path = Path("latent_map")
    """Figure to write: .png (the default), .pdf or .svg."""
    force: bool = False
    """Replace an existing file."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Embed the data, draw the map and save it."""
    from latent_nmr.commands._output import Output
    from latent_nmr.studies._result import figure_path
    from latent_nmr.studies.latent_figures import map_figures
    from latent_nmr.studies.trained_model import load_model, model_digest

    out = figure_path(options.out)
    output = Output("plot-latent", options, out, positional=("model", "data"), is_file=True)
    inputs = {
        options.model: model_digest,
        options.data: options.digest,
    }
    return output.keep_figure(
        lambda: map_figures(load_model(options.model), options.open(options.data), options.color),
        inputs,
    )
