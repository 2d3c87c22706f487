"""Baselines of a data set: PCA and K-means."""

from dataclasses import dataclass
from pathlib import Path

from latent_nmr.commands._settings import features_name
from latent_nmr.commands._shell import DataPath, Report
from latent_nmr.studies.echo_options import FeatureOptions

FIGURES_FOLDER = Path("artifacts/figures")
NUMBERS_FILE, PAGE = "baselines.json", "report.html"


@dataclass(frozen=True)
class Options(FeatureOptions):
    """Draw the principal components and the clusters of a data set, and describe the clusters.

    Writes maps of the first two principal components coloured by W, L and kernel, the sum of
    squares and the silhouette over the number of clusters, the mean curves of two and of three
    clusters, and a page of all of it (report.html). Labels colour and describe; neither method sees
    them.
    """

    data: DataPath
    """Data set of echoes, in any format that open_echoes reads."""
    seed: int = 0
    """Seed of the starts of K-means and of the curves whose silhouettes are taken."""
    out: Path | None = None
    """Folder to write; without it, artifacts/figures/baselines-WINDOW[-PART]."""
    force: bool = False
    """Replace an earlier result."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Read the data, call the study, write figures and numbers, report."""
    import shutil

    from latent_nmr._files import write_json
    from latent_nmr.commands._output import Output
    from latent_nmr.errors import check_count
    from latent_nmr.report.clusters import notes_on
    from latent_nmr.report.clusters_page import write_page
    from latent_nmr.studies._ledger import STEPS_FOLDER
    from latent_nmr.studies.clusters import clusters

    check_count("--seed", options.seed, at_least=0, at_most=2**32 - 1)
    out = options.out or FIGURES_FOLDER / f"baselines-{features_name(options)}"
    output = Output("baselines", options, out)
    finished = output.finished({options.data: options.digest})
    if finished is not None:
        return _report(*finished, out)
    dataset = options.open(options.data)
    with output.folder() as folder:
        result = clusters(
            dataset,
            window=options.window,
            normalisation=options.normalisation,
            part=options.part,
            random_state=options.seed,
            folder=folder,
        )
        result.figures.save(folder)
        left_out = ("marks", "map_labels", "random_state")
        values = {
            "command": output.command,
            "data": options.data,
            "seed": options.seed,
            **{name: fact for name, fact in result.facts.items() if name not in left_out},
            "notes": notes_on(result.facts),
        }
        write_json(folder / NUMBERS_FILE, values)
        write_page(result, values, folder / PAGE)
        shutil.rmtree(folder / STEPS_FOLDER)
        inputs = {options.data: values["data_sha256"]}
        manifest = output.write_manifest(values, inputs, folder)
    return _report(manifest, "", out)


def _report(manifest: dict, remark: str, out: Path) -> Report:
    from latent_nmr.report.clusters import cluster_lines

    lines = [remark] if remark else []
    lines += cluster_lines(manifest, manifest["data"])
    lines.append(f"{'written':<11} {out}/: {', '.join(manifest['files'])}")
    return Report(lines, {**manifest, "out": out})
