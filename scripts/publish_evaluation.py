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

from latent_nmr import BetaVAE, shipped
from latent_nmr._files import staged_file, staged_folder, write_json
from latent_nmr.analysis.scores import neighbour_scores, shape_scores
from latent_nmr.commands._evaluation_data import FITTED, Material, gather
from latent_nmr.commands._evaluation_figures import validation_loss
from latent_nmr.commands._evaluation_folder import PAGE_FILE, RESULT_FILE, TABLE_FILE, metadata_of
from latent_nmr.commands._representations import embed

ARTIFACTS = Path("artifacts")
TOLERANCE = 1e-3


def best_model(evaluation: Path, n_components: int) -> Path:
    """Folder of the β-VAE with the lowest validation loss."""
    folders = sorted((evaluation / "models").glob(f"vae-{n_components}-seed*"))
    return min(folders, key=lambda folder: (validation_loss(BetaVAE.load(folder)), folder.name))


def scores_of(model: BetaVAE, material: Material) -> dict[str, dict[str, float]]:
    """Every score of a model, by part."""
    embedding = embed(model, material.curves, seconds=float("nan"))
    fitted, found = embedding.parts[FITTED], {}
    for part in material.scored_parts:
        labels, scored = material.pair(part), embedding.parts[part]
        found[part] = {"rms": embedding.rms[part]}
        found[part] |= shape_scores(fitted, scored, material.curves[part], labels)
        if labels is not None:
            found[part] |= neighbour_scores(fitted, scored, labels)
    return found


def publish_model(evaluation: Path, result: Mapping[str, Any], name: str) -> list[str]:
    """Save the best model, in half precision if that changes nothing that is reported."""
    settings = result["settings"]
    material = gather(
        Path(settings["data"]),
        [Path(path) for path in settings["also"]],
        window=settings["window"],
        normalisation=settings["normalisation"],
        fraction=settings["held_out"],
        split_seed=settings["split_seed"],
    )
    chosen = best_model(evaluation, 2)
    model = BetaVAE.load(chosen)
    metadata = metadata_of(material)
    with tempfile.TemporaryDirectory() as scratch:
        model.save(Path(scratch) / "half", metadata, precision="half")
        single = scores_of(model, material)
        half = scores_of(BetaVAE.load(Path(scratch) / "half"), material)
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
        "model": chosen.name,
        "validation_loss": validation_loss(model),
        "precision": precision,
        "largest_change_of_a_score": largest,
        "bytes": size,
        "scores": {"single": single, "half": half},
    }
    write_json(ARTIFACTS / "tables" / f"model-{name}.json", result_of_model)
    return [
        f"{out}: {chosen.name}, {precision} precision, {size / 1e6:.2f} MB; half precision changes "
        f"no score by more than {largest:.1e}"
    ]


def publish_files(evaluation: Path, name: str) -> list[str]:
    """Copy tables, page and figures, each whole or not at all."""
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
