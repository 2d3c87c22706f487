"""Draw the curves that a model generates along a latent axis."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from latent_nmr.commands._shell import Report


@dataclass(frozen=True)
class Options:
    """Draw the curves that a model generates along a latent axis.

    They are coloured by the mean W of the data nearest to them: those of --data, or those in
    the model folder's embedding.csv.
    """

    model: tyro.conf.Positional[Path]
    """Folder of a trained model, or the name of one that comes along, such as echo."""
    axis: int = 1
    """Latent axis, counted from 1."""
    data: Path | None = None
    """Zarr store of echoes whose W colours the curves."""
    span: float = 2.5
    """The walk goes from -SPAN to SPAN."""
    n_steps: int = 11
    """Number of curves."""
    out: Path | None = None
    """Where to write; .png and .pdf are added; without it, traversal_LA<axis>."""
    force: bool = False
    """Replace existing files."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Decode the walk, draw it and save it as PNG and PDF."""
    from latent_nmr.commands._figures import save_whole
    from latent_nmr.errors import check_number
    from latent_nmr.studies.latent_figures import draw_traversals
    from latent_nmr.studies.trained_model import load_model

    span = check_number("--span", options.span, above=0)
    model = load_model(options.model)
    table = _embedding(options, model)
    figure = draw_traversals(model, (options.axis,), table, span=span, n_steps=options.n_steps)
    out = options.out or Path(f"traversal_LA{options.axis}")
    return save_whole(figure, out, force=options.force)


def _embedding(options: Options, model):
    """Embedding of --data, else the one in the model's folder, else None."""
    from latent_nmr.data.windows import features
    from latent_nmr.studies.latent_figures import embedding_table
    from latent_nmr.studies.stores import load_for_model

    if options.data is not None:
        dataset = load_for_model(options.data, model)
        X = features(dataset, model.metadata_["window"], model.metadata_["normalisation"])
        return embedding_table(model, dataset, X)
    beside = options.model / "embedding.csv"
    if beside.is_file():
        import pandas as pd

        return pd.read_csv(beside)
    return None
