"""The tables of a probe, each a group-by of its records: one value per seed in every cell."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
import pandas as pd

from latent_nmr._files import staged_file
from latent_nmr.studies._result import StudyResult
from latent_nmr.studies.probes.measurements import (
    CLASSIFICATION,
    ELIMINATION,
    HELD_OUT,
    LEAK,
    REGRESSION,
    RESAMPLING,
    SCREENING,
    SHARED,
)
from latent_nmr.studies.probes.names import model_name

CSV_COLUMNS = (
    "table", "target", "group", "features", "model", "score", "mean", "sd", "values",
)  # fmt: skip
# What tells the rows of a table from each other, besides the score.
KEYS = (
    "target", "group", "features", "model", "labels", "protocol", "by", "bin", "round",
)  # fmt: skip
Entry = dict[str, Any]


def tables_of(result: StudyResult) -> dict[str, list[Entry]]:
    """Every table, as JSON holds it.

    Returns
    -------
    dict of list of dict
        `classification`, `resampling`, `leak`, `elimination`, `screening`, `regression` and
        `importances`. `scores` hold one value per seed.
    """
    return {
        "classification": _classification(result),
        "resampling": _protocols(result, RESAMPLING),
        "leak": _protocols(result, LEAK),
        "elimination": _elimination(result),
        "screening": _screening(result),
        "regression": _regression(result),
        "importances": _importances(result),
    }


def held_out_table(records: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds of the scores on held-out curves, and their sample standard deviations."""
    rows = records[records["table"].isin((CLASSIFICATION, REGRESSION))]
    rows = rows[rows["protocol"] == HELD_OUT]
    keys = ["target", "group", "features", "model", "labels"]
    names = list(dict.fromkeys(rows["score"]))
    grouped = rows.groupby([*keys, "score"], sort=False)["value"]
    by_score = grouped.agg(["mean", "std", "count"]).unstack("score")
    order = pd.MultiIndex.from_frame(rows[keys].drop_duplicates())
    by_score = by_score.reindex(order)
    columns = {"n_seeds": by_score["count"].max(axis=1).astype(int)}
    for name in names:
        columns[name] = by_score["mean"][name]
        columns[f"{name}_sd"] = by_score["std"][name]
    return pd.DataFrame(columns).reset_index()


def write_csv(tables: Mapping[str, Sequence[Mapping[str, Any]]], path: Path) -> None:
    """Write a line for every score; `values`, one per seed, are separated by blanks."""
    with staged_file(path) as staging, staging.open("w", encoding="utf-8", newline="") as handle:
        table = csv.DictWriter(handle, CSV_COLUMNS, lineterminator="\n")
        table.writeheader()
        for name, entries in tables.items():
            for entry in entries:
                for score, values in entry.get("scores", {}).items():
                    deviation = f"{stdev(values):.6g}" if len(values) > 1 else ""
                    table.writerow(
                        {
                            "table": name,
                            "target": entry.get("target", ""),
                            "group": entry.get("group", ""),
                            "features": entry["features"],
                            "model": entry.get("model", "forest"),
                            "score": score,
                            "mean": f"{fmean(values):.6g}",
                            "sd": deviation,
                            "values": " ".join(f"{value:.6g}" for value in values),
                        }
                    )


def _entries(result: StudyResult, table: str) -> list[tuple[Entry, dict[str, list[float]]]]:
    """What identifies each row of a table, and its scores by seed."""
    rows = result.records[result.records["table"] == table]
    found = []
    for keys, group in rows.groupby(list(KEYS), sort=False, dropna=False):
        head = {
            name: None if value != value else value for name, value in zip(KEYS, keys, strict=True)
        }
        by_score = group.groupby("score", sort=False)["value"]
        found.append((head, {str(name): values.tolist() for name, values in by_score}))
    return found


def _classification(result: StudyResult) -> list[Entry]:
    return [
        {
            "target": head["target"],
            "features": head["features"],
            "model": model_name(head["model"], head["labels"]),
            "scores": scores,
            "confusion": _confusion(result, head, CLASSIFICATION, ("model", "labels")),
        }
        for head, scores in _entries(result, CLASSIFICATION)
    ]


def _protocols(result: StudyResult, table: str) -> list[Entry]:
    """Ways of scoring the same forest."""
    found = []
    for head, scores in _entries(result, table):
        entry = {
            "target": head["target"],
            "group": "all" if head["bin"] is None else f"bin{int(head['bin']) + 1}",
            "features": head["features"],
            "model": head["protocol"],
            "scores": {name: values for name, values in scores.items() if name != SHARED},
        }
        found.append(entry | ({SHARED: scores[SHARED]} if SHARED in scores else {}))
    return found


def _elimination(result: StudyResult) -> list[Entry]:
    """One entry per round that all seeds have; the columns are those of the first seed."""
    found = []
    for head, scores in _entries(result, ELIMINATION):
        kept = [
            one["kept"]
            for one in result.facts["eliminations"]
            if (one["target"], one["features"]) == (head["target"], head["features"])
        ]
        number = int(head["round"])
        if number < min(map(len, kept)):
            found.append(
                {
                    "target": head["target"],
                    "features": head["features"],
                    "model": head["model"],
                    "n_kept": len(kept[0][number]),
                    "kept": kept[0][number],
                    "scores": scores,
                }
            )
    return found


def _screening(result: StudyResult) -> list[Entry]:
    found = []
    for head, scores in _entries(result, SCREENING):
        number = int(head["bin"])
        place = {"by": head["by"], "bin": number, "features": head["features"]}
        matrices = _matrices(result, {**place, "table": SCREENING})
        (importances,) = medians(result, table=SCREENING, **place).values()
        found.append(
            {
                "target": head["target"],
                "group": f"{head['by']} W, bin {number + 1}",
                **place,
                "n_curves": [int(np.sum(counts)) for counts in matrices],
                "scores": scores,
                "confusion": np.sum(matrices, axis=0).tolist(),
                "importances": importances.tolist(),
            }
        )
    return found


def _regression(result: StudyResult) -> list[Entry]:
    return [
        {
            "target": head["target"],
            "group": head["group"],
            "features": head["features"],
            "model": model_name(head["model"], head["labels"]),
            "scores": scores,
        }
        for head, scores in _entries(result, REGRESSION)
    ]


def _importances(result: StudyResult) -> list[Entry]:
    """Median over seeds of the importance of each column, by target, group and features."""
    wanted = [e for name in (REGRESSION, ELIMINATION) for e in _of_table(result, name)]
    return [
        {
            **{name: entry[name] for name in ("target", "group", "features")},
            "median": _median(result, entry).tolist(),
        }
        for entry in wanted
    ]


def medians(result: StudyResult, **facts: Any) -> dict[str, np.ndarray]:
    """Median importances over seeds by features, (n_features,), of the forests with these facts."""
    return {
        entry["features"]: _median(result, entry)
        for entry in result.facts["importances"]
        if facts.items() <= entry.items()
    }


def _of_table(result: StudyResult, table: str) -> list[Entry]:
    return [entry for entry in result.facts["importances"] if entry["table"] == table]


def _median(result: StudyResult, entry: Entry) -> np.ndarray:
    return np.median(result.arrays[entry["array"]], axis=0)


def _confusion(
    result: StudyResult, head: Entry, table: str, names: Sequence[str]
) -> list[list[int]]:
    """Counts of all seeds together."""
    facts = {name: head[name] for name in ("target", "features", *names)}
    return np.sum(_matrices(result, {**facts, "table": table}), axis=0).tolist()


def _matrices(result: StudyResult, facts: Entry) -> list[Any]:
    return [one["counts"] for one in result.facts["confusions"] if facts.items() <= one.items()]
