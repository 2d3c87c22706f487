"""Words for a challenge: its values as JSON holds them, and its tables for a terminal."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import fmean
from typing import Any

from latent_nmr.report.cells import cell
from latent_nmr.studies.challenge import ChallengeResult
from latent_nmr.studies.challenge._contenders import PEEKING
from latent_nmr.studies.challenge._result import EVALUATION_PART, TEST_PART, TIME, column_of

TITLES = {
    "baseline": "course baseline",
    "deep": "public deep network",
    "winners": "winners' pipeline of 2020",
    "best": "ours: four networks on the whole record",
    PEEKING: "public deep network, epoch chosen on the test part",
}
ONLY_MAGNITUDE = "|M| only: every model sees |M| where it would see Re and Im of M"
UNLEARNABLE = "ξ of 2020 has no effect on the curve, by construction: no model can learn it"


def challenge_values(result: ChallengeResult) -> dict[str, Any]:
    """Facts and scores, the values of every seed, one row per model."""
    names = ("models", "also", "marks")
    values = {name: fact for name, fact in result.facts.items() if name not in names}
    values["rows"] = [_row(result, name) for name in result.facts["models"]]
    values["rows"] = [row for row in values["rows"] if row["seconds"]]
    by_angle = result.by_angle()
    if by_angle is not None:
        values["by_angle"] = {
            "edges_deg": by_angle["edges_deg"],
            "r2": {
                target: {model: [_or_none(v) for v in found] for model, found in by_model.items()}
                for target, by_model in by_angle["r2"].items()
            },
        }
    return values | {"failures": result.failures}


def _or_none(value: float) -> float | None:
    """None for the score of a bin without curves, which JSON holds."""
    return None if value != value else value


def _row(result: ChallengeResult, model: str) -> dict[str, Any]:
    """Scores of a model as JSON holds them: by part and score, one value per seed."""
    records = result.records[result.records["model"] == model]
    if "angle_from" in records:
        records = records[records["angle_from"].isna()]
    by_group: dict[str, dict[str, list[float]]] = {}
    for row in records[records["score"] != TIME].to_dict("records"):
        scores = by_group.setdefault(str(row["group"]), {})
        scores.setdefault(column_of(row["score"], row["target"]), []).append(row["value"])
    found: dict[str, Any] = {
        "model": model,
        "scores": by_group.get(TEST_PART, {}),
        "seconds": records.loc[records["score"] == TIME, "value"].tolist(),
        "others": {name: by_group.get(name, {}) for name in result.facts["also"]},
    }
    if EVALUATION_PART in by_group:
        found["evaluation"] = by_group[EVALUATION_PART]
    return found


def challenge_lines(values: Mapping[str, Any]) -> list[str]:
    """Tables of `challenge_values` for a terminal."""
    seeds, is_magnitude = values["n_seeds"], values.get("part") == "magnitude"
    lines = [
        f"{values['n_curves']} curves of {values['source']}, edition {values['edition']}; a tenth "
        f"is for the test; mean ± standard deviation over {seeds} seed{'s' if seeds > 1 else ''}"
    ]
    if is_magnitude:
        lines.append(ONLY_MAGNITUDE)
    for target, reason in values.get("left_out", {}).items():
        lines.append(f"left out   {target}: {reason}")
    rows, targets = values["rows"], values["targets"]
    seen = ", |M|" if is_magnitude else ""
    lines += _table(rows, targets, f"test part{seen}", "scores")
    scored = [row for row in rows if "evaluation" in row]
    if scored:
        words = f"evaluation part{seen}, {values['n_evaluation']} curves"
        lines += _table(scored, targets, words, "evaluation")
    for name in rows[0]["others"]:
        elsewhere = [{**row, name: row["others"][name]} for row in rows]
        lines += _table(elsewhere, targets, f"scored on {name}{seen}", name)
    if values["published"]:
        known = ", ".join(f"{TITLES[name]} {value}" for name, value in values["published"].items())
        lines += ["", f"published  {known} (of data with one frozen line)"]
    if "by_angle" in values:
        lines += _angles(values["by_angle"])
    if values["edition"] == "2020":
        lines += ["", f"note       {UNLEARNABLE}"]
    lines.append("")
    lines += [
        f"time       {fmean(row['seconds']):.1f} s per fit, {title_of(row['model'])}"
        for row in rows
    ]
    return lines + [
        f"failed     {title_of(one['model'])}, seed {one['seed']}: {one['reason']}"
        for one in values["failures"]
    ]


def title_of(model: str) -> str:
    """What a model is called in tables."""
    return TITLES.get(model, model)


def _table(
    rows: Sequence[Mapping[str, Any]], targets: Sequence[str], title: str, key: str
) -> list[str]:
    """Mean squared standardised errors, by target and on average; the score of 2020."""
    names = [f"mse_{target}" for target in targets] + ["mse_mean", "mse_sum"]
    if "score_2020" in rows[0][key]:
        names.append("score_2020")
    width = max(len(title_of(row["model"])) for row in rows)
    heads = ", ".join(name.removeprefix("mse_") for name in names)
    lines = ["", f"{title}, mean squared error of standardised targets: {heads}"]
    for row in rows:
        cells = " ".join(f"{cell(row[key][name]):<15}" for name in names)
        lines.append(f"  {title_of(row['model']):<{width}}  {cells}".rstrip())
    return lines


def _angles(by_angle: Mapping[str, Any]) -> list[str]:
    edges = by_angle["edges_deg"]
    heads = " ".join(f"{low:>4.0f}-{high:<3.0f}" for low, high in pairwise(edges))
    lines = ["", f"R² within bins of θ (degrees): {heads}"]
    for target, by_model in by_angle["r2"].items():
        for model, values in by_model.items():
            texts = ["-" if value is None else f"{value:.3f}" for value in values]
            cells = " ".join(f"{text:>8}" for text in texts)
            lines.append(f"  {target}, {title_of(model):<50} {cells}")
    return lines
