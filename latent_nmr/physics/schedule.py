"""What a record is made of: steps after each pulse, and what each field evaluation is for.

All of it is numbers that a compiled program gets when it runs, so that curves of one kind share
one. The scheme behind the weights is that of `latent_nmr.physics.propagate`.
"""

from itertools import pairwise
from typing import Any, NamedTuple

import jax
import numpy as np
import numpy.typing as npt

# Of NumPy before a run, of JAX inside it.
Values = Any
# Lengths of the tables of evaluations: so few that most plans share a compiled program.
LEAST_ROWS, MORE_ROWS = 1024, 8
# Equal steps: how many, and intervals of one.
Run = tuple[int, int]


class Plan(NamedTuple):
    """How the record of one curve is cut into steps.

    Attributes
    ----------
    interval : float
        Unit of time inside, µs: the sample interval or a whole part of it.
    stride : int
        Intervals from one recorded sample to the next.
    runs : tuple of tuple of Run, one per pulse
        Steps between this pulse and the next one or the end, in order.
    scheme : {"averaged", "midpoint", "source"}
        `averaged`: that of `latent_nmr.physics.propagate`, third order. `midpoint`: rotation in the
        field of the step's middle, reached by half a step, second order. `source`: the scheme of
        the lattice code behind [P], exact rotation in the field of the step's start, first order.
    doublings : int
        For the largest rotation in one step, see `latent_nmr.physics.rotation.n_doublings`.
    doublings_inside : int
        The same for one interval.
    """

    interval: float
    stride: int
    runs: tuple[tuple[Run, ...], ...]
    scheme: str
    doublings: int
    doublings_inside: int

    @property
    def program(self) -> "Program":
        """What must be compiled."""
        n_intervals = sum(count * length for own in self.runs for count, length in own)
        n_samples = n_intervals // self.stride + 1
        return Program(self.scheme, n_samples, self.doublings, self.doublings_inside)


class Program(NamedTuple):
    """What a compiled program is made for, beside the shapes of its arrays.

    Attributes
    ----------
    scheme : {"averaged", "midpoint", "source"}
    n_samples : int
    doublings, doublings_inside : int
        As those of `Plan`.
    """

    scheme: str
    n_samples: int
    doublings: int
    doublings_inside: int


class Evaluations(NamedTuple):
    """What field evaluations are for, as numbers, so that all share one compiled body.

    Attributes
    ----------
    length : Array of int, shape (n_evaluations,)
        Intervals of the step.
    ahead : Array, shape (n_evaluations,)
        1 to evaluate the field of spins as they will be in the step, 0 as they are.
    taken : Array, shape (n_evaluations,)
        1 to take the step in the field found, 0 to evaluate once more first.
    rise : Array, shape (n_evaluations,)
        Weight of what the mean field found has changed since the last one kept, in the field's
        rise over the step.
    predict : Array, shape (n_evaluations, 2)
        Weights of the mean field found and of the last one kept in the field that spins turn in
        while the next evaluation looks ahead.
    kept : Array, shape (n_evaluations,)
        1 to keep the last mean field for the next evaluation, 0 to replace it by that found.
    """

    length: Values
    ahead: Values
    taken: Values
    rise: Values
    predict: Values
    kept: Values


class Timing(NamedTuple):
    """A plan as arrays, which a compiled program gets when it runs.

    Attributes
    ----------
    interval, stride
        As those of `Plan`.
    starts : Array of int, shape (n_pulses + 1,)
        Number of the first evaluation after each pulse, and of all.
    evaluations : Evaluations
        Perhaps followed by others that are not used.
    """

    interval: Values
    stride: Values
    starts: Values
    evaluations: Evaluations


def timing_of(plan: Plan, dtype: npt.DTypeLike) -> Timing:
    """Plan as NumPy arrays, padded so that few lengths occur."""
    parts = [_evaluations(plan.scheme, own) for own in plan.runs]
    starts = np.cumsum([0, *(len(part.length) for part in parts)]).astype(np.int32)
    n_padded = LEAST_ROWS
    while n_padded < starts[-1]:
        n_padded *= MORE_ROWS

    def joined(*rows: npt.NDArray) -> npt.NDArray:
        padded = np.zeros((n_padded, *rows[0].shape[1:]), rows[0].dtype)
        np.concatenate(rows, out=padded[: starts[-1]])
        return padded.astype(np.int32 if rows[0].dtype.kind == "i" else dtype)

    evaluations = jax.tree.map(joined, *parts)
    return Timing(np.asarray(plan.interval, dtype), np.int32(plan.stride), starts, evaluations)


def static_runs(plan: Plan) -> list[list[tuple[int, Evaluations]]]:
    """For each pulse, evaluations in groups for steps of one length, with that length."""
    groups = []
    for own in plan.runs:
        evaluations = _evaluations(plan.scheme, own)
        cuts = np.flatnonzero(np.diff(evaluations.length)) + 1
        borders = pairwise([0, *cuts, len(evaluations.length)])
        groups.append(
            [
                (
                    int(evaluations.length[first]),
                    jax.tree.map(lambda a, f=first, e=end: a[f:e], evaluations),
                )
                for first, end in borders
                if end > first
            ]
        )
    return groups


def field_evaluations(plan: Plan) -> int:
    """Number of mean-field evaluations of the whole lattice in a record."""
    n_steps = [sum(count for count, _ in own) for own in plan.runs]
    if plan.scheme == "averaged":
        return sum(n + 2 * (n > 0) for n in n_steps)
    return (2 if plan.scheme == "midpoint" else 1) * sum(n_steps)


def _evaluations(scheme: str, runs: tuple[Run, ...]) -> Evaluations:
    """Evaluations between two pulses."""
    length = np.repeat(*np.array([run[::-1] for run in runs], int).reshape(-1, 2).T)
    n = len(length)
    if scheme != "averaged":
        # `midpoint` evaluates twice: at the start, and at the middle that this field leads to.
        each = 2 if scheme == "midpoint" else 1
        ahead = np.tile([0.0, 1.0][:each], n)
        last = np.tile([0.0] * (each - 1) + [1.0], n)
        nothing = np.zeros(each * n)
        predict = np.stack([1 - ahead, nothing], axis=1)
        return Evaluations(np.repeat(length, each), ahead, last, nothing, predict, nothing)
    if not n:
        return Evaluations(length, *(np.zeros((0, *s)) for s in ((), (), (), (2,), ())))
    # A start knows the field g₀ only, then a first ḡ beside it, which predicts (g₀ + 2ḡ)/3; with
    # the second ḡ, the rise is 2(ḡ − g₀), and there is a field before it, ḡ − rise.
    # Then, the line through the last two mean fields, each at the middle of its step. A constant
    # field acts on a spin's mean over a step of h as that line does if it is taken at h/3.
    own, last = length[1:], length[:-1]
    earlier = np.concatenate([length[:1], length[:-2]])
    weight = (2 * own / 3 + last) / (last + earlier)
    weight[:1] *= 2
    predict = np.stack([1 + weight, -weight], axis=1)
    return Evaluations(
        np.concatenate([np.repeat(length[:1], 3), own]),
        np.concatenate([[0.0], np.ones(n + 1)]),
        np.concatenate([[0.0, 0.0], np.ones(n)]),
        np.concatenate([[0.0, 0.0, 2.0], 2 * own / (own + last)]),
        np.concatenate([[(1.0, 0.0), (2 / 3, 1 / 3)], predict, [(0.0, 0.0)]]),
        np.concatenate([[0.0, 1.0], np.zeros(n)]),
    )
