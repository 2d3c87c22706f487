"""Steps of a probe gathered into its result: one value per seed in each cell, medians, sums."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np

from latent_nmr._files import staged_file
from latent_nmr.commands._probe_data import features_title
from latent_nmr.commands._probe_plan import FOREST, NETWORK, NETWORK_SHUFFLED, SHUFFLED, Step

FACTS = ("table", "target", "group", "features", "model", "score", "mean", "sd", "values")
# From here on, decimals say nothing.
LARGE = 1000


def tables_of(done: Mapping[Step, Any]) -> dict[str, list[dict[str, Any]]]:
    """Every table of the result, from what each step gave.

    Parameters
    ----------
    done : mapping
        Result of every step.

    Returns
    -------
    dict of list of dict
        `classification`, `resampling`, `leak`, `elimination`, `screening`, `regression` and
        `importances`. `scores` hold one value per seed.
    """
    return {
        "classification": _classification(done),
        "resampling": _by_protocol(done, "resample"),
        "leak": _by_protocol(done, "leak"),
        "elimination": _elimination(done),
        "screening": _screening(done),
        "regression": _regression(done),
        "importances": _importances(done),
    }


def predictions_of(done: Mapping[Step, Any]) -> dict[tuple[str, str], np.ndarray]:
    """Held-out predictions of the first seed on all kernels, by target and words of the series."""
    found = {}
    has_networks = any(step.facts[0] == "network" for step in done)
    for step, result in done.items():
        kind, *facts, seed = step.facts
        if SHUFFLED in facts or seed != "0" or "all" not in facts:
            continue
        if kind == "regress":
            target, _, features = facts
            words = series_title(features, FOREST, is_alone=not has_networks)
            found[target, words] = np.asarray(result["predicted"])
        elif kind == "network":
            _, _, features = facts
            for target, values in result["predicted"].items():
                found[target, series_title(features, NETWORK)] = np.asarray(values)
    return found


def series_title(features: str, model: str, *, is_alone: bool = False) -> str:
    """Words for a kind of features and the model on them, unless it is the only one."""
    return features_title(features) + ("" if is_alone else f", {model}")


def cell(values: Sequence[float], digits: int = 3) -> str:
    """Mean, and after ± the sample deviation if there are several seeds."""
    form = f".{digits}f" if abs(fmean(values)) < LARGE else ".1e"
    spread = f" ± {stdev(values):{form}}" if len(values) > 1 else ""
    return f"{fmean(values):{form}}{spread}"


def write_csv(tables: Mapping[str, Sequence[Mapping[str, Any]]], path: Path) -> None:
    """Write every score as a line; `values`, one per seed, are separated by blanks."""
    with staged_file(path) as staging, staging.open("w", encoding="utf-8", newline="") as handle:
        table = csv.DictWriter(handle, FACTS, lineterminator="\n")
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


def _grouped(done: Mapping[Step, Any], kind: str) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """Facts of a kind of steps without the seed, and their results in the order of the seeds."""
    groups: dict[tuple[str, ...], list[Any]] = {}
    for step, found in done.items():
        if step.facts[0] == kind:
            groups.setdefault(step.facts[1:-1], []).append(found)
    yield from groups.items()


def _by_seed(scores: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    return {name: [one[name] for one in scores] for name in scores[0]}


def _classification(done: Mapping[Step, Any]) -> list[dict[str, Any]]:
    entries = []
    for (task, features, model), found in _grouped(done, "classify"):
        entries.append(
            {
                "target": task,
                "features": features,
                "model": model,
                "scores": _by_seed([one["scores"] for one in found]),
                "confusion": np.sum([one["confusion"] for one in found], axis=0).tolist(),
            }
        )
    for (_, _, features, *shuffled), found in _grouped(done, "network"):
        for task in found[0]["classification"]:
            told = [one["classification"][task] for one in found]
            entries.append(
                {
                    "target": task,
                    "features": features,
                    "model": NETWORK_SHUFFLED if shuffled else NETWORK,
                    "scores": _by_seed([one["scores"] for one in told]),
                    "confusion": np.sum([one["confusion"] for one in told], axis=0).tolist(),
                }
            )
    return entries


def _by_protocol(done: Mapping[Step, Any], kind: str) -> list[dict[str, Any]]:
    """Steps that score the same forest in several ways."""
    entries = []
    for (task, group, features), found in _grouped(done, kind):
        shared = [one.pop("shared") for one in found if "shared" in one]
        for protocol in found[0]:
            entry = {
                "target": task,
                "group": group,
                "features": features,
                "model": protocol,
                "scores": _by_seed([one[protocol] for one in found]),
            }
            if protocol == "leaky" and shared:
                entry["shared"] = shared
            entries.append(entry)
    return entries


def _elimination(done: Mapping[Step, Any]) -> list[dict[str, Any]]:
    """One entry per round; columns and importances are those of the first seed."""
    entries = []
    for (task, features), found in _grouped(done, "eliminate"):
        for number in range(min(map(len, found))):
            turns = [rounds[number] for rounds in found]
            entries.append(
                {
                    "target": task,
                    "features": features,
                    "model": "forest",
                    "n_kept": len(turns[0]["kept"]),
                    "kept": turns[0]["kept"],
                    "scores": _by_seed([turn["scores"] for turn in turns]),
                }
            )
    return entries


def _screening(done: Mapping[Step, Any]) -> list[dict[str, Any]]:
    entries = []
    for (by, features), found in _grouped(done, "screen"):
        for number in range(len(found[0])):
            of_bin = [one[number] for one in found if one[number] is not None]
            if of_bin:
                entries.append(
                    {
                        "target": "binary",
                        "group": f"{by} W, bin {number + 1}",
                        "by": by,
                        "bin": number,
                        "features": features,
                        "n_curves": [one["n_curves"] for one in of_bin],
                        "scores": _by_seed([one["scores"] for one in of_bin]),
                        "confusion": np.sum([one["confusion"] for one in of_bin], axis=0).tolist(),
                        "importances": _median([one["importances"] for one in of_bin]),
                    }
                )
    return entries


def _regression(done: Mapping[Step, Any]) -> list[dict[str, Any]]:
    entries = [
        {
            "target": target,
            "group": group,
            "features": features,
            "model": model[0] if model else FOREST,
            "scores": _by_seed([one["scores"] for one in found]),
        }
        for (target, group, features, *model), found in _grouped(done, "regress")
    ]
    for (_, group, features, *shuffled), found in _grouped(done, "network"):
        entries += [
            {
                "target": target,
                "group": group,
                "features": features,
                "model": NETWORK_SHUFFLED if shuffled else NETWORK,
                "scores": _by_seed([one["regression"][target] for one in found]),
            }
            for target in found[0]["regression"]
        ]
    return entries


def _importances(done: Mapping[Step, Any]) -> list[dict[str, Any]]:
    """Median over seeds of what each column counts for a forest, by target, group and features."""
    entries = []
    for (target, group, features, *model), found in _grouped(done, "regress"):
        if not model:
            entries.append(
                {
                    "target": target,
                    "group": group,
                    "features": features,
                    "median": _median([one["importances"] for one in found]),
                }
            )
    for (task, features), found in _grouped(done, "eliminate"):
        entries.append(
            {
                "target": task,
                "group": "all",
                "features": features,
                "median": _median([rounds[0]["importances"] for rounds in found]),
            }
        )
    return entries


def _median(importances: Sequence[Sequence[float]]) -> list[float]:
    return np.median(np.asarray(importances), axis=0).tolist()
