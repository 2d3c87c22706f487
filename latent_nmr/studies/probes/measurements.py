"""What the steps of a probe gave, as tidy records, and what no record holds: matrices, vectors."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from latent_nmr.studies._result import record
from latent_nmr.studies.probes.names import (
    FOREST,
    GIVEN,
    LEAKY,
    NETWORK,
    TRUE,
)

STUDY = "probe"
Facts = dict[str, Any]
Done = Sequence[tuple[Facts, Any]]

CLASSIFICATION, REGRESSION = "classification", "regression"
RESAMPLING, LEAK, ELIMINATION, SCREENING = "resampling", "leak", "elimination", "screening"
HELD_OUT = "held_out"
# Fraction of the rows of a leaky test that were also fitted.
SHARED = "shared"
# What identifies a measurement besides the columns that all studies share.
OWN_COLUMNS: Facts = {
    "table": "",
    "protocol": HELD_OUT,  # what is scored, and how classes are balanced
    "labels": GIVEN,
    "by": "",  # W that sorts curves into bins: true or predicted
    "bin": None,  # of W
    "round": None,  # of an elimination
    "n_kept": None,
}


def records_of(done: Done) -> list[Facts]:
    """One row for every score of every step."""
    return [row for facts, result in done for row in _rows(facts, result)]


def _row(facts: Facts, scores: dict[str, float], **more: Any) -> Iterator[Facts]:
    """A record for each of the scores."""
    shared = {name: facts[name] for name in ("target", "group", "model", "labels") if name in facts}
    for score, value in scores.items():
        yield record(
            STUDY,
            **{
                "group": "all",
                "model": FOREST,
                "features": facts["features"],
                "seed": facts["seed"],
                "score": score,
                "value": value,
                **OWN_COLUMNS,
                **shared,
                **more,
            },
        )


def _rows(facts: Facts, result: Any) -> Iterator[Facts]:
    step = facts["step"]
    if step == "classify":
        yield from _row(facts, result["scores"], table=CLASSIFICATION)
    elif step == "regress":
        yield from _row(facts, result["scores"], table=REGRESSION)
    elif step == "network":
        more = {"model": NETWORK}
        for target, found in result["classification"].items():
            yield from _row(facts, found["scores"], table=CLASSIFICATION, target=target, **more)
        for target, scores in result["regression"].items():
            yield from _row(facts, scores, table=REGRESSION, target=target, **more)
    elif step == "resample":
        for protocol, scores in result.items():
            yield from _row(facts, scores, table=RESAMPLING, protocol=protocol)
    elif step == "leak":
        more = {"table": LEAK, "bin": facts["bin"], "by": "" if facts["bin"] is None else TRUE}
        for protocol in (name for name in result if name != SHARED):
            yield from _row(facts, result[protocol], protocol=protocol, **more)
        yield from _row(facts, {SHARED: result[SHARED]}, protocol=LEAKY, **more)
    elif step == "eliminate":
        for number, found in enumerate(result):
            more = {"round": number, "n_kept": len(found["kept"])}
            yield from _row(facts, found["scores"], table=ELIMINATION, **more)
    elif step == "screen":
        for number, found in enumerate(result):
            if found is not None:
                more = {"by": facts["by"], "bin": number}
                yield from _row(facts, found["scores"], table=SCREENING, **more)


def confusions_of(done: Done) -> list[Facts]:
    """Confusion matrices (rows are the truth), each with what identifies it."""
    found = []
    for facts, result in done:
        head = {name: facts.get(name, "") for name in ("target", "features", "labels", "seed")}
        if facts["step"] == "classify":
            more = {"table": CLASSIFICATION, "model": facts["model"]}
            found.append({**head, **more, "counts": result["confusion"]})
        elif facts["step"] == "network":
            more = {"table": CLASSIFICATION, "model": NETWORK}
            found += [
                {**head, **more, "target": target, "counts": one["confusion"]}
                for target, one in result["classification"].items()
            ]
        elif facts["step"] == "screen":
            more = {"table": SCREENING, "model": FOREST, "labels": GIVEN, "by": facts["by"]}
            found += [
                {**head, **more, "bin": number, "counts": one["confusion"]}
                for number, one in enumerate(result)
                if one is not None
            ]
    return found


def eliminations_of(done: Done) -> list[Facts]:
    """Columns kept in every round of every elimination."""
    return [
        {
            "target": facts["target"],
            "features": facts["features"],
            "seed": facts["seed"],
            "kept": [found["kept"] for found in result],
        }
        for facts, result in done
        if facts["step"] == "eliminate"
    ]


def constant_labels_of(done: Done) -> list[Facts]:
    """Where an R² is left out, because the target has one value only.

    Entries have `target`, `group`, `part` and `seeds`; `part` is `held-out`, or `training`
    for the R² out of bag.
    """
    found: dict[tuple[str, str, str], set[int]] = {}
    for facts, result in done:
        by_target = result["regression"] if facts["step"] == "network" else {}
        if facts["step"] == "regress":
            by_target = {facts["target"]: result["scores"]}
        for target, scores in by_target.items():
            for part, end in (("held-out", ""), ("training", "_out_of_bag")):
                if f"mae{end}" in scores and f"r2{end}" not in scores:
                    place = target, facts["group"], part
                    found.setdefault(place, set()).add(facts["seed"])
    names = ("target", "group", "part")
    return [
        dict(zip(names, place, strict=True)) | {"seeds": sorted(seeds)}
        for place, seeds in found.items()
    ]


def importances_of(done: Done) -> tuple[list[Facts], dict[str, np.ndarray]]:
    """Importances of the columns for forests: what identifies each array, and the arrays.

    Returns
    -------
    entries : list of dict
        With `array`, the name of an array of shape (n_seeds, n_features), and `seeds`.
    arrays : dict of ndarray
    """
    groups: dict[tuple, dict[int, Sequence[float]]] = {}
    for facts, result in done:
        for head, values in _importances(facts, result):
            groups.setdefault(tuple(head.items()), {})[facts["seed"]] = values
    entries, arrays = [], {}
    for number, (head, by_seed) in enumerate(groups.items()):
        name = f"importances/{number}"
        arrays[name] = np.array(list(by_seed.values()))
        entries.append({**dict(head), "seeds": list(by_seed), "array": name})
    return entries, arrays


def _importances(facts: Facts, result: Any) -> Iterator[tuple[Facts, Sequence[float]]]:
    """What identifies importances but for the seed, and their values."""
    head = {"table": "", "target": facts.get("target", ""), "group": "all"}
    head |= {"features": facts["features"], "by": "", "bin": None}
    if facts["step"] == "regress" and facts["labels"] == GIVEN and "importances" in result:
        yield {**head, "table": REGRESSION, "group": facts["group"]}, result["importances"]
    elif facts["step"] == "eliminate":
        yield {**head, "table": ELIMINATION}, result[0]["importances"]
    elif facts["step"] == "screen":
        for number, found in enumerate(result):
            if found is not None:
                more = {"table": SCREENING, "by": facts["by"], "bin": number}
                yield {**head, **more}, found["importances"]


def predictions_of(done: Done) -> tuple[list[Facts], dict[str, np.ndarray]]:
    """Predictions of the held-out part of the first seed, all kernels: entries and arrays."""
    entries: list[Facts] = []
    arrays: dict[str, np.ndarray] = {}
    for facts, result in done:
        is_shown = facts.get("labels") == GIVEN and facts.get("group") == "all"
        if not is_shown or facts["seed"] != 0:
            continue
        if facts["step"] == "regress":
            by_target = {facts["target"]: result["predicted"]}
        else:
            by_target = result["predicted"]
        for target, values in by_target.items():
            name = f"predictions/{len(entries)}"
            arrays[name] = np.asarray(values)
            model = facts.get("model", NETWORK)
            head = {"target": target, "features": facts["features"], "model": model}
            entries.append({**head, "array": name})
    return entries, arrays
