"""A record whose gradient can be taken backwards, compiled for one plan only.

The steps are those of `latent_nmr.physics.propagate`, but their numbers are fixed when it is
compiled, and few states are kept for the way back.
"""

import math
from functools import partial

import jax
import jax.numpy as jnp

from latent_nmr.physics import propagate
from latent_nmr.physics.propagate import Lattice, State
from latent_nmr.physics.schedule import Evaluations, Plan, static_runs


def reversible_record(lattice: Lattice, plan: Plan) -> jax.Array:
    """Like `propagate.record`, compiled for one plan only, so that its gradient can be taken."""
    lattice = propagate.in_angles(lattice, plan.interval)
    state = propagate.at_rest(lattice, plan.program.n_samples)
    for pulse, groups in zip(lattice.pulses, static_runs(plan), strict=True):
        state = propagate.after_pulse(state, pulse, plan.stride)
        for n, evaluations in groups:
            state = _evolve(state, n, evaluations, plan.stride, lattice, plan.program)
    return state.signal


def _evolve(state: State, n: int, evaluations: Evaluations, stride: int, lattice, program) -> State:
    """Take steps of n intervals so that gradients can be taken backwards.

    The steps go in about √n_evaluations groups of which only the first states are kept.
    """
    n_evaluations = len(evaluations.length)
    dtype = state.signal.dtype
    rows = jax.tree.map(lambda values: jnp.asarray(values, dtype), evaluations)

    def evaluate(state, evaluation):
        return propagate.advance(state, evaluation, n, lattice, program, stride), None

    size = _group_size(n_evaluations)
    whole = n_evaluations - n_evaluations % size
    group = jax.checkpoint(partial(jax.lax.scan, evaluate))  # type: ignore[attr-defined]
    grouped = jax.tree.map(lambda x: x[:whole].reshape(-1, size, *x.shape[1:]), rows)
    state, _ = jax.lax.scan(group, state, grouped)
    state, _ = jax.lax.scan(evaluate, state, jax.tree.map(lambda x: x[whole:], rows))
    return state


def _group_size(n: int) -> int:
    """About √n, a divisor of n if there is one near: a rest must be compiled once more."""
    root = max(math.isqrt(n), 1)
    near = range(max(root // 2, 1), 2 * root + 1)
    return min(near, key=lambda size: (n % size > 0, abs(size - root)))
