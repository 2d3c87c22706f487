"""Find the labels that each latent axis orders, and compare models of several seeds."""

from dataclasses import dataclass
from pathlib import Path

from latent_nmr._letters import path_text
from latent_nmr.commands._shell import DataPath, Report
from latent_nmr.studies.echo_options import DataOptions


@dataclass(frozen=True)
class Options(DataOptions):
    """Find the label that each latent axis orders, and compare models of several seeds.

    Rank correlation and mutual information of every axis with every label, beside their values
    under permutation. Models of several seeds give the spread. Of data that a model was trained
    on, only the curves it did not see are used; of other data, all.
    """

    data: DataPath
    """Data set of echoes with labels, in any format, or reference for that of the package."""
    models: tuple[Path, ...]
    """Folders of trained models, one per seed, or names of models of the package."""
    align: bool = False
    """Name the axes after Procrustes alignment of the embeddings."""
    n_permutations: int = 999
    """Permutations for the null of the rank correlation, over all models."""
    n_information_permutations: int = 199
    """Permutations for the null of the mutual information, over all models."""
    seed: int = 0
    """Seed of the permutations."""
    out: Path | None = None
    """CSV file for the table; without it, none is written."""
    force: bool = False
    """Replace an existing file."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Open data and models, call the study, write the table, report."""
    from latent_nmr.commands._output import Output
    from latent_nmr.report.axes_summary import axes_values
    from latent_nmr.studies.axes import strength_table
    from latent_nmr.studies.trained_model import model_digest

    if options.out is None:
        return _report(axes_values(_study(options)), "")
    output = Output("axes", options, options.out, is_file=True)
    inputs = {options.data: options.digest}
    inputs |= dict.fromkeys(options.models, model_digest)
    finished = output.finished(inputs)
    if finished is not None:
        return _report(*finished, options.out)
    values = axes_values(_study(options))
    with output.file() as staging:
        strength_table(values["axes"]).to_csv(staging, index=False)
    digests = {path: digest(path) for path, digest in inputs.items()}
    return _report(output.write_manifest(values, digests), "", options.out)


def _study(options: Options):
    from latent_nmr.studies.axes import name_axes
    from latent_nmr.studies.trained_model import load_model

    return name_axes(
        [load_model(path) for path in options.models],
        options.open(options.data),
        align=options.align,
        n_permutations=options.n_permutations,
        n_information_permutations=options.n_information_permutations,
        random_state=options.seed,
        names=[path_text(path) for path in options.models],
    )


def _report(values: dict, remark: str, out: Path | None = None) -> Report:
    from latent_nmr.report.axes_summary import axes_lines

    lines = [remark] if remark else []
    lines += axes_lines(values)
    if out is None:
        return Report(lines, values)
    n_rows = sum(len(axis["labels"]) for axis in values["axes"])
    lines.append(f"written    {out}: {n_rows} rows")
    return Report(lines, {**values, "out": out})
