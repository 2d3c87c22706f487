"""Write the latent coordinates of a data set to a file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from latent_nmr.commands._shell import DataPath, ModelPath, Report
from latent_nmr.studies.echo_options import DataOptions


@dataclass(frozen=True)
class Options(DataOptions):
    """Write the latent coordinates of a data set to a CSV, Parquet or npz file.

    Columns: curve, LA1, LA2, …, their posterior standard deviations, rms (of curve minus
    reconstruction, as a fraction of what curves are normalised by), the labels W, L, kernel,
    alpha_x, alpha_z where known, labels of other names, and split: training or validation for the
    model's own data, else new. Curves are read in blocks: a store may be larger than memory.
    """

    model: ModelPath
    """Folder of a trained model, or the name of one of the package, such as echo."""
    data: DataPath
    """Data set of echoes in any format, or reference for the set that comes with the package."""
    out: Path = Path("embedding.csv")
    """File to write; its suffix, .csv, .parquet or .npz, names the format."""
    by: Literal["curve", "material"] = "curve"
    """What a row is: of a material, all its repeats are one point."""
    force: bool = False
    """Replace an existing file."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Embed the data block by block and write the table."""
    from latent_nmr._progress import progress_bar
    from latent_nmr.commands._output import Output
    from latent_nmr.data.io import open_blocks
    from latent_nmr.report.table_files import table_format
    from latent_nmr.studies.embedding import embed, embed_blocks
    from latent_nmr.studies.trained_model import load_model, model_digest

    table_type = table_format(options.out)
    output = Output("embed", options, options.out, positional=("model", "data"), is_file=True)
    finished = output.finished(
        {options.model: model_digest, options.data: lambda path: open_blocks(path).fingerprint()}
    )
    if finished is not None:
        return _report(*finished, options.out)
    model, echoes = load_model(options.model), open_blocks(options.data)
    columns, n_rows = [], 0
    with output.file() as staging, progress_bar(echoes.n_curves, "curve") as bar:
        table = table_type(staging)
        blocks = embed_blocks(model, map(options.select, echoes.blocks()), options.data)
        if options.by == "material":  # whose curves may stand in several blocks
            blocks = [embed(model, options.open(options.data), by=options.by)]
        for rows in blocks:
            table.add(rows)
            columns, n_rows = list(rows.columns), n_rows + len(rows)
            bar.update(echoes.n_curves if options.by == "material" else len(rows))
        table.close()
    inputs = {options.model: model_digest(options.model), options.data: echoes.fingerprint()}
    values = {"n_curves": echoes.n_curves, "n_rows": n_rows, "columns": columns}
    return _report(output.write_manifest(values, inputs), "", options.out)


def _report(manifest: dict, remark: str, out: Path) -> Report:
    lines = [remark] if remark else []
    n_rows, columns = manifest.get("n_rows", manifest["n_curves"]), manifest["columns"]
    what = "materials" if "n_repeats" in columns else "curves"
    lines.append(f"{out}: {n_rows} {what} × {len(columns)} columns")
    return Report(lines, {**manifest, "out": out})
