"""What a record is made of: how many steps after each pulse, and what each field evaluation is for.

Both are numbers that a compiled program gets when it runs, so that curves of one kind share one.
The scheme behind the stages is that of `latent_nmr.physics.propagate`.
"""

import math
from typing import Any, NamedTuple

import jax.numpy as jnp

from latent_nmr.physics.rotation import n_doublings


class Stage(NamedTuple):
    """What one field evaluation is for, as numbers, so that all share one compiled body.

    Attributes
    ----------
    predict : tuple of 2 float, or Array
        Weights of the last two mean fields in the field that spins turn in meanwhile.
    rise : tuple of 3 float, or Array
        Weights of the mean field found and of the last two in its rise over the step.
    ahead : float
        1 to evaluate the field of spins as they will be in the step, 0 as they are.
    steps : float
        1 to take the step in the field found, 0 to evaluate once more first.
    """

    predict: Any
    rise: Any
    ahead: Any
    steps: Any


# Weights of the last two steps' mean fields in (1): a constant field acts on a spin's mean over the
# next step as the linear one g₀ + g₁τ does if it equals g₀ + g₁n/3. An `averaged` start knows g₀
# only, then a first ḡ beside it: (g₀ + 2ḡ)/3, and finally the rise 2(ḡ − g₀).
STAGES = {
    "averaged": (
        Stage((0, 0), (0, 0, 0), 0, 0),
        Stage((1, 0), (1, -1, 0), 1, 0),
        Stage((2 / 3, 1 / 3), (2, 0, -2), 1, 1),
        Stage((11 / 6, -5 / 6), (1, -1, 0), 1, 1),
    ),
    "midpoint": (Stage((0, 0), (0, 0, 0), 0, 0), Stage((1, 0), (0, 0, 0), 1, 1)),
    "source": (Stage((0, 0), (0, 0, 0), 0, 1),),
}


class Timing(NamedTuple):
    """How a record is cut into steps; known at run time only, or numbers of Python.

    Attributes
    ----------
    interval : float
        Unit of time inside, µs: the sample interval or a whole part of it.
    stride : int
        Intervals from one recorded sample to the next.
    n : int
        Intervals that one step spans.
    n_steps, remainders : tuple of int, one per pulse
        Steps after each pulse, and the intervals of a shorter last one, 0 for none.
    """

    interval: Any
    stride: Any
    n: Any
    n_steps: Any
    remainders: Any


class Program(NamedTuple):
    """What a compiled program is made for, beside the shapes of its arrays.

    Attributes
    ----------
    scheme : {"averaged", "midpoint", "source"}
    n_samples : int
    doublings : int
        See `latent_nmr.physics.rotation.n_doublings`.
    """

    scheme: str
    n_samples: int
    doublings: int


class Plan(NamedTuple):
    """How the record of one curve is cut into steps.

    Attributes
    ----------
    interval : float
        Unit of time inside, µs: the sample interval or a whole part of it.
    segments : tuple of int
        Intervals after each pulse.
    stride : int
        Intervals from one recorded sample to the next.
    n : int
        Intervals that one step spans.
    scheme : {"averaged", "midpoint", "source"}
        `averaged` as above, third order. `midpoint`: rotation in the field of the step's middle,
        reached by half a step, second order. `source`: the scheme of the lattice code behind [P],
        exact rotation in the field of the step's start, first order.
    max_angle : float
        Bound of the rotation in one interval, rad.
    """

    interval: float
    segments: tuple[int, ...]
    stride: int
    n: int
    scheme: str
    max_angle: float

    @property
    def timing(self) -> Timing:
        """The steps."""
        n_steps, remainders = zip(*(divmod(count, self.n) for count in self.segments), strict=True)
        return Timing(self.interval, self.stride, self.n, n_steps, remainders)

    @property
    def program(self) -> Program:
        """What must be compiled."""
        n_samples = sum(self.segments) // self.stride + 1
        return Program(self.scheme, n_samples, n_doublings(self.n * self.max_angle))


def evaluations_of(scheme: str, n_steps):
    """Field evaluations of a run of equal steps; of numbers or an array of them."""
    if scheme == "averaged":
        return n_steps + 2 * (n_steps > 0)
    return len(STAGES[scheme]) * n_steps


def stage_at(scheme: str, evaluation, dtype) -> Stage:
    """Stage of an evaluation of a run, by its number or an array of them, as arrays."""
    stages = STAGES[scheme]
    last = len(stages) - 1
    at = jnp.minimum(evaluation, last) if scheme == "averaged" else evaluation % len(stages)
    return Stage(*(jnp.asarray(numbers, dtype)[at] for numbers in zip(*stages, strict=True)))


def group_size(n: int) -> int:
    """About √n, a divisor of n if there is one near: a rest must be compiled once more."""
    root = max(math.isqrt(n), 1)
    near = range(max(root // 2, 1), 2 * root + 1)
    return min(near, key=lambda size: (n % size > 0, abs(size - root)))


def field_evaluations(plan: Plan) -> int:
    """Number of mean-field evaluations of the whole lattice in `record`."""
    timing = plan.timing
    runs = (*timing.n_steps, *(bool(count) for count in timing.remainders))
    return sum(evaluations_of(plan.scheme, int(count)) for count in runs)
