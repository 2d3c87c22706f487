"""Publish an evaluation: its tables, page and figures, and its best β-VAE in half precision.

    python scripts/publish_evaluation.py artifacts/runs/reference-echo --name echo

Writes artifacts/tables/evaluation-NAME.json and .csv, artifacts/reports/NAME.html,
artifacts/figures/evaluation-NAME/ and latent_nmr/_shipped/models/NAME.

The best β-VAE is, of two axes and of all seeds, the one with the lowest loss on its own validation
curves: the held-out part has no say.
Weights are saved with half the bytes if no score changes by 0.001 or more, on any part; both sets
of scores go into artifacts/tables/model-NAME.json.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from latent_nmr import BetaVAE, EvaluationResult, open_echoes, shipped
from latent_nmr._files import staged_file, staged_folder, write_json
from latent_nmr.studies.evaluation import evaluate_echoes

ARTIFACTS = Path("artifacts")
RESULT_FILE, TABLE_FILE, PAGE_FILE = "evaluation.json", "scores.csv", "report.html"
TOLERANCE = 1e-3


def best_fit(evaluation: Path, n_components: int) -> dict[str, Any]:
    """The β-VAE with the lowest validation loss."""
    fits = EvaluationResult.load(evaluation).facts["fits"]
    own = [fit for fit in fits if (fit["kind"], fit["n_components"]) == ("vae", n_components)]
    return min(own, key=lambda fit: (fit["validation_loss"], fit["saved"]))


def scores_of(models: Mapping[str, BetaVAE], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Every score of each model, by its name and by part."""
    result = evaluate_echoes(
        open_echoes(settings["data"]),
        {},
        models=list(models.values()),
        also={Path(path).stem: open_echoes(path) for path in settings["also"]},
        ceiling=False,
        **{name: settings[name] for name in ("window", "normalisation", "held_out", "split_seed")},
    )
    own = result.records[result.records["role"] == "method"]
    own = own[own["score"] != "live_axes"]
    found: dict[str, Any] = {}
    for row in own.to_dict("records"):
        of_model = found.setdefault(list(models)[row["seed"]], {})
        of_model.setdefault(row["part"], {})[row["score"]] = row["value"]
    return found


def publish_model(evaluation: Path, result: Mapping[str, Any], name: str) -> list[str]:
    """Save the best model, in half precision if that changes nothing that is reported."""
    chosen = best_fit(evaluation, 2)
    model = BetaVAE.load(evaluation / "models" / chosen["saved"])
    metadata = model.metadata_
    with tempfile.TemporaryDirectory() as scratch:
        model.save(Path(scratch) / "half", metadata, precision="half")
        models = {"single": model, "half": BetaVAE.load(Path(scratch) / "half")}
        scores = scores_of(models, result["settings"])
    single, half = scores["single"], scores["half"]
    largest = max(
        abs(single[part][key] - half[part][key]) for part in single for key in single[part]
    )
    precision = "half" if largest < TOLERANCE else "single"
    out = shipped.FOLDER / "models" / name
    model.save(out, metadata, precision=precision)
    shipped.write_manifest()
    size = sum(path.stat().st_size for path in out.iterdir())
    result_of_model = {
        "command": f"python scripts/publish_evaluation.py {evaluation} --name {name}",
        "model": chosen["saved"],
        "validation_loss": chosen["validation_loss"],
        "precision": precision,
        "largest_change_of_a_score": largest,
        "bytes": size,
        "scores": scores,
    }
    write_json(ARTIFACTS / "tables" / f"model-{name}.json", result_of_model)
    return [
        f"{out}: {chosen['saved']}, {precision} precision, {size / 1e6:.2f} MB; half precision "
        f"changes no score by more than {largest:.1e}"
    ]


def publish_files(evaluation: Path, name: str) -> list[str]:
    """Copy tables, page and figures, atomically."""
    places = {
        RESULT_FILE: ARTIFACTS / "tables" / f"evaluation-{name}.json",
        TABLE_FILE: ARTIFACTS / "tables" / f"evaluation-{name}.csv",
        PAGE_FILE: ARTIFACTS / "reports" / f"{name}.html",
    }
    for source, target in places.items():
        with staged_file(target) as staging:
            shutil.copyfile(evaluation / source, staging)
    figures = ARTIFACTS / "figures" / f"evaluation-{name}"
    with staged_folder(figures) as staging:
        shutil.copytree(evaluation / "figures", staging, dirs_exist_ok=True)
    return [str(path) for path in (*places.values(), figures)]


def main() -> None:
    """Publish and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("evaluation", type=Path, help="folder that latent-nmr evaluate wrote")
    parser.add_argument("--name", required=True, help="echo or full")
    options = parser.parse_args()
    result = json.loads((options.evaluation / RESULT_FILE).read_text("utf-8"))
    for line in (
        *publish_files(options.evaluation, options.name),
        *publish_model(options.evaluation, result, options.name),
    ):
        print("wrote", line)


if __name__ == "__main__":
    main()
