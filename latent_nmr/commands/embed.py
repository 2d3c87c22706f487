"""Write the latent coordinates of a data set to a file."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from latent_nmr.commands._shell import Report


@dataclass(frozen=True)
class Options:
    """Write the latent coordinates of a data set to a CSV file.

    Columns: curve, LA1, LA2, their posterior sd, W, L, kernel, alpha_x, alpha_z, split.
    """

    model: tyro.conf.Positional[Path]
    """Folder of a trained model."""
    data: tyro.conf.Positional[Path]
    """Zarr store of echoes."""
    out: Path = Path("embedding.csv")
    """File to write."""
    force: bool = False
    """Replace an existing file."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Embed the data and write the table."""
    from latent_nmr._files import staged_file
    from latent_nmr.commands._data import load_for_model
    from latent_nmr.commands._model import embedding_table, load_model, refuse_overwriting
    from latent_nmr.data.windows import features

    refuse_overwriting([options.out], options.force)
    model = load_model(options.model)
    dataset = load_for_model(options.data, model)
    X = features(dataset, model.metadata_["window"], model.metadata_["normalisation"])
    table = embedding_table(model, dataset, X)
    with staged_file(options.out) as staging:
        table.to_csv(staging, index=False)
    return Report(
        [f"{options.out}: {len(table)} curves × {len(table.columns)} columns"],
        {"out": str(options.out), "n_curves": len(table), "columns": list(table.columns)},
    )
