"""A probe, step by step: which forests, classifiers and networks are fitted, and what is kept.

A step is one JSON file named by what it is; seeds decide the split and the fit together, so that
a spread over seeds is one over both.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.preprocessing import StandardScaler

from latent_nmr.analysis.classification import (
    CLASSIFIERS,
    classes_of,
    classify,
    leak_scores,
    resampled_scores,
)
from latent_nmr.analysis.elimination import eliminate
from latent_nmr.analysis.forest_regression import GROUPS, members, regress
from latent_nmr.analysis.oversampling import Rows
from latent_nmr.analysis.screening import (
    BIN_EDGES,
    FEWEST_CURVES,
    bins_of,
    screen,
    smallest_class,
)
from latent_nmr.commands._probe_data import POINTS, FeatureTables, Material
from latent_nmr.commands._probe_network import read_off
from latent_nmr.commands._probe_plan import (
    BINARY,
    FEWEST_MEMBERS,
    FOREST,
    KERNEL,
    NETWORK,
    SHUFFLED,
    Plan,
    Step,
    tasks_of,
)


def steps_of(plan: Plan, material: Material, tables: FeatureTables) -> list[Step]:
    """Every step, in the order in which they are done."""
    found: list[Step] = []
    for seed in range(plan.n_seeds):
        if KERNEL in plan.targets:
            found += _kernel_steps(plan, material, tables, seed)
        if FOREST in plan.regressors:
            found += _regression_steps(plan, plan.features, material, tables, seed)
        if NETWORK in plan.regressors:
            found += _network_steps(plan, material, tables, seed)
    for seed in range(plan.n_seeds, plan.n_forest_seeds):
        if KERNEL in plan.targets and BINARY in tasks_of(plan, material.labels[KERNEL]):
            found += _resampling_steps(plan, material, tables, seed)
        if FOREST in plan.regressors:
            found += _regression_steps(plan, plan.explained, material, tables, seed)
    return found


def _kernel_steps(plan: Plan, material: Material, tables: FeatureTables, seed: int) -> list[Step]:
    """Classification by every algorithm; the floor once; what forests say of power law or not."""
    kernels = material.labels[KERNEL]
    split = material.split(seed)
    found: list[Step] = []

    def add(facts: tuple[str, ...], compute: Callable[[], Any]) -> None:
        found.append(_step((*facts, str(seed)), compute))

    tasks = tasks_of(plan, kernels)
    for task in tasks:
        labels = classes_of(kernels, task)
        for name in plan.features:
            for algorithm in plan.algorithms:
                add(
                    ("classify", task, name, algorithm),
                    lambda name=name, labels=labels, algorithm=algorithm: classify(
                        CLASSIFIERS[algorithm], tables.table(name, seed), labels, *split, seed
                    ),
                )
    if seed == 0:
        dealt = _dealt_out(kernels, split.fitted)
        for task in tasks:
            labels = classes_of(dealt, task)
            add(
                ("classify", task, plan.features[0], SHUFFLED),
                lambda labels=labels: classify(
                    CLASSIFIERS["forest"], tables.table(plan.features[0], 0), labels, *split, 0
                ),
            )
    if BINARY in tasks:
        found += _resampling_steps(plan, material, tables, seed)
    if BINARY in tasks and seed < plan.n_detail_seeds:
        found += _detail_steps(plan, material, tables, seed)
    return found


def _detail_steps(plan: Plan, material: Material, tables: FeatureTables, seed: int) -> list[Step]:
    """Leak, elimination and screening of forests: power law or not."""
    labels = classes_of(material.labels[KERNEL], BINARY)
    split = material.split(seed)
    found: list[Step] = []

    def add(facts: tuple[str, ...], compute: Callable[[], Any]) -> None:
        found.append(_step((*facts, str(seed)), compute))

    for name in plan.explained:
        for group, rows in _leak_groups(material, labels).items():
            add(
                ("leak", BINARY, group, name),
                lambda name=name, rows=rows: leak_scores(
                    tables.table(name, seed), labels, rows, fraction=material.held_out, seed=seed
                ),
            )
        add(
            ("eliminate", BINARY, name),
            lambda name=name: [
                turn._asdict() for turn in eliminate(tables.table(name, seed), labels, *split, seed)
            ],
        )
        if "W" in material.labels:
            for by in ("true", "predicted"):
                add(
                    ("screen", by, name),
                    lambda name=name, by=by: screen(
                        tables.table(name, seed),
                        labels,
                        _strength(by, name, material, tables, seed),
                        *split,
                        seed,
                    ),
                )
    return found


def _resampling_steps(
    plan: Plan, material: Material, tables: FeatureTables, seed: int
) -> list[Step]:
    """Out-of-bag and five-fold scores of forests on features that are places in time."""
    labels = classes_of(material.labels[KERNEL], BINARY)
    fitted = material.split(seed).fitted
    return [
        _step(
            ("resample", BINARY, "all", name, str(seed)),
            lambda name=name: resampled_scores(tables.table(name, seed), labels, fitted, seed),
        )
        for name in (plan.explained if plan.n_detail_seeds else ())
    ]


def _regression_steps(
    plan: Plan, features: Sequence[str], material: Material, tables: FeatureTables, seed: int
) -> list[Step]:
    """A forest for every target, group of kernels and kind of features; the floor once."""
    split = material.split(seed)
    found = []
    for target in plan.numbers:
        values = material.labels[target]
        for group, (fitted, scored) in _groups(material, seed, target).items():
            found += [
                _step(
                    ("regress", target, group, name, str(seed)),
                    lambda name=name, values=values, fitted=fitted, scored=scored: _told(
                        regress(tables.table(name, seed), values, fitted, scored, seed), seed
                    ),
                )
                for name in features
            ]
    if seed == 0:
        for target in plan.numbers:
            values = _dealt_out(material.labels[target], split.fitted)
            found.append(
                _step(
                    ("regress", target, "all", plan.features[0], SHUFFLED, "0"),
                    lambda values=values: _told(
                        regress(tables.table(plan.features[0], 0), values, *split, 0), 0
                    ),
                )
            )
    return found


def _network_steps(plan: Plan, material: Material, tables: FeatureTables, seed: int) -> list[Step]:
    """A network for every group of kernels and kind of features, for all targets; its floor."""
    split = material.split(seed)
    kernels = material.labels[KERNEL] if KERNEL in plan.targets else None
    tasks = () if kernels is None else tasks_of(plan, kernels)
    numbers = {target: material.labels[target] for target in plan.numbers}
    # One network tells them all: what it tells of one depends on which others it is asked for.
    asked_for = "+".join(sorted((*numbers, *tasks)))
    found = []

    def add(
        facts: tuple[str, ...],
        values: dict[str, np.ndarray],
        classes: np.ndarray | None,
        parts: tuple[Rows, Rows],
    ) -> None:
        name = facts[1]

        def compute() -> dict[str, Any]:
            X = tables.table(name, seed)
            if name != POINTS:
                # Coefficients of high powers are a thousand times smaller than others.
                X = StandardScaler().fit(X[parts[0]]).transform(X)
            return _told(read_off(X, values, classes, tasks, *parts, seed), seed)

        found.append(_step(("network", asked_for, *facts, str(seed)), compute))

    groups = _groups(material, seed, *numbers)
    for name in plan.features:
        add(("all", name), numbers, kernels, (split.fitted, split.held_out))
        for group in [group for group in groups if group != "all" and numbers]:
            add((group, name), numbers, None, groups[group])
    # In every repetition: a network on shuffled labels still follows the largest variation of the
    # curves a little, up or down, as its first weights have it, and one of them says nothing.
    dealt = {name: _dealt_out(values, split.fitted, seed) for name, values in numbers.items()}
    classes = None if kernels is None else _dealt_out(kernels, split.fitted, seed)
    floor = ("all", plan.features[0], SHUFFLED)
    add(floor, dealt, classes, (split.fitted, split.held_out))
    return found


def _groups(material: Material, seed: int, *targets: str) -> dict[str, tuple[Rows, Rows]]:
    """Rows to fit on and to score of every group of kernels with curves enough for `targets`."""
    split = material.split(seed)
    found = {}
    for group in GROUPS:
        fitted, scored = (members(material.kernels, rows, group) for rows in split)
        if group != "all" and len(fitted) == len(split.fitted):
            continue  # no other kernels: the group is all
        parts = fitted, scored
        if min(map(len, parts)) >= FEWEST_MEMBERS and all(
            _varies(material, target, parts) for target in targets
        ):
            found[group] = parts
    return found


def _varies(material: Material, target: str, parts: Sequence[np.ndarray]) -> bool:
    return all(np.ptp(material.labels[target][rows]) > 0 for rows in parts)


def _leak_groups(material: Material, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Rows of all curves, and of each bin of W with enough of them, by name."""
    groups = {"all": np.arange(len(labels))}
    if "W" in material.labels:
        bins = bins_of(material.labels["W"])
        for number in range(len(BIN_EDGES) - 1):
            rows = np.flatnonzero(bins == number)
            if smallest_class(labels, rows) * material.held_out >= FEWEST_CURVES:
                groups[f"bin{number + 1}"] = rows
    return groups


def _strength(
    by: str, name: str, material: Material, tables: FeatureTables, seed: int
) -> np.ndarray:
    """W that sorts curves into bins: the true one, or that of a forest, out of bag where fitted."""
    strength = material.labels["W"]
    if by == "true":
        return strength
    split = material.split(seed)
    found = regress(tables.table(name, seed), strength, *split, seed)
    predicted = np.empty(len(strength))
    predicted[split.fitted], predicted[split.held_out] = found["out_of_bag"], found["predicted"]
    return predicted


def _told(found: dict[str, Any], seed: int) -> dict[str, Any]:
    """What is kept of a regression: predictions of the first seed only, which is drawn."""
    found.pop("out_of_bag", None)
    if seed:
        found.pop("predicted")
    return found


def _dealt_out(values: np.ndarray, fitted: np.ndarray, seed: int = 0) -> np.ndarray:
    """`values` with those of the rows `fitted` dealt out anew: the negative control."""
    dealt = values.copy()
    dealt[fitted] = np.random.default_rng(seed).permutation(values[fitted])
    return dealt


def _step(facts: tuple[str, ...], compute: Callable[[], Any]) -> Step:
    return Step("-".join(facts), compute, facts)
