"""Publish finished evaluations, probes and challenges: tables, pages, figures and models.

    python scripts/publish.py RUN [RUN…] [--tables-only] [--ship NAME] [--artifacts FOLDER]

Of an evaluation, writes tables/evaluation-WINDOW.json and .csv, reports/WINDOW.html and
figures/evaluation-WINDOW/; of a probe or a challenge, tables/RUN.json, without what only figures
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

from latent_nmr import BetaVAE, CurveRegressor, InputError, open_echoes, shipped
from latent_nmr.commands.main import run_script
from latent_nmr.plots import save_figure
from latent_nmr.report.kept_results import EVALUATION, read_result, write_result
from latent_nmr.studies.evaluation.precision import best_vae, scores_by_precision
from latent_nmr.studies.latent_figures import overview_figure

RESULT_FILES = ("evaluation.json", "probe.json", "challenge.json")
TOLERANCE = 1e-3


def publish_evaluation(run: Path, result: dict[str, Any], artifacts: Path) -> str:
    """Tables and page; returns the name under which they are published."""
    window = result["window"]
    for file, target in (
        ("evaluation.json", f"tables/evaluation-{window}.json"),
        ("scores.csv", f"tables/evaluation-{window}.csv"),
        ("report.html", f"reports/{window}.html"),
    ):
        shutil.copyfile(run / file, artifacts / target)
    return f"evaluation-{window}"


def publish_supervised(run: Path, result: dict[str, Any], artifacts: Path) -> str:
    """Table of a probe or a challenge; returns the name under which it is published."""
    tables = result.get("tables", {})
    tables.pop("importances", None)
    for entry in (*tables.get("screening", ()), *tables.get("classification", ())):
        entry.pop("importances", None)
    write_result(artifacts / "tables" / f"{run.name}.json", result)
    return run.name


def ship_vae(run: Path, result: dict[str, Any], name: str, artifacts: Path) -> None:
    """The best β-VAE of an evaluation, its scores and its latent space."""
    settings, parts = result["settings"], list(result["tables"])
    dataset = open_echoes(settings["data"])
    also = dict(zip(parts[1:], map(open_echoes, settings["also"]), strict=True))
    names = ("window", "normalisation", "held_out", "split_seed")
    model, fit = best_vae(run)
    scores, largest = scores_by_precision(
        model, dataset, also=also, **{name: settings[name] for name in names}
    )
    precision = "half" if largest < TOLERANCE else "single"
    out = shipped.FOLDER / "models" / name
    model.save(out, model.metadata_, precision=precision)
    size = sum(path.stat().st_size for path in out.iterdir())
    values = {
        "command": f"python scripts/publish.py {run} --ship {name}",
        "window": result["window"],
        "line_draw": result.get("line_draw"),
        "model": fit["saved"],
        "validation_loss": fit["validation_loss"],
        "precision": precision,
        "largest_change_of_a_score": largest,
        "bytes": size,
        "scores": scores,
    }
    write_result(artifacts / "tables" / f"model-{name}.json", values)
    save_figure(
        overview_figure(BetaVAE.load(out), dataset), artifacts / "figures" / f"latent-{name}"
    )
    print(
        f"wrote {out}: {fit['saved']}, {precision} precision, {size / 1e6:.2f} MB; half precision "
        f"changes no score by more than {largest:.1e}"
    )


def main() -> None:
    """Publish every run that is given."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--tables-only", action="store_true", help="leave the figures out")
    parser.add_argument(
        "--ship", metavar="NAME", help="bring the model of the one run into the package"
    )
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
        publish = publish_evaluation if is_evaluation else publish_supervised
        name = publish(run, result, options.artifacts)
        if not options.tables_only:
            figures = options.artifacts / "figures" / name
            shutil.rmtree(figures, ignore_errors=True)
            shutil.copytree(
                run / "figures", figures, ignore=shutil.ignore_patterns("*.pdf", "*.svg")
            )
        if options.ship and is_evaluation:
            ship_vae(run, result, options.ship, options.artifacts)
        elif options.ship:
            model = CurveRegressor.load(run / "models" / "deep")
            model.save(shipped.FOLDER / "models" / options.ship, model.metadata_)
        if options.ship:
            shipped.write_manifest()
        print(f"published {run}")


if __name__ == "__main__":
    run_script(main)
