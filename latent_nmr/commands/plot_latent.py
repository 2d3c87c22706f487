"""Draw the latent map of a data set, coloured by labels."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from latent_nmr.commands._shell import Report


@dataclass(frozen=True)
class Options:
    """Draw the latent map of a data set, one panel per label."""

    model: tyro.conf.Positional[Path]
    """Folder of a trained model, or the name of one that comes along, such as echo."""
    data: tyro.conf.Positional[Path]
    """Data set of echoes; reference is the set that comes along."""
    color: tuple[str, ...] = ("kernel", "W", "L")
    """Labels that colour the panels: kernel, W, L, alpha_x, alpha_z."""
    out: Path = Path("latent_map")
    """Where to write; .png and .pdf are added."""
    force: bool = False
    """Replace existing files."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Embed the data, draw the map and save it as PNG and PDF."""
    from latent_nmr.commands._figures import save_whole
    from latent_nmr.data.windows import features
    from latent_nmr.studies.latent_figures import draw_latent_map, embedding_table
    from latent_nmr.studies.stores import load_for_model
    from latent_nmr.studies.trained_model import load_model

    model = load_model(options.model)
    dataset = load_for_model(options.data, model)
    X = features(dataset, model.metadata_["window"], model.metadata_["normalisation"])
    table = embedding_table(model, dataset, X)
    figure = draw_latent_map(table, options.color, model.n_components)
    return save_whole(figure, options.out, force=options.force)
