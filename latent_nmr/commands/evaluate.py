"""Compare representations on one held-out split, with spread, ceiling and floor."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from latent_nmr._letters import path_text
from latent_nmr._locks import real_path
from latent_nmr.commands._settings import features_name
from latent_nmr.commands._shell import SOME_REFUSED, SUCCESS, DataPath, Report, tell
from latent_nmr.studies.echo_options import ReceiverOptions

RESULT_FILE = "evaluation.json"


@dataclass(frozen=True)
class Options(ReceiverOptions):
    """Compare representations on one held-out split, with spread, ceiling and floor.

    Everything is fitted on the training part and scored on the held-out part. Writes a page
    (report.html), the tables (scores.csv, evaluation.json), every embedding (arrays.npz) and every
    β-VAE (models).
    """

    data: DataPath
    """Data set of echoes; without labels, only label-free scores are given."""
    methods: tuple[
        Literal["pca", "umap", "kmeans", "vae", "thorough", "vae-repeats", "repeat-pca"], ...
    ] = ("pca", "umap", "kmeans", "vae")
    """Methods to compare; vae-repeats and repeat-pca take data sets with repeats."""
    models: tuple[Path, ...] = ()
    """Trained β-VAEs to score beside the methods, in place of vae; they must not have seen the
    held-out part."""
    n_components: tuple[int, ...] = (2,)
    """Dimensions at which to compare; models have their own."""
    n_seeds: int = 5
    """Number of random seeds per stochastic method."""
    held_out: float = 0.2
    """Fraction of the curves that is only scored."""
    split_seed: int = 0
    """Seed of the split."""
    also: tuple[Path, ...] = ()
    """Additional test sets, scored in full: other ν, another seed."""
    ceiling: Literal["both", "bottleneck", "forest", "none"] = "both"
    """What labels could show: supervised bottlenecks of each dimension, or forests on the curves,
    which may take longer than all the rest, or both."""
    n_neighbors: int = 15
    """Neighbours that predict labels, and size of the neighbourhoods compared."""
    verdict: bool = False
    """Add the paper's claim held against the scores, and every method beside the β-VAE."""
    out: Path | None = None
    """Folder to write; without it, artifacts/runs/evaluate-WINDOW[-PART]."""
    force: bool = False
    """Replace an earlier evaluation; fits on the same data and split are kept."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Open the data and the models, call the study, write page, tables and figures, report."""
    from latent_nmr.commands._output import Output
    from latent_nmr.errors import InputError
    from latent_nmr.studies.trained_model import model_digest

    out = options.out or Path("artifacts/runs") / f"evaluate-{features_name(options)}"
    output = Output("evaluate", options, out)
    for name, paths in (("also", options.also), ("models", options.models)):
        places = [Path(path.stem) if name == "also" else real_path(path) for path in paths]
        names = [path_text(place) for place in places]
        if len(set(names)) < len(names):
            raise InputError(
                f"--{name} must give sets and models of different names, but they are "
                f"{' '.join(names)}. Rename or drop one."
            )
    paths = (options.data, *options.also)
    inputs = dict.fromkeys(paths, options.digest)
    inputs |= dict.fromkeys(options.models, model_digest)
    finished = output.finished(inputs)
    if finished is not None and not finished[0]["failures"]:
        return _report(finished[0], finished[1], out)
    with output.folder(kept=("steps", "models", "seconds.json")) as folder:
        tell(f"Evaluating: every fit is kept in {folder}")
        values = _write_all(folder, options, output)
        digests = {path: digest(path) for path, digest in inputs.items()}
        manifest = output.write_manifest(values, digests, folder)
    return _report(manifest, "", out)


def _write_all(folder: Path, options: Options, output: Any) -> dict[str, Any]:
    """Call the study and write everything but the manifest; returns what evaluation.json holds."""
    import shutil

    from latent_nmr._files import write_json
    from latent_nmr.data.echoes import fingerprint
    from latent_nmr.report.evaluation import evaluation_values
    from latent_nmr.report.evaluation_page import write_page_and_tables
    from latent_nmr.report.kept_results import EVALUATION
    from latent_nmr.studies.evaluation import evaluate_echoes
    from latent_nmr.studies.trained_model import load_model

    dataset = options.measured(options.open(options.data))
    result = evaluate_echoes(
        dataset,
        sorted(options.methods),
        window=options.window,
        normalisation=options.normalisation,
        part=options.part,
        also={
            path_text(path.stem): options.measured(options.open(path), number)
            for number, path in enumerate(options.also, start=1)
        },
        models=[load_model(path) for path in options.models],
        n_components=options.n_components,
        n_seeds=options.n_seeds,
        held_out=options.held_out,
        split_seed=options.split_seed,
        ceiling={"both": True, "none": False}.get(options.ceiling, options.ceiling),
        n_neighbors=options.n_neighbors,
        folder=folder,
    )
    names = ("data", "window", "normalisation", "part")
    head = {"format": EVALUATION, "command": output.command, "settings": output.settings}
    values = head | {name: output.settings[name] for name in names}
    values["data_sha256"] = fingerprint(dataset)
    values |= evaluation_values(result, with_verdict=options.verdict)
    saved = {fit["saved"] for fit in result.facts["fits"]}
    for entry in (folder / "models").glob("*"):
        if entry.name not in saved:  # of an earlier run with other settings, or a lock
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    result.figures.save(folder / "figures")
    result.write_into(folder)
    write_page_and_tables(result, values, folder)
    write_json(folder / RESULT_FILE, values)
    return values


def _report(manifest: dict[str, Any], remark: str, out: Path) -> Report:
    from latent_nmr.commands._output import written_line
    from latent_nmr.report.evaluation import evaluation_lines

    lines = [*([remark] if remark else []), *evaluation_lines(manifest)]
    lines.append(written_line(out, manifest["files"]))
    code = SOME_REFUSED if manifest["failures"] else SUCCESS
    return Report(lines, {**manifest, "out": out}, code)
