"""A probe, step by step: which forests and classifiers are fitted, and what is kept of each.

A step is one JSON file named by what it is; seeds decide the split and the fit together, so that
a spread over seeds is one over both.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from latent_nmr.analysis.classification import (
    CLASSIFIERS,
    TASKS,
    classes_of,
    classify,
    leak_scores,
    resampled_scores,
)
from latent_nmr.analysis.elimination import eliminate
from latent_nmr.analysis.forest_regression import GROUPS, TARGETS, members, regress
from latent_nmr.analysis.scores import POWER_LAW
from latent_nmr.analysis.screening import (
    BIN_EDGES,
    FEWEST_CURVES,
    bins_of,
    screen,
    smallest_class,
)
from latent_nmr.commands._probe_data import POINTS, POLYNOMIAL, FeatureTables, Material
from latent_nmr.errors import InputError

KERNEL = "kernel"
BINARY = TASKS[0]
# Curves of a group in either part, so that R² says something.
FEWEST_MEMBERS = 20
SHUFFLED = "shuffled"


@dataclass(frozen=True)
class Step:
    """One fit, or several that belong together.

    Attributes
    ----------
    name : str
        Of its file.
    compute : callable
        Gives its result, as JSON holds it.
    facts : tuple of str
        What its name is made of: kind first, seed last.
    """

    name: str
    compute: Callable[[], Any]
    facts: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """What is asked of a probe.

    Attributes
    ----------
    features, targets, algorithms : tuple of str
    n_seeds : int
    has_details : bool
        Resampling, leak, elimination and screening, beside the scores.
    """

    features: tuple[str, ...]
    targets: tuple[str, ...]
    algorithms: tuple[str, ...]
    n_seeds: int
    has_details: bool = True

    @property
    def explained(self) -> tuple[str, ...]:
        """Features that are places in time, of which importances are drawn."""
        return tuple(name for name in (POINTS, POLYNOMIAL) if name in self.features)


def steps_of(plan: Plan, material: Material, tables: FeatureTables) -> list[Step]:
    """Every step, in the order in which they are done."""
    found: list[Step] = []
    for seed in range(plan.n_seeds):
        if KERNEL in plan.targets:
            found += _kernel_steps(plan, material, tables, seed)
        found += _regression_steps(plan, material, tables, seed)
    return found


def check_labels(plan: Plan, material: Material) -> None:
    """Raise `InputError` unless the data can be asked for every target of the plan."""
    for target in plan.targets:
        if target not in material.labels:
            raise InputError(
                f"--target must name labels of the data, but they have no {target}. "
                "Leave it out, or use data that have it."
            )
        values = material.labels[target]
        if len(np.unique(values)) < 2:
            raise InputError(
                f"--target must vary over the data, but {target} is {values[0]} for every curve. "
                "Leave it out."
            )
    if KERNEL in plan.targets:
        kernels = material.labels[KERNEL]
        if POWER_LAW not in kernels:
            raise InputError(
                f"--target kernel asks for the power law against the rest, but no curve is of "
                f"{POWER_LAW!r}. Leave kernel out, or use data that have some."
            )


def _kernel_steps(plan: Plan, material: Material, tables: FeatureTables, seed: int) -> list[Step]:
    """Classification by every algorithm; resampling, leak, elimination, screening by forests."""
    kernels = material.labels[KERNEL]
    split = material.split(seed)
    found: list[Step] = []

    def add(facts: tuple[str, ...], compute: Callable[[], Any]) -> None:
        found.append(_step((*facts, str(seed)), compute))

    tasks = TASKS if len(np.unique(kernels)) > 2 else TASKS[:1]
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
        for name in plan.explained if task == BINARY and plan.has_details else ():
            add(
                ("resample", task, "all", name),
                lambda name=name, labels=labels: resampled_scores(
                    tables.table(name, seed), labels, split.fitted, seed
                ),
            )
    labels = classes_of(kernels, BINARY)
    for name in plan.explained if plan.has_details else ():
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
    if seed == 0:
        shuffled = _dealt_out(labels, split.fitted)
        add(
            ("classify", BINARY, plan.features[0], SHUFFLED),
            lambda: classify(
                CLASSIFIERS["forest"], tables.table(plan.features[0], 0), shuffled, *split, 0
            ),
        )
    return found


def _regression_steps(
    plan: Plan, material: Material, tables: FeatureTables, seed: int
) -> list[Step]:
    """A forest for every target, group of kernels and kind of features; the floor once."""
    split = material.split(seed)
    found = []
    for target, group, name in _regressions(plan, material, seed):
        values = material.labels[target]
        fitted, scored = (members(material.kernels, rows, group) for rows in split)
        found.append(
            _step(
                ("regress", target, group, name, str(seed)),
                lambda name=name, values=values, fitted=fitted, scored=scored: _told(
                    regress(tables.table(name, seed), values, fitted, scored, seed), seed
                ),
            )
        )
    if seed == 0:
        for target in (target for target in TARGETS if target in plan.targets):
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


def _regressions(plan: Plan, material: Material, seed: int) -> Iterator[tuple[str, str, str]]:
    """Target, group and features of every regression that the data have curves for."""
    split = material.split(seed)
    for target in (target for target in TARGETS if target in plan.targets):
        for group in GROUPS:
            parts = [members(material.kernels, rows, group) for rows in split]
            if group != "all" and len(parts[0]) == len(split.fitted):
                continue  # no other kernels: the group is all
            if min(map(len, parts)) >= FEWEST_MEMBERS and _varies(material, target, parts):
                for name in plan.features:
                    yield target, group, name


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
    found.pop("out_of_bag")
    if seed:
        found.pop("predicted")
    return found


def _dealt_out(values: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    """`values` with those of the rows `fitted` dealt out anew: the negative control."""
    dealt = values.copy()
    dealt[fitted] = np.random.default_rng(0).permutation(values[fitted])
    return dealt


def _step(facts: tuple[str, ...], compute: Callable[[], Any]) -> Step:
    return Step("-".join(facts), compute, facts)
