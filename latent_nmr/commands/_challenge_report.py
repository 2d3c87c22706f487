"""What the command `challenge` says: its table for the terminal."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

from latent_nmr.commands._challenge import PEEKING
from latent_nmr.commands._shell import Report
from latent_nmr.models.challenge_models import MODEL_TITLES
from latent_nmr.report.cells import cell

TITLES = {**MODEL_TITLES, PEEKING: "public deep network, epoch chosen on the test part"}
UNLEARNABLE = "ξ of 2020 has no effect on the curve, by construction: no model can learn it"


def report_of(result: Mapping[str, Any], out: Path, remark: str) -> Report:
    """Table and places for people; the whole result for `--json`."""
    lines = [remark] if remark else []
    lines.append(
        f"{result['n_curves']} curves of {result['source']}, edition {result['edition']}; "
        f"a tenth is for the test; mean ± deviation over {result['settings']['n_seeds']} seeds"
    )
    lines += _table(result["rows"], result["targets"], "test part", "scores")
    if all("evaluation" in row for row in result["rows"] if row["model"] != PEEKING):
        rows = [row for row in result["rows"] if "evaluation" in row]
        if rows:
            words = f"evaluation part, {result['n_evaluation']} curves"
            lines += _table(rows, result["targets"], words, "evaluation")
    for name in result["rows"][0]["others"]:
        rows = [{**row, name: row["others"][name]} for row in result["rows"]]
        lines += _table(rows, result["targets"], f"scored on {name}", name)
    if result["published"]:
        known = ", ".join(f"{TITLES[name]} {value}" for name, value in result["published"].items())
        lines += ["", f"published  {known} (of data with one frozen line)"]
    if "by_angle" in result:
        lines += _angles(result["by_angle"])
    if result["edition"] == "2020":
        lines += ["", f"note       {UNLEARNABLE}"]
    lines += ["", *(f"time       {fmean(row['seconds']):.1f} s per fit, {TITLES[row['model']]}"
                    for row in result["rows"])]  # fmt: skip
    if "submission" in result:
        sent = result["submission"]
        lines.append(
            f"submission {out / sent['file']}: {sent['n_rows']} rows of {TITLES[sent['model']]}"
        )
    lines.append(f"written    {out}/: challenge.json, figures, models, steps")
    return Report(lines, {**result, "out": str(out)})


def _table(
    rows: Sequence[Mapping[str, Any]], targets: Sequence[str], title: str, key: str
) -> list[str]:
    """Mean squared standardised errors, by target and on average; the score of 2020."""
    names = [f"mse_{target}" for target in targets] + ["mse_mean", "mse_sum"]
    if "score_2020" in rows[0][key]:
        names.append("score_2020")
    width = max(len(TITLES[row["model"]]) for row in rows)
    heads = ", ".join(name.removeprefix("mse_") for name in names)
    lines = ["", f"{title}, mean squared error of standardised targets: {heads}"]
    for row in rows:
        cells = " ".join(f"{cell(row[key][name]):<15}" for name in names)
        lines.append(f"  {TITLES[row['model']]:<{width}}  {cells}".rstrip())
    return lines


def _angles(by_angle: Mapping[str, Any]) -> list[str]:
    edges = by_angle["edges_deg"]
    heads = " ".join(f"{low:>4.0f}-{high:<3.0f}" for low, high in pairwise(edges))
    lines = ["", f"R² within bins of θ (degrees): {heads}"]
    for target, by_model in by_angle["r2"].items():
        for model, values in by_model.items():
            cells = " ".join(f"{value:8.3f}" for value in values)
            lines.append(f"  {target}, {TITLES[model]:<50} {cells}")
    return lines
