"""Write the latent coordinates of a data set to a file."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from latent_nmr.commands._shell import Report

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Options:
    """Write the latent coordinates of a data set to a CSV, Parquet or npz file.

    Columns: curve, LA1, LA2, their posterior sd, rms (of curve minus reconstruction, as a fraction
    of what curves are normalised by), the labels W, L, kernel, alpha_x, alpha_z where known, and
    split: training or validation for the model's own data, else new. Curves are read in blocks,
    so that a store may be larger than memory.
    """

    model: tyro.conf.Positional[Path]
    """Folder of a trained model, or the name of one that comes along, such as echo."""
    data: tyro.conf.Positional[Path]
    """Data set of echoes; reference is the set that comes along."""
    out: Path = Path("embedding.csv")
    """File to write; its ending, .csv, .parquet or .npz, names the format."""
    force: bool = False
    """Replace an existing file."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Embed the data block by block and write the table."""
    from itertools import chain

    from tqdm.auto import tqdm

    from latent_nmr._files import staged_file
    from latent_nmr.commands._output import refuse_overwriting
    from latent_nmr.commands._table_files import table_format
    from latent_nmr.data.io import open_blocks
    from latent_nmr.data.windows import features
    from latent_nmr.studies.latent_figures import embedding_table
    from latent_nmr.studies.trained_model import check_sampling, load_model

    table_type = table_format(options.out)
    refuse_overwriting([options.out], options.force)
    model = load_model(options.model)
    echoes = open_blocks(options.data)
    blocks = echoes.blocks()
    first = next(blocks)
    check_sampling(first, options.data, model)
    window, normalisation = model.metadata_["window"], model.metadata_["normalisation"]
    columns: list[str] = []
    n_done = 0
    with (
        staged_file(options.out) as staging,
        tqdm(total=echoes.n_curves, unit="curve", delay=1, disable=None) as bar,
    ):
        table = table_type(staging)
        for block in chain([first], blocks):
            X = features(block, window, normalisation)
            rows = embedding_table(model, block, X)
            table.add(rows)
            columns = list(rows.columns)
            n_done += len(X)
            bar.update(len(X))
        table.close()
    return Report(
        [f"{options.out}: {n_done} curves × {len(columns)} columns"],
        {"out": str(options.out), "n_curves": n_done, "columns": columns},
    )
