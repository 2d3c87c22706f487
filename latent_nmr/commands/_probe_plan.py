"""What is asked of a probe, and whether the data can be asked for it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from latent_nmr.analysis.classification import CLASSIFIER_TITLES, TASKS
from latent_nmr.analysis.forest_regression import TARGETS
from latent_nmr.analysis.scores import POWER_LAW
from latent_nmr.commands._probe_data import POINTS, POLYNOMIAL, Material
from latent_nmr.errors import InputError

KERNEL = "kernel"
BINARY = TASKS[0]
SHUFFLED = "shuffled"
FOREST, NETWORK = "forest", "network"
REGRESSORS = (FOREST, NETWORK)
# Curves of a group in either part, so that R² says something.
FEWEST_MEMBERS = 20
# The negative control of a network.
NETWORK_SHUFFLED = f"{NETWORK}, {SHUFFLED}"
FLOORS = (SHUFFLED, NETWORK_SHUFFLED)
MODEL_TITLES = {
    **CLASSIFIER_TITLES,
    NETWORK: "network",
    SHUFFLED: "forest, shuffled labels",
    NETWORK_SHUFFLED: "network, shuffled labels",
}


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
    features, targets, tasks, algorithms, regressors : tuple of str
    n_seeds : int
    n_forest_seeds : int
        Of forests on features that are places in time: importances, out of bag, five-fold.
    n_detail_seeds : int
        Of leak, elimination and screening; none of them, and no resampling, where it is 0.
    """

    features: tuple[str, ...]
    targets: tuple[str, ...]
    tasks: tuple[str, ...]
    algorithms: tuple[str, ...]
    n_seeds: int
    n_forest_seeds: int
    n_detail_seeds: int
    regressors: tuple[str, ...]

    @property
    def explained(self) -> tuple[str, ...]:
        """Features that are places in time, of which importances are drawn."""
        return tuple(name for name in (POINTS, POLYNOMIAL) if name in self.features)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Targets that are numbers, in the order of the tables."""
        return tuple(target for target in TARGETS if target in self.targets)


def tasks_of(plan: Plan, kernels: npt.NDArray[np.str_]) -> tuple[str, ...]:
    """What is asked of these kernels: of two, both questions are one."""
    return plan.tasks if len(np.unique(kernels)) > 2 else (BINARY,)


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
    fewest = min(map(len, material.split(0)))
    if plan.numbers and fewest < FEWEST_MEMBERS:
        raise InputError(
            f"the data must leave at least {FEWEST_MEMBERS} curves in either part to tell "
            f"{plan.numbers[0]} by, but leave {fewest} of {len(material.curves)}. Use more curves, "
            "or another --held-out."
        )
