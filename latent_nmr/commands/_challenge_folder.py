"""The output folder of the command `challenge`: steps, scores, submission, models, figures."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from latent_nmr._files import put_in_place, write_json
from latent_nmr.analysis.challenge_scores import PUBLISHED
from latent_nmr.commands._challenge import PEEKING, Contest, Others, split_rows
from latent_nmr.commands._challenge_data import SPIN, Material
from latent_nmr.commands._challenge_figures import draw_figures
from latent_nmr.commands._progress import (
    IDENTITY_FILE,
    Ledger,
    command_of,
    finished_result,
    progress_folder,
    time_kept,
    versions,
)
from latent_nmr.commands._shell import tell
from latent_nmr.data.submission import SUBMISSION_NAMES, write_submission

RESULT_FILE, SECONDS_FILE = "challenge.json", "seconds.json"
KEPT = ("steps", "models", SECONDS_FILE)
ENTRIES = {*KEPT, "figures", IDENTITY_FILE, RESULT_FILE, SECONDS_FILE, *SUBMISSION_NAMES.values()}
FORMAT = "latent_nmr.challenge"
# Degrees: bins in which α_z is scored.
ANGLE_EDGES = np.arange(30.0, 151.0, 20.0)


def finished_challenge(
    out: Path, settings: Mapping[str, Any], *, force: bool
) -> dict[str, Any] | None:
    """Return an equal result at `out`, None if `out` may be written, else raise."""
    return finished_result(
        out,
        settings,
        force=force,
        file=RESULT_FILE,
        entries=ENTRIES,
        noun="challenge",
        needed=("rows", "seconds", "source"),
    )


def write_all(
    out: Path,
    material: Material,
    others: Others,
    models: Sequence[str],
    n_seeds: int,
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """Do what is not done yet in a folder beside `out`, then put it in the place of `out`."""
    folder = progress_folder(out, material.identity | _identity_of(others), KEPT)
    contest = Contest(material, others, folder / "models")
    steps = contest.step_names(models, n_seeds)
    n_tested = len(contest.split(0)[1])
    tell(
        f"Challenge {material.edition.name}: {len(steps)} fits on {len(material.targets)} curves "
        f"of {material.source}, {n_tested} of them for the test; every fit is kept in {folder}"
    )
    with (
        time_kept(folder / SECONDS_FILE),
        tqdm(total=len(steps), unit="fit", delay=1, disable=None) as bar,
    ):

        def on_step(name: str) -> None:
            bar.set_postfix_str(name, refresh=False)
            bar.update()

        ledger = Ledger(folder / "steps", on_step)
        found = ledger.take_all(
            [
                (f"{name}-seed{seed}", lambda name=name, seed=seed: contest.compute(name, seed))
                for name, seed in steps
            ]
        )
        done = dict(zip(steps, found, strict=True))
    chosen = "best" if "best" in models else models[-1]
    result = _summary(material, done, settings, chosen) | {
        "seconds": json.loads((folder / SECONDS_FILE).read_text("utf-8"))
    }
    if material.evaluation is not None and material.edition.has_files:
        name = SUBMISSION_NAMES[material.edition.name]
        values = np.asarray(done[chosen, 0]["submission"])
        write_submission(folder / name, values, material.edition.name)
        result["submission"] = {"file": name, "model": chosen, "n_rows": len(values)}
    draw_figures(folder / "figures", contest, done, chosen, result)
    write_json(folder / RESULT_FILE, result)
    put_in_place(folder, out)
    return result


def _identity_of(others: Others) -> dict[str, Any]:
    from latent_nmr.data.echoes import fingerprint

    return {"also": {name: fingerprint(dataset) for name, (dataset, _) in others.items()}}


def _summary(
    material: Material,
    done: Mapping[tuple[str, int], Mapping[str, Any]],
    settings: Mapping[str, Any],
    chosen: str,
) -> dict[str, Any]:
    """Everything of the result but time and submission."""
    names = list(dict.fromkeys(name for name, _ in done))
    rows = []
    for name in names:
        found = [result for (of, _), result in done.items() if of == name]
        row: dict[str, Any] = {
            "model": name,
            "scores": _by_seed([one["scores"] for one in found]),
            "seconds": [one["seconds"] for one in found],
            "others": {
                other: _by_seed([one["others"][other] for one in found])
                for other in found[0]["others"]
            },
        }
        if "evaluation" in found[0]:
            row["evaluation"] = _by_seed([one["evaluation"] for one in found])
        rows.append(row)
    edition = material.edition
    result: dict[str, Any] = {
        "format": FORMAT,
        "command": command_of("challenge", settings, positional="edition"),
        "settings": dict(settings),
        "edition": edition.name,
        "source": material.source,
        "targets": list(edition.targets),
        "line_draw": material.dataset.attrs.get("line_draw"),
        "n_curves": len(material.targets),
        "n_evaluation": 0 if material.evaluation is None else material.evaluation.sizes["curve"],
        "data_sha256": material.identity["data_sha256"],
        "packages": versions(),
        "published": PUBLISHED.get(edition.name, {}),
        "submitted": chosen,
        "rows": rows,
    }
    if edition.name == SPIN:
        result["by_angle"] = scores_by_angle(material, done)
    return result


def scores_by_angle(
    material: Material, done: Mapping[tuple[str, int], Mapping[str, Any]]
) -> dict[str, Any]:
    """R² of the couplings in bins of θ, over the test parts of all seeds.

    R² within a bin: of the bin's curves, against the mean of the target over the bin.
    """
    names = list(material.edition.targets)
    place = names.index("theta")
    found: dict[str, dict[str, list[float]]] = {name: {} for name in names if name != "theta"}
    for model in dict.fromkeys(name for name, _ in done if name != PEEKING):
        truths, predictions = [], []
        for (of, seed), result in done.items():
            if of == model:
                truths.append(material.targets[split_rows(len(material.targets), seed)[1]])
                predictions.append(result["predicted"])
        truth, predicted = np.concatenate(truths), np.concatenate(predictions)
        bins = np.digitize(truth[:, place], ANGLE_EDGES[1:-1])
        for name in found:
            column = names.index(name)
            found[name][model] = [
                _r2(truth[bins == number, column], predicted[bins == number, column])
                for number in range(len(ANGLE_EDGES) - 1)
            ]
    return {"edges_deg": ANGLE_EDGES.tolist(), "r2": found}


def _r2(truth: np.ndarray, predicted: np.ndarray) -> float:
    spread = float(np.sum((truth - truth.mean()) ** 2)) if len(truth) > 1 else 0.0
    return 1 - float(np.sum((truth - predicted) ** 2)) / spread if spread > 0 else float("nan")


def _by_seed(scores: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    return {name: [one[name] for one in scores] for name in scores[0]}
