"""Publish finished evaluations, probes and challenges: tables, pages, figures and models.

    python scripts/publish.py RUN [RUN…] [--tables-only] [--ship NAME] [--artifacts FOLDER]

Of an evaluation RUN or reference-RUN, writes tables/evaluation-RUN.json and .csv, reports/RUN.html
and figures/evaluation-RUN/; of a probe or a challenge, tables/RUN.json, without what only figures
show, and figures/RUN/. Which of them a run is, its result says.

With --ship, of an evaluation its best β-VAE, or of a challenge its public deep network, goes to
latent_nmr/_shipped/models/NAME: a β-VAE with half the bytes if no score changes by 0.001 or more,
on any part. Both sets of its scores go into tables/model-NAME.json, its latent space into
figures/latent-NAME.png.
"""

import argparse
import shutil
from pathlib import Path
from typing import Any

from latent_nmr import BetaVAE, CurveRegressor, InputError, shipped
from latent_nmr.commands.main import run_script
from latent_nmr.plots import save_figure
from latent_nmr.report.kept_results import EVALUATION, read_result, write_result
from latent_nmr.studies.echo_options import ReceiverOptions
from latent_nmr.studies.evaluation.precision import publish_best
from latent_nmr.studies.latent_figures import overview_figure

RESULT_FILES = ("evaluation.json", "probe.json", "challenge.json")


def publish_evaluation(run: Path, artifacts: Path, *, with_page: bool) -> str:
    """Tables, and perhaps the page; returns the name under which they are published."""
    name = run.name.removeprefix("reference-")
    shutil.copyfile(run / "evaluation.json", artifacts / f"tables/evaluation-{name}.json")
    if with_page:
        shutil.copyfile(run / "scores.csv", artifacts / f"tables/evaluation-{name}.csv")
        shutil.copyfile(run / "report.html", artifacts / f"reports/{name}.html")
    return f"evaluation-{name}"


def publish_supervised(run: Path, result: dict[str, Any], artifacts: Path) -> str:
    """Table of a probe or a challenge; returns the name under which it is published."""
    tables = result.get("tables", {})
    tables.pop("importances", None)
    for entry in (*tables.get("screening", ()), *tables.get("classification", ())):
        entry.pop("importances", None)
    write_result(artifacts / "tables" / f"{run.name}.json", result)
    return run.name


def ship_vae(run: Path, result: dict[str, Any], options: argparse.Namespace) -> None:
    """The best β-VAE of an evaluation, its scores and its latent space."""
    name, settings = options.ship, result["settings"]
    out = shipped.FOLDER / "models" / name
    chosen = {"method": options.method, "n_components": options.n_components}
    facts = publish_best(run, settings, out, **chosen)
    flags = f"--ship {name} --method {options.method} --n-components {options.n_components}"
    values = {
        "command": f"python scripts/publish.py {run} {flags}",
        **{key: result.get(key) for key in ("window", "line_draw")},
    }
    write_result(options.artifacts / "tables" / f"model-{name}.json", values | facts)
    data = ReceiverOptions.of(settings).open(settings["data"])
    figure = overview_figure(BetaVAE.load(out), data)
    save_figure(figure, options.artifacts / "figures" / f"latent-{name}")
    print(
        f"wrote {out}: {facts['model']}, {facts['precision']} precision, "
        f"{facts['bytes'] / 1e6:.2f} MB; half precision changes no score by more than "
        f"{facts['largest_change_of_a_score']:.1e}"
    )


def main() -> None:
    """Publish every run that is given."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--tables-only", action="store_true", help="leave figures and pages out")
    parser.add_argument(
        "--ship", metavar="NAME", help="bring the model of the one run into the package"
    )
    parser.add_argument("--method", default="vae", help="which β-VAE of an evaluation to ship")
    parser.add_argument("--n-components", type=int, default=2, help="how many axes it has")
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    options = parser.parse_args()
    if options.ship and len(options.runs) > 1:
        parser.error("--ship takes one run at a time")
    for run in options.runs:
        found = [run / name for name in RESULT_FILES if (run / name).is_file()]
        if len(found) != 1:
            names = " or ".join(RESULT_FILES)
            raise InputError(f"a run must hold {names}, but {run} has {len(found)} of them.")
        result = read_result(found[0])
        is_evaluation = result["format"] == EVALUATION
        if is_evaluation:
            with_page = not options.tables_only
            name = publish_evaluation(run, options.artifacts, with_page=with_page)
        else:
            name = publish_supervised(run, result, options.artifacts)
        if not options.tables_only:
            figures = options.artifacts / "figures" / name
            shutil.rmtree(figures, ignore_errors=True)
            shutil.copytree(
                run / "figures", figures, ignore=shutil.ignore_patterns("*.pdf", "*.svg")
            )
        if options.ship and is_evaluation:
            ship_vae(run, result, options)
        elif options.ship:
            model = CurveRegressor.load(run / "models" / "deep")
            model.save(shipped.FOLDER / "models" / options.ship, model.metadata_)
        if options.ship:
            shipped.write_manifest()
        print(f"published {run}")


if __name__ == "__main__":
    run_script(main)
