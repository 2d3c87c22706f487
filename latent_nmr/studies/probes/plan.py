"""What is asked of a probe, checked before anything is fitted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from latent_nmr.analysis.classification import CLASSIFIERS, TASKS, Maker, forest_maker
from latent_nmr.analysis.forest_regression import TARGETS as NUMBERS
from latent_nmr.analysis.scores import POWER_LAW
from latent_nmr.errors import InputError, check_choice, check_count
from latent_nmr.studies._estimators import by_name, check_estimator, fit, seeded, unfitted_digest
from latent_nmr.studies.probes.data import Material
from latent_nmr.studies.probes.names import (
    BINARY,
    FOREST,
    JOIN,
    KERNEL,
    KINDS,
    POINTS,
    POLYNOMIAL,
    REGRESSORS,
    TARGETS,
)

# Fewest curves of a group in either part for its R² to mean anything.
FEWEST_MEMBERS = 20

# Names of what comes along, estimators of the user, several of both, or a mapping from names.
Choice = Any
EXAMPLES = {"features": "PCA(2)", "classifiers": "SVC()", "regressors": "Ridge()"}


@dataclass(frozen=True)
class Plan:
    """What is asked of a probe.

    Attributes
    ----------
    kinds : dict of tuple of str
        Kinds that stand side by side in each of the features, by their name.
    targets : tuple of str
    tasks : tuple of str
        Classifications of the kernel; none where it is no target.
    classifiers : dict of callable
        From a seed to an unfitted classifier, by name.
    regressors : tuple of str
    foreign : dict
        Estimators of the user, by the name of the kind, classifier or regressor.
    n_seeds : int
    n_forest_seeds : int
        Of forests on points and polynomials: importances, out of bag, five-fold.
    n_detail_seeds : int
        Of leak, elimination and screening; if 0, there are none of them, and no resampling.
    n_trees : int
    network : estimator
        Unfitted regressor of all targets at once.
    """

    kinds: dict[str, tuple[str, ...]]
    targets: tuple[str, ...]
    tasks: tuple[str, ...]
    classifiers: dict[str, Maker]
    regressors: tuple[str, ...]
    foreign: dict[str, Any]
    n_seeds: int
    n_forest_seeds: int
    n_detail_seeds: int
    n_trees: int
    network: Any

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        return tuple(self.kinds)

    @property
    def explained(self) -> tuple[str, ...]:
        """Features that are localised in time, whose importances are drawn."""
        return tuple(name for name in (POINTS, POLYNOMIAL) if name in self.kinds)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Targets that are numbers, in the order of the tables."""
        own = [name for name in self.targets if name not in TARGETS]
        return tuple(target for target in (*NUMBERS, *own) if target in self.targets)

    def digests(self, features: str, model: str = "") -> dict[str, Any]:
        """What identifies the estimators of the user that take part in a fit, as facts of it."""
        names = [name for name in (*self.kinds[features], model) if name in self.foreign]
        digests = {name: unfitted_digest(self.foreign[name]) for name in names}
        return {"foreign": digests} if names else {}


@dataclass(frozen=True)
class Foreign:
    """A classifier of the user's, used as scikit-learn's are.

    Attributes
    ----------
    estimator : object
    seed : int
    """

    estimator: Any
    seed: int

    def fit(self, X: Any, y: Any) -> Any:
        """What is fitted."""
        return fit(seeded(self.estimator, self.seed), X, y, needs="predict", groups=None)


def plan_of(
    material: Material,
    *,
    features: Choice,
    targets: str | Sequence[str],
    tasks: str | Sequence[str],
    classifiers: Choice,
    regressors: Choice,
    n_seeds: int,
    n_forest_seeds: int | None,
    n_detail_seeds: int | None,
    n_trees: int,
    network: Any,
) -> Plan:
    """Check what is asked for, and whether the data can answer it.

    Raises
    ------
    InputError
        Naming the parameter.
    """
    check_count("n_seeds", n_seeds)
    n_forest_seeds = n_seeds if n_forest_seeds is None else n_forest_seeds
    n_detail_seeds = n_seeds if n_detail_seeds is None else n_detail_seeds
    check_count("n_forest_seeds", n_forest_seeds, at_least=n_seeds)
    check_count("n_detail_seeds", n_detail_seeds, at_least=0, at_most=n_seeds)
    check_count("n_trees", n_trees)
    kinds, transformers = _features(features)
    makers, foreign_classifiers = _classifiers(classifiers, n_trees)
    models, foreign_regressors = _regressors(regressors)
    given_targets, given_tasks = by_name("targets", targets, "W"), by_name("tasks", tasks, TASKS[0])
    chosen = _targets(list(given_targets.values()), material)
    asked = tuple(check_choice("tasks", name, TASKS) for name in given_tasks.values())
    _check_targets(chosen, material)
    plan = Plan(
        kinds=kinds,
        targets=chosen,
        tasks=_tasks_of(material, asked) if KERNEL in chosen else (),
        classifiers=makers,
        regressors=models,
        foreign=_all_different(transformers, foreign_classifiers, foreign_regressors),
        n_seeds=n_seeds,
        n_forest_seeds=n_forest_seeds,
        n_detail_seeds=n_detail_seeds,
        n_trees=n_trees,
        network=network,
    )
    if n_forest_seeds > n_seeds and not plan.explained:
        raise InputError(
            "n_forest_seeds must be left out without points or polynomial among the features, "
            f"but is {n_forest_seeds}. Leave it out, or add them to features."
        )
    _check_size(plan, material)
    return plan


def _split_up(
    parameter: str, given: Choice, own: Sequence[str], method: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is given by name, and the estimators of the user in it; they have names of their own."""
    found = by_name(parameter, given, EXAMPLES[parameter])
    for name, value in found.items():
        if name in own and not (isinstance(value, str) and value == name):
            raise InputError(
                f"{parameter} must give estimators names other than {', '.join(own)}, but has "
                f"{name!r}. Rename it."
            )
    foreign = {name: value for name, value in found.items() if not isinstance(value, str)}
    for name, estimator in foreign.items():
        check_estimator(parameter, name, estimator, ("fit", method), EXAMPLES[parameter])
    return found, foreign


def _features(given: Choice) -> tuple[dict[str, tuple[str, ...]], dict[str, Any]]:
    """Kinds by the name of the features, and transformers of the user by kind."""
    names, foreign = _split_up("features", given, KINDS, "transform")
    for name in foreign:
        if JOIN in name:
            raise InputError(
                f"features must give transformers names without {JOIN}, but has {name!r}. "
                "Rename it."
            )
    found = {}
    for name, value in names.items():
        joined = name if name in foreign else value
        kinds = tuple(joined.split(JOIN))
        for kind in kinds:
            check_choice("features", kind, (*KINDS, *foreign))
        if len(set(kinds)) < len(kinds):
            raise InputError(f"features must join different kinds, but has {joined}. Drop one.")
        found[name] = kinds
    return found, foreign


def _classifiers(given: Choice, n_trees: int) -> tuple[dict[str, Maker], dict[str, Any]]:
    """From a seed to a classifier, by name; and those of the user."""
    names, foreign = _split_up("classifiers", given, tuple(CLASSIFIERS), "predict")
    own: dict[str, Maker] = {**CLASSIFIERS, FOREST: forest_maker(n_trees)}
    found = {}
    for name in names:
        if name in foreign:
            found[name] = partial(Foreign, foreign[name])
        else:
            found[name] = own[check_choice("classifiers", name, CLASSIFIERS)]
    return found, foreign


def _regressors(given: Choice) -> tuple[tuple[str, ...], dict[str, Any]]:
    names, foreign = _split_up("regressors", given, REGRESSORS, "predict")
    for name in names:
        if name not in foreign:
            check_choice("regressors", name, REGRESSORS)
    return tuple(names), foreign


def _all_different(*groups: Mapping[str, Any]) -> dict[str, Any]:
    """All estimators of the user in one mapping; an equal name stands for an equal estimator."""
    found: dict[str, Any] = {}
    for group in groups:
        for name, estimator in group.items():
            if name in found and found[name] is not estimator:
                raise InputError(
                    f"features, classifiers and regressors must have different names, but {name} "
                    "is there twice. Rename one."
                )
            found[name] = estimator
    return found


def _tasks_of(material: Material, tasks: tuple[str, ...]) -> tuple[str, ...]:
    """What is asked of these kernels: of two kernels, both tasks are the same."""
    assert material.kernels is not None  # it is a target
    return tasks if len(np.unique(material.kernels)) > 2 else (BINARY,)


def _targets(asked: Sequence[Any], material: Material) -> tuple[str, ...]:
    """Labels to predict: those of simulated echoes, and numbers of the user's own."""
    own = [name for name in (*material.labels, *material.incomplete) if name not in TARGETS]
    if tuple(asked) == TARGETS and not {*material.labels, *material.incomplete} & set(TARGETS):
        raise InputError(
            f"the data set must have at least one of the labels {', '.join(TARGETS)}, but has "
            f"{', '.join(sorted(own)) or 'no labels'}. Add one, or give labels that are numbers as "
            "targets."
        )
    chosen = tuple(check_choice("targets", name, (*TARGETS, *own)) for name in asked)
    for target in chosen:
        values = material.labels.get(target)
        is_class = values is not None and values.dtype.kind == "U" and target != KERNEL
        if is_class or target in TASKS:
            raise InputError(
                f"targets must be kernel, or labels that are numbers, but {target} holds names. "
                "Score it with ln.evaluate."
            )
    return chosen


def _check_targets(targets: Sequence[str], material: Material) -> None:
    for target in targets:
        if target in material.incomplete:
            raise InputError(
                f"targets must be known of every curve, but {target} is unknown for "
                f"{material.incomplete[target]} of {len(material.curves)}. Leave it out, or drop "
                "such curves."
            )
        if target not in material.labels:
            raise InputError(
                f"targets must name labels of the data, but they have no {target}. Leave it out, "
                "or use data that have it."
            )
        values = material.labels[target]
        if len(np.unique(values)) < 2:
            raise InputError(
                f"targets must vary over the data, but {target} is {values[0]} for every curve. "
                "Leave it out."
            )
    if KERNEL in targets and POWER_LAW not in material.labels[KERNEL]:
        raise InputError(
            f"targets must name kernel only for data with curves of {POWER_LAW!r} and others, but "
            f"no curve is of {POWER_LAW!r}. Leave kernel out, or use data that have some."
        )


def _check_size(plan: Plan, material: Material) -> None:
    fewest = min(map(len, material.split(0)))
    if plan.numbers and fewest < FEWEST_MEMBERS:
        raise InputError(
            f"the data must leave at least {FEWEST_MEMBERS} curves in either part to predict "
            f"{plan.numbers[0]}, but leave {fewest} of {len(material.curves)}. Use more curves, or "
            "another held_out."
        )
