"""Plot the curves that a model generates along a latent axis."""

from dataclasses import dataclass
from pathlib import Path

from latent_nmr.commands._shell import ModelPath, Report
from latent_nmr.studies.echo_options import DataOptions


@dataclass(frozen=True)
class Options(DataOptions):
    """Plot the curves that a model generates along a latent axis.

    They are coloured by the mean W of the data nearest to them: those of --data, or those in
    the model folder's embedding.csv.
    """

    model: ModelPath
    """Folder of a trained model, or the name of one of the package, such as echo."""
    axis: int = 1
    """Latent axis, counted from 1."""
    data: Path | None = None
    """Data set of echoes whose W colours the curves."""
    span: float = 2.5
    """Traverse z from -SPAN to SPAN."""
    n_steps: int = 11
    """Number of curves."""
    out: Path | None = None
    """Figure to write: .png (the default), .pdf or .svg; without it, traversal_LA<axis>."""
    force: bool = False
    """Replace an existing file."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Decode the curves, draw them and save the figure."""
    from latent_nmr._files import file_digest
    from latent_nmr.commands._output import Output
    from latent_nmr.studies._result import figure_path
    from latent_nmr.studies.embedding import embed, read_embedding
    from latent_nmr.studies.latent_figures import traversal_figures
    from latent_nmr.studies.trained_model import load_model, model_digest

    out = figure_path(options.out or Path(f"traversal_LA{options.axis}"))
    output = Output("traverse", options, out, positional=("model",), is_file=True)
    beside = options.model / "embedding.csv"
    inputs = {options.model: model_digest}
    if options.data is not None:
        inputs[options.data] = options.digest
    elif beside.is_file():
        inputs[beside] = file_digest

    def draw():
        model = load_model(options.model)
        if options.data is not None:
            table = embed(model, options.open(options.data))
        else:
            table = read_embedding(beside) if beside.is_file() else None
        return traversal_figures(
            model, options.axis, table, span=options.span, n_steps=options.n_steps
        )

    return output.keep_figure(draw, inputs)
