"""Publish finished evaluations, probes and challenges: tables, pages, figures and best models.

    python scripts/publish.py artifacts/runs/reference-echo [RUN…]

Of an evaluation reference-NAME, writes artifacts/tables/evaluation-NAME.json and .csv,
artifacts/reports/NAME.html, artifacts/figures/evaluation-NAME/ and latent-NAME.png, and its best
β-VAE to latent_nmr/_shipped/models/NAME: with half the bytes if no score changes by 0.001 or more,
on any part; both sets of scores go into artifacts/tables/model-NAME.json.

Of a probe or a challenge, writes artifacts/tables/RUN.json, without what only figures show, and
artifacts/figures/RUN/*.png. Of the challenges of 2021 on independent ν, the public deep network
goes to latent_nmr/_shipped/models, as challenge-gauss and challenge-rkky.
"""

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from latent_nmr import BetaVAE, CurveRegressor, open_echoes, shipped
from latent_nmr._files import staged_file, staged_folder, write_json
from latent_nmr.plots.style import save_figure
from latent_nmr.studies.evaluation.precision import best_vae, scores_by_precision
from latent_nmr.studies.latent_figures import overview_figure

TABLES, FIGURES = Path("artifacts/tables"), Path("artifacts/figures")
TOLERANCE = 1e-3
# Their tables say all that documents show of them.
WITHOUT_FIGURES = {
    "challenge-2021-gauss-6000",
    "probe-echo300-independent",
    "probe-echo-stratified",
}
WITHOUT_FIGURES |= {f"probe-full-flip{angle}" for angle in (60, 90, 120)}
PUBLIC_NETWORKS = {
    "challenge-2021-gauss-independent": "challenge-gauss",
    "challenge-2021-rkky-independent": "challenge-rkky",
}


def publish_evaluation(run: Path) -> None:
    """Tables, page, figures, best model, and its latent space."""
    name = run.name.removeprefix("reference-")
    for file, target in (
        ("evaluation.json", TABLES / f"evaluation-{name}.json"),
        ("scores.csv", TABLES / f"evaluation-{name}.csv"),
        ("report.html", TABLES.parent / "reports" / f"{name}.html"),
    ):
        with staged_file(target) as staging:
            shutil.copyfile(run / file, staging)
    copy_figures(run, f"evaluation-{name}")
    settings = json.loads((run / "evaluation.json").read_text("utf-8"))["settings"]
    dataset = open_echoes(settings["data"])
    also = {Path(path).stem: open_echoes(path) for path in settings["also"]}
    names = ("window", "normalisation", "held_out", "split_seed")
    model, fit = best_vae(run)
    scores, largest = scores_by_precision(
        model, dataset, also=also, **{name: settings[name] for name in names}
    )
    precision = "half" if largest < TOLERANCE else "single"
    out = shipped.FOLDER / "models" / name
    model.save(out, model.metadata_, precision=precision)
    shipped.write_manifest()
    size = sum(path.stat().st_size for path in out.iterdir())
    result = {
        "command": f"python scripts/publish.py {run}",
        "model": fit["saved"],
        "validation_loss": fit["validation_loss"],
        "precision": precision,
        "largest_change_of_a_score": largest,
        "bytes": size,
        "scores": scores,
    }
    write_json(TABLES / f"model-{name}.json", result)
    save_figure(overview_figure(BetaVAE.load(out), dataset), FIGURES / f"latent-{name}")
    print(
        f"wrote {out}: {fit['saved']}, {precision} precision, {size / 1e6:.2f} MB; half precision "
        f"changes no score by more than {largest:.1e}"
    )


def publish_supervised(run: Path, result: dict[str, Any]) -> None:
    """Table and figures of a probe or a challenge, and its public network."""
    tables = result.get("tables", {})
    tables.pop("importances", None)
    for entry in (*tables.get("screening", ()), *tables.get("classification", ())):
        entry.pop("importances", None)
    write_json(TABLES / f"{run.name}.json", result)
    if run.name not in WITHOUT_FIGURES:
        copy_figures(run, run.name)
    if run.name in PUBLIC_NETWORKS:
        model = CurveRegressor.load(run / "models" / "deep")
        model.save(shipped.FOLDER / "models" / PUBLIC_NETWORKS[run.name], model.metadata_)
        shipped.write_manifest()


def copy_figures(run: Path, name: str) -> None:
    """Put the figures of a run into artifacts/figures/NAME, atomically."""
    with staged_folder(FIGURES / name) as staging:
        for figure in sorted((run / "figures").glob("*.png")):
            shutil.copyfile(figure, staging / figure.name)


def main() -> None:
    """Publish every run that is named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+")
    for run in parser.parse_args().runs:
        if (run / "evaluation.json").is_file():
            publish_evaluation(run)
        else:
            (path,) = (p for p in run.glob("*.json") if p.name in ("probe.json", "challenge.json"))
            publish_supervised(run, json.loads(path.read_text("utf-8")))
        print(f"published {run}")


if __name__ == "__main__":
    main()
