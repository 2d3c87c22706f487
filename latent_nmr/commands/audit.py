"""Compare decoded curves with new simulations: where does a decoder invent structure?"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latent_nmr._letters import path_text
from latent_nmr._locks import real_path
from latent_nmr.commands._shell import DataPath, ModelPath, Report
from latent_nmr.studies.echo_options import DataOptions

TABLE_FILE, RESULT_FILE, PAGE = "audit.csv", "audit.json", "report.html"


@dataclass(frozen=True)
class Options(DataOptions):
    """Compare decoded curves with new simulations: where does a decoder invent structure?

    Each curve along a latent axis is compared with simulations at the mean W, L and commonest
    kernel of the data nearest to it, and with these data themselves. Writes a page (report.html), a
    table, and a figure for each axis.
    """

    model: ModelPath
    """Folder of a trained model, or the name of one that comes with the package."""
    data: DataPath
    """Data set of preset paper, with labels."""
    axes: tuple[int, ...] = ()
    """Latent axes, counted from 1; without it, all."""
    span: float = 2.5
    """Traverse z from -SPAN to SPAN."""
    n_steps: int = 11
    """Points of a traversal."""
    n_neighbors: int = 20
    """Nearest curves of the data that say what to simulate at a point."""
    n_simulations: int = 8
    """New simulations at each point, each with its own offset map."""
    seed: int = 0
    """Seed of the new offset maps."""
    out: Path | None = None
    """Folder to write; without it, audit_MODEL."""
    force: bool = False
    """Replace an earlier audit."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Open model and data, call the study, write table and figures, report."""
    import shutil

    from latent_nmr._files import write_json
    from latent_nmr.commands._output import Output
    from latent_nmr.data.echoes import fingerprint
    from latent_nmr.report.audit import audit_values
    from latent_nmr.report.audit_page import write_page
    from latent_nmr.studies._ledger import STEPS_FOLDER
    from latent_nmr.studies.audit import audit
    from latent_nmr.studies.trained_model import load_model, model_digest

    out = options.out or Path(f"audit_{real_path(options.model).name}")
    output = Output("audit", options, out, positional=("model", "data"))
    inputs = {
        options.model: model_digest,
        options.data: lambda path: fingerprint(options.open(path)),
    }
    finished = output.finished(inputs)
    if finished is not None:
        return _report(*finished, options, out)
    model = load_model(options.model)
    dataset = options.open(options.data)
    counts = {name: getattr(options, name) for name in ("n_neighbors", "n_simulations")}
    with output.folder(kept=(STEPS_FOLDER,)) as folder:
        result = audit(
            model,
            dataset,
            axes=options.axes or None,
            span=options.span,
            n_steps=options.n_steps,
            **counts,
            seed=options.seed,
            folder=folder,
        )
        values = {"command": output.command, **audit_values(result)}
        result.table.to_csv(folder / TABLE_FILE, index=False)
        write_json(folder / RESULT_FILE, {**values, "settings": output.settings})
        result.figures.save(folder)
        named = {**values, "model": path_text(options.model), "data": path_text(options.data)}
        write_page(result, named, folder / PAGE, **counts)
        shutil.rmtree(folder / STEPS_FOLDER)
        digests = {path: digest(path) for path, digest in inputs.items()}
        manifest = output.write_manifest(values, digests, folder)
    return _report(manifest, "", options, out)


def _report(manifest: dict[str, Any], remark: str, options: Options, out: Path) -> Report:
    from latent_nmr.report.audit import audit_lines

    lines = [remark] if remark else []
    lines += audit_lines(
        manifest,
        path_text(options.data),
        n_neighbors=options.n_neighbors,
        n_simulations=options.n_simulations,
    )
    lines.append(f"written    {out}/: {', '.join(manifest['files'])}")
    return Report(lines, {**manifest, "out": out})
