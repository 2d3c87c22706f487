"""Trainings of many β-VAEs on the same data side by side, with a model axis in every array.

The way to fill an accelerator with small networks.
"""

import time
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from flax import nnx

from latent_nmr._jax_settings import own_settings
from latent_nmr.models.epochs import Parts, evaluate_all, run_epochs
from latent_nmr.models.networks import graph_of
from latent_nmr.models.schedule import EpochRecord, is_better, stop_reason
from latent_nmr.models.training import Fit, Problem, beginning, outcome, to_record


@own_settings()
def train_together(problems: Sequence[Problem], data: npt.NDArray[np.float32]) -> list[Fit]:
    """Train many models on the same data.

    All problems must agree in everything but objective, rows and key. A model that has stopped
    keeps its best weights while others go on.
    """
    group, schedule = Group(problems, data), problems[0].schedule
    histories: list[list[EpochRecord]] = [[] for _ in problems]
    best, is_done = [0] * len(problems), [False] * len(problems)
    best_states, epoch = group.states, 0
    while not all(is_done):
        start, epoch = time.perf_counter(), epoch + 1
        parts, held_out = group.next_epoch(epoch)
        is_best = np.zeros(len(problems), bool)
        for model in (model for model, done in enumerate(is_done) if not done):
            beta = problems[model].objective_in(epoch).beta
            own, own_held_out = (
                Parts(*(part[model] for part in both)) for both in (parts, held_out)
            )
            record = to_record(epoch, beta, own, own_held_out, start)
            if is_better(record, histories[model], best[model], schedule):
                best[model], is_best[model] = epoch, True
            histories[model].append(record)
            is_done[model] = bool(stop_reason(histories[model], best[model], schedule))
        best_states = choose(jnp.asarray(is_best), group.states, best_states)
    return [
        outcome(
            jax.tree.map(lambda leaf, m=model: leaf[m], best_states),
            histories[model],
            best[model],
            schedule,
        )
        for model in range(len(problems))
    ]


class Group:
    """Several trainings as stacks of arrays, and how far they are."""

    def __init__(self, problems: Sequence[Problem], data: npt.NDArray[np.float32]):
        self.problems, self.rows = problems, jnp.asarray(data)
        beginnings = [beginning(problem, self.rows) for problem in problems]
        self.states = stack([start.state for start in beginnings])
        self.optimiser_states = stack([start.optimiser_state for start in beginnings])
        parts = stack([problem.rows() for problem in problems])
        self.training_rows, self.validation_rows, self.validation_pairs = parts
        self.epoch_keys, self.validation_keys = (
            jnp.stack([problem.keys()[role] for problem in problems]) for role in (1, 2)
        )

    def next_epoch(self, epoch: int) -> tuple[Parts, Parts]:
        """Train all models for one epoch; parts of the objective in training and held out."""
        first = self.problems[0]
        graph, schedule = graph_of(first.architecture), first.schedule
        objectives = [problem.objective_in(epoch) for problem in self.problems]
        stacked = stack(objectives)
        self.states, self.optimiser_states, parts = run_epochs(
            graph,
            self.states,
            self.optimiser_states,
            self.rows,
            self.training_rows,
            stacked,
            schedule.rate(epoch),
            jax.vmap(jax.random.fold_in, (0, None))(self.epoch_keys, epoch),
            likelihood=first.likelihood,
            augment=first.augment,
            **schedule.portions(len(first.training_rows)),
        )
        held_out = evaluate_all(
            graph,
            self.states,
            self.rows,
            self.validation_rows,
            stacked,
            self.validation_keys,
            self.validation_pairs,
            likelihood=first.likelihood,
            augment=first.augment,
        )
        return jax.device_get((parts, held_out))


def stack(trees: Sequence) -> Any:
    """One tree whose leaves have a leading model axis."""
    return jax.tree.map(lambda *leaves: jnp.stack(list(map(jnp.asarray, leaves))), *trees)


@jax.jit
def choose(take_new: jax.Array, new: nnx.State, old: nnx.State) -> nnx.State:
    """Take the new or the old tree, model by model."""

    def one(take, new, old):
        return jax.tree.map(lambda a, b: jnp.where(take, a, b), new, old)

    return jax.vmap(one)(take_new, new, old)
