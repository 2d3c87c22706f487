"""The steps of a probe: which classifiers, forests and networks are fitted to what.

A step is a dictionary of facts, from which it is computed. The seed decides split and fit
together, so that the spread over seeds includes both.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.preprocessing import StandardScaler

from latent_nmr.analysis.classification import (
    classes_of,
    classify,
    forest_maker,
    leak_scores,
    resampled_scores,
)
from latent_nmr.analysis.elimination import eliminate
from latent_nmr.analysis.forest_regression import GROUPS, members, regress, regression_scores
from latent_nmr.analysis.oversampling import Rows
from latent_nmr.analysis.scores import has_r2
from latent_nmr.analysis.screening import (
    BIN_EDGES,
    FEWEST_CURVES,
    bins_of,
    screen,
    smallest_class,
)
from latent_nmr.analysis.split import Split
from latent_nmr.studies._estimators import fit, predict, seeded
from latent_nmr.studies.probes.data import Material, Matrix
from latent_nmr.studies.probes.names import (
    BINARY,
    FOREST,
    GIVEN,
    KERNEL,
    NETWORK,
    POINTS,
    PREDICTED,
    SHUFFLED,
    TRUE,
)
from latent_nmr.studies.probes.network import predict_all
from latent_nmr.studies.probes.plan import FEWEST_MEMBERS, Plan

Facts = dict[str, Any]
ALL = "all"


def facts_of(plan: Plan, material: Material, seed: int) -> list[Facts]:
    """The steps of the repetition with this seed, in order."""
    is_full = seed < plan.n_seeds
    found: list[Facts] = []
    if is_full:
        found += _classifications(plan, seed)
    if BINARY in plan.tasks and plan.n_detail_seeds:
        found += [
            {"step": "resample", "target": BINARY, "features": name} for name in plan.explained
        ]
    if BINARY in plan.tasks and seed < plan.n_detail_seeds:
        found += _details(plan, material)
    for model in plan.regressors if is_full else (FOREST,) if FOREST in plan.regressors else ():
        if model == NETWORK:
            found += _networks(plan, material, seed)
        else:
            features = plan.features if is_full else plan.explained
            found += _regressions(plan, model, features, material, seed)
    return [{**facts, "seed": seed} for facts in found]


def _classifications(plan: Plan, seed: int) -> Iterator[Facts]:
    """Every classifier on all features, and once a forest on permuted labels."""
    for target in plan.tasks:
        for features in plan.features:
            for model in plan.classifiers:
                yield {
                    "step": "classify", "target": target, "features": features, "model": model,
                    "labels": GIVEN, **plan.digests(features, model),
                }  # fmt: skip
    first = plan.features[0]
    for target in plan.tasks if seed == 0 else ():
        yield {
            "step": "classify", "target": target, "features": first, "model": FOREST,
            "labels": SHUFFLED, **plan.digests(first),
        }  # fmt: skip


def _details(plan: Plan, material: Material) -> Iterator[Facts]:
    """Leak, elimination and screening of forests: power law or not."""
    for features in plan.explained:
        for number in _leak_bins(material):
            yield {"step": "leak", "target": BINARY, "features": features, "bin": number}
        yield {"step": "eliminate", "target": BINARY, "features": features}
        for by in (TRUE, PREDICTED) if "W" in material.labels else ():
            yield {"step": "screen", "target": BINARY, "features": features, "by": by}


def _regressions(
    plan: Plan, model: str, names: Sequence[str], material: Material, seed: int
) -> Iterator[Facts]:
    """One fit for every target, group of kernels and kind of features; once, permuted labels."""
    for target in plan.numbers:
        for group in groups_of(material, seed, target):
            for features in names:
                yield {
                    "step": "regress", "target": target, "group": group, "features": features,
                    "model": model, "labels": GIVEN, **plan.digests(features, model),
                }  # fmt: skip
    first = plan.features[0]
    for target in plan.numbers if seed == 0 else ():
        yield {
            "step": "regress", "target": target, "group": ALL, "features": first,
            "model": model, "labels": SHUFFLED, **plan.digests(first, model),
        }  # fmt: skip


def _networks(plan: Plan, material: Material, seed: int) -> Iterator[Facts]:
    """A network for every group of kernels and kind of features, for all targets at once.

    On permuted labels in every repetition: it still follows the largest variation of the curves a
    little, with the sign of its first weights, so that a single control means nothing.
    """
    # A prediction depends on which targets the network has beside it.
    facts = {"step": "network", "targets": sorted((*plan.numbers, *plan.tasks))}
    groups = groups_of(material, seed, *plan.numbers)
    for features in plan.features:
        for group in (ALL, *(g for g in groups if g != ALL and plan.numbers)):
            yield {
                **facts, "group": group, "features": features, "labels": GIVEN,
                **plan.digests(features),
            }  # fmt: skip
    first = plan.features[0]
    yield {
        **facts, "group": ALL, "features": first, "labels": SHUFFLED, **plan.digests(first),
    }  # fmt: skip


def groups_of(material: Material, seed: int, *targets: str) -> dict[str, tuple[Rows, Rows]]:
    """Rows to fit on and to score of all kernels, and of every group that can be probed.

    It needs curves enough in either part, and `targets` that vary over its training part.
    """
    split = material.split(seed)
    found = {}
    for group in GROUPS:
        fitted, scored = (members(material.kernels, rows, group) for rows in split)
        if group != ALL and len(fitted) == len(split.fitted):
            continue  # no other kernels: the group is all
        has_enough = min(len(fitted), len(scored)) >= FEWEST_MEMBERS
        if group == ALL or (
            has_enough and all(has_r2(material.labels[target][fitted]) for target in targets)
        ):
            found[group] = fitted, scored
    return found


def _leak_bins(material: Material) -> dict[int | None, np.ndarray]:
    """Rows of all curves (None), and of each bin of W with enough of them."""
    labels = classes_of(material.labels[KERNEL], BINARY)
    found: dict[int | None, np.ndarray] = {None: np.arange(len(labels))}
    if "W" in material.labels:
        bins = bins_of(material.labels["W"])
        for number in range(len(BIN_EDGES) - 1):
            rows = np.flatnonzero(bins == number)
            if smallest_class(labels, rows) * material.held_out >= FEWEST_CURVES:
                found[number] = rows
    return found


@dataclass(frozen=True)
class Repetition:
    """One split, and the features made for it.

    Attributes
    ----------
    plan : Plan
    material : Material
    seed : int
    split : Split
    tables : mapping of ndarray, shape (n_curves, n_features)
        Features by name.
    """

    plan: Plan
    material: Material
    seed: int
    split: Split
    tables: Mapping[str, Matrix]

    def compute(self, facts: Facts) -> Any:
        """The result of a step, as JSON holds it."""
        steps: dict[str, Callable[[Facts, Matrix], Any]] = {
            "classify": self._classify,
            "resample": self._resample,
            "leak": self._leak,
            "eliminate": self._eliminate,
            "screen": self._screen,
            "regress": self._regress,
            "network": self._network,
        }
        return steps[facts["step"]](facts, self.tables[facts["features"]])

    def _classify(self, facts: Facts, X: Matrix) -> dict[str, Any]:
        kernels = self._labels(facts["labels"], KERNEL)
        is_control = facts["labels"] == SHUFFLED
        n_trees = self.plan.n_trees
        maker = forest_maker(n_trees) if is_control else self.plan.classifiers[facts["model"]]
        found = classify(maker, X, classes_of(kernels, facts["target"]), *self.split, self.seed)
        return {"scores": found["scores"], "confusion": found["confusion"]}

    def _resample(self, facts: Facts, X: Matrix) -> dict[str, Any]:
        return resampled_scores(
            X,
            self._classes(facts),
            self.split.fitted,
            self.seed,
            groups=self.material.groups,
            n_trees=self.plan.n_trees,
        )

    def _leak(self, facts: Facts, X: Matrix) -> dict[str, Any]:
        return leak_scores(
            X,
            self._classes(facts),
            _leak_bins(self.material)[facts["bin"]],
            fraction=self.material.held_out,
            random_state=self.seed,
            groups=self.material.groups,
            n_trees=self.plan.n_trees,
        )

    def _eliminate(self, facts: Facts, X: Matrix) -> list[dict[str, Any]]:
        n_trees = self.plan.n_trees
        rounds = eliminate(X, self._classes(facts), *self.split, self.seed, n_trees=n_trees)
        return [found._asdict() for found in rounds]

    def _screen(self, facts: Facts, X: Matrix) -> list[dict[str, Any] | None]:
        strength, n_trees = self.material.labels["W"], self.plan.n_trees
        if facts["by"] == PREDICTED:
            # Out of bag where fitted.
            groups = self.material.groups
            found = regress(X, strength, *self.split, self.seed, groups=groups, n_trees=n_trees)
            strength = np.empty(len(strength))
            strength[self.split.fitted] = found["out_of_bag"]
            strength[self.split.held_out] = found["predicted"]
        labels = self._classes(facts)
        return screen(X, labels, strength, *self.split, self.seed, n_trees=n_trees)

    def _regress(self, facts: Facts, X: Matrix) -> dict[str, Any]:
        target, model = facts["target"], facts["model"]
        values = self._labels(facts["labels"], target)
        fitted, scored = self._parts(facts["group"], target)
        if model == FOREST:
            n_trees = self.plan.n_trees
            groups = self.material.groups
            rows = fitted, scored
            found = regress(X, values, *rows, self.seed, groups=groups, n_trees=n_trees)
            del found["out_of_bag"]
        else:
            copy = seeded(self.plan.foreign[model], self.seed)
            own = {"needs": "predict", "groups": self.material.groups_at(fitted)}
            predicted = predict(fit(copy, X[fitted], values[fitted], **own), X[scored])
            scores = regression_scores(values[scored], predicted)
            found = {"scores": scores, "predicted": predicted.tolist()}
        return self._without_predictions(found)

    def _network(self, facts: Facts, X: Matrix) -> dict[str, Any]:
        numbers = self.plan.numbers
        fitted, scored = self._parts(facts["group"], *numbers)
        if facts["features"] != POINTS:
            # Coefficients of high powers are a thousand times smaller than others.
            X = StandardScaler().fit(X[fitted]).transform(X)
        has_kernel = facts["group"] == ALL and bool(self.plan.tasks)
        found = predict_all(
            self.plan.network,
            X,
            {target: self._labels(facts["labels"], target) for target in numbers},
            self._labels(facts["labels"], KERNEL) if has_kernel else None,
            self.plan.tasks,
            fitted,
            scored,
            self.seed,
            self.material.groups_at(fitted),
        )
        return self._without_predictions(found)

    def _without_predictions(self, found: dict[str, Any]) -> dict[str, Any]:
        """What is kept of a regression: predictions of the first seed only, which are drawn."""
        if self.seed:
            found.pop("predicted")
        return found

    def _classes(self, facts: Facts) -> np.ndarray:
        return classes_of(self.material.labels[KERNEL], facts["target"])

    def _parts(self, group: str, *targets: str) -> tuple[Rows, Rows]:
        """Rows to fit on and to score of a group of kernels."""
        if group == ALL:
            return self.split.fitted, self.split.held_out
        return groups_of(self.material, self.seed, *targets)[group]

    def _labels(self, which: str, name: str) -> np.ndarray:
        """Labels of all curves; for the negative control, those of the training part permuted."""
        values = self.material.labels[name]
        if which == GIVEN:
            return values
        fitted, permuted = self.split.fitted, values.copy()
        permuted[fitted] = np.random.default_rng(self.seed).permutation(values[fitted])
        return permuted
