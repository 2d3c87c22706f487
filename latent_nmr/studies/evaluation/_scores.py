"""Scores of the fits of an evaluation, those of shuffled labels, and those of forests."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from latent_nmr.analysis.chance import chance_scores
from latent_nmr.analysis.repeat_scatter import repeat_scatter
from latent_nmr.analysis.score_names import by_current_name, score_of
from latent_nmr.analysis.scores import (
    REGRESSED,
    forest_scores,
    neighbour_scores,
    other_labels,
    shape_scores,
)
from latent_nmr.studies._estimators import reason_of
from latent_nmr.studies._identity import digest_of
from latent_nmr.studies._ledger import Ledger, StepFailedError, raising_step_failed
from latent_nmr.studies._result import record
from latent_nmr.studies.evaluation._fits import Fit
from latent_nmr.studies.evaluation._methods import CEILING, FLOOR, METHOD
from latent_nmr.studies.evaluation._parts import DATA, FITTED, Labels, Material

STUDY, FIT_SECONDS, FOREST = "evaluation", "fit_seconds", "forest"
Records = list[dict[str, Any]]


class Scorer:
    """Scores every fit on every part.

    Parameters
    ----------
    material : Material
    ledger : Ledger
    n_neighbors : int
    on_step : callable
        Called with a few words for every set of scores.
    """

    def __init__(
        self,
        material: Material,
        ledger: Ledger,
        n_neighbors: int,
        on_step: Callable[[str], object],
    ):
        self._material, self._ledger, self._on_step = material, ledger, on_step
        self._n_neighbors = n_neighbors
        self._labels = digest_of(material.labels)
        self._known: dict[tuple[Any, ...], dict[str, dict[str, float]]] = {}

    def complete(
        self, fits: Sequence[Fit], on_failure: Callable[[Fit, Exception, str], object]
    ) -> list[Fit]:
        """Score every fit on every part; those that can be scored, in their order.

        `on_failure` is called with each of the others, the exception and the reason.
        """
        found = []
        for fit in fits:
            try:
                for part in self._material.scored_parts:
                    self._known[_key(fit, part)] = self._scores(fit, part)
            except StepFailedError as failure:
                reason = f"scores of the {part} part: {reason_of(failure.error)}"
                on_failure(fit, failure.error, reason)
            else:
                found.append(fit)
        return found

    def records(self, fits: Sequence[Fit], part: str) -> Records:
        """Records of a part, of fits that `complete` gave: by dimension in order, then the floor.

        Floors are those of methods alone.
        """
        found: Records = []
        for n_components in sorted({fit.n_components for fit in fits}):
            floor: Records = []
            for fit in (fit for fit in fits if fit.n_components == n_components):
                known = self._known[_key(fit, part)]
                facts = {"part": part, "n_components": n_components}
                found += [
                    row(name, value, fit.method.name, fit.seed, fit.method.role, **facts)
                    for name, value in known["scores"].items()
                ]
                # Floors of all fits of a dimension are one row, numbered through.
                seed = len({entry["seed"] for entry in floor})
                floor += [
                    row(name, value, "shuffled", seed, FLOOR, **facts)
                    for name, value in known["shuffled"].items()
                ]
            found += floor
        return found

    def _scores(self, fit: Fit, part: str) -> dict[str, dict[str, float]]:
        """Scores of a fit on `part`, and those with shuffled labels."""
        facts = {"step": "scores", **fit.method.facts(fit.seed), "part": part}
        facts |= {"labels": self._labels, "n_neighbors": self._n_neighbors}
        repeats = self._material.repeats(part)
        if repeats is not None:
            facts["repeats"] = digest_of(repeats)
        # Whatever is wrong with the coordinates of another package's method is its own failure.
        compute = raising_step_failed(lambda: self._computed(fit, part))
        known = self._ledger.take(facts, compute)
        known["scores"] = by_current_name(known["scores"])
        self._on_step(f"scores of {fit.method.name}")
        seconds = fit.number("seconds")
        if seconds is not None and seconds == seconds:
            known["scores"][FIT_SECONDS] = seconds
        return known

    def _computed(self, fit: Fit, part: str) -> dict[str, dict[str, float]]:
        fitted, scored = fit.coordinates(FITTED), fit.coordinates(part)
        labels, k = self._material.pair(part), self._n_neighbors
        given = {"rms": fit.number(f"rms/{part}"), "active_axes": fit.number("active_axes")}
        found = {name: value for name, value in given.items() if value is not None}
        found |= shape_scores(fitted, scored, self._material.curves[part], labels, k)
        repeats = self._material.repeats(part)
        if repeats is not None:
            found["repeat_scatter"] = repeat_scatter(scored, repeats)
        if labels is None:
            return {"scores": found, "shuffled": {}}
        found |= neighbour_scores(fitted, scored, labels, k)
        if fit.method.role != METHOD:
            return {"scores": found, "shuffled": {}}
        # Each fit has a shuffle of its own, or the floor of many would be that of a few.
        own = fit.method.shuffle_seed(), fit.n_components, fit.seed
        shuffled = neighbour_scores(fitted, scored, labels.shuffled(*own), k)
        return {"scores": found, "shuffled": shuffled}

    def ceiling(self, n_trees: int, random_state: int = 0) -> dict[str, Records]:
        """Records of the forests, by part."""
        curves = self._material.curves
        pairs = {part: self._material.pair(part) for part in self._material.scored_parts}
        labels = {part: pair for part, pair in pairs.items() if pair is not None}
        if not labels:
            return {}
        facts = {"step": "ceiling", "labels": self._labels, "n_trees": n_trees}
        known = self._ledger.take(
            facts | {"seed": random_state},
            lambda: forest_scores(
                curves[FITTED],
                {part: curves[part] for part in labels},
                labels,
                random_state=random_state,
                n_trees=n_trees,
                on_forest=lambda: self._on_step("random forests"),
            ),
        )
        return {
            part: [
                row(name, value, FOREST, random_state, CEILING, part=part, n_components=None)
                for name, value in scores.items()
            ]
            for part, scores in known.items()
        }

    def expected_floor(self, part: str) -> dict[str, float]:
        """What shuffled labels give on average."""
        labels = self._material.pair(part)
        return {} if labels is None else chance_scores(labels, self._n_neighbors)


def row(name: str, value: float, model: str, seed: int, role: str, **facts: Any) -> dict[str, Any]:
    """One record; `features` are what the labels are predicted from."""
    score = None if name == FIT_SECONDS else score_of(name)
    return record(
        STUDY,
        target=score.target if score else "",
        group=score.subset if score else "",
        features="curves" if model == FOREST else "coordinates",
        model=model,
        seed=seed,
        score=name,
        value=value,
        role=role,
        **facts,
    )


def _key(fit: Fit, part: str) -> tuple[Any, ...]:
    return fit.method.name, fit.method.digest, fit.seed, part


def n_forests(labels: Labels) -> int:
    """Forests of a ceiling."""
    numbers = sum(name in labels for name in REGRESSED)
    kernels = 2 * ("kernel" in labels) * (1 + ("L" in labels))
    return numbers + kernels + len(other_labels(labels))


def remarks_on(material: Material, fits: Sequence[Fit]) -> list[str]:
    """What the reader of the table must know of the data and of the fits."""
    found = [
        f"{name} is not scored, being unknown for {count} curve{'s' * (count > 1)} of the "
        f"{place if place == DATA else f'set {place}'}."
        for place, counts in material.incomplete.items()
        for name, count in counts.items()
    ]
    for part, labels in material.labels.items():
        found += [
            f"The {part} curves have one value of {name} only ({values[0]}): it is not scored."
            for name, values in labels.items()
            if name != "kernel" and len(np.unique(values)) < 2
        ]
        kernels = set(labels["kernel"].tolist()) if "kernel" in labels else set()
        if not labels:
            found.append(f"The {part} curves have no labels: only label-free scores are given.")
        elif len(kernels) == 1:
            found.append(
                f"The {part} curves are of one kernel only ({kernels.pop()}), so that F1, "
                "silhouette and ARI of the kernels are left out."
            )
        elif kernels and "power" not in kernels:
            found.append(f"The {part} curves have no power law: F1 against it is left out.")
    found += [f"{fit.method.name}, seed {fit.seed}, is {fit.remark}." for fit in fits if fit.remark]
    return list(dict.fromkeys(found))
