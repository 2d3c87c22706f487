"""Widths of posteriors put right on held-out rows, by what is known of a measurement.

A network is surer of rows that it was trained on, and so is overconfident of others. Standard
deviations of all Gaussians, by parameter, and logits of the kernels are multiplied by factors whose
logarithms are linear in the conditions, with the highest likelihood of held-out rows (C. Guo et
al., On calibration of modern neural networks, ICML 2017, have one such factor for classes).
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import optax

from latent_nmr.models.posterior.mixture import N_PARAMETERS, Mixture, log_density, log_kernel
from latent_nmr.models.posterior.receiver import N_COLUMNS, Conditions

NAME = "tempering"
N_FACTORS = N_COLUMNS + 2
SHAPE = (N_PARAMETERS + 1, N_FACTORS)
N_STEPS, LEARNING_RATE = 300, 0.02
# Standard deviation that coefficients have beforehand, so that few rows change little.
PRIOR_SPREAD = 0.3


def tempered(
    mixture: Mixture, coefficients: jax.Array, given: Conditions, receiver: str
) -> Mixture:
    """Posteriors with other widths; `coefficients` have shape `SHAPE`."""
    logs = _factors(given, receiver) @ coefficients.T
    wider = logs[:, None, None, :N_PARAMETERS]
    # Λ of D Σ D is D⁻¹ Λ; what is below its diagonal is kept over the diagonal of its row.
    rows, columns = np.array([1, 2, 2]), np.array([0, 0, 1])
    return mixture._replace(
        log_diagonals=mixture.log_diagonals - wider,
        below=mixture.below * jnp.exp(wider[..., rows] - wider[..., columns]),
        kernel_logits=mixture.kernel_logits * jnp.exp(-logs[:, N_PARAMETERS:]),
    )


def fit_tempering(
    mixture: Mixture, given: Conditions, kernel: Any, scores: Any, receiver: str
) -> npt.NDArray[np.float32]:
    """Coefficients with the highest likelihood of rows that were held out.

    Parameters
    ----------
    mixture : Mixture
        Posteriors of the rows, not tempered.
    given : Conditions
    kernel : Array of int, shape (n_rows,)
    scores : Array, shape (n_rows, 3)
    receiver : str
    """
    own = jax.tree.map(jnp.asarray, (mixture, given, kernel, scores))
    return np.asarray(_fitted(own, receiver=receiver))


@partial(jax.jit, static_argnames="receiver")
def _fitted(own: tuple, *, receiver: str) -> jax.Array:
    mixture, given, kernel, scores = own
    optimiser = optax.adam(optax.cosine_decay_schedule(LEARNING_RATE, N_STEPS))

    def loss(coefficients: jax.Array) -> jax.Array:
        found = tempered(mixture, coefficients, given, receiver)
        inside = log_density(found, kernel, scores)
        shares = jnp.take_along_axis(log_kernel(found), kernel[:, None], axis=1)[:, 0]
        beforehand = 0.5 * jnp.sum(coefficients**2) / PRIOR_SPREAD**2
        return beforehand / len(kernel) - jnp.mean(inside + shares)

    def step(carry, _):
        coefficients, state = carry
        update, state = optimiser.update(jax.grad(loss)(coefficients), state)
        return (optax.apply_updates(coefficients, update), state), None

    start = jnp.zeros(SHAPE)
    return jax.lax.scan(step, (start, optimiser.init(start)), length=N_STEPS)[0][0]


def _factors(given: Conditions, receiver: str) -> jax.Array:
    """What the logarithms of the factors are linear in, shape (n_rows, N_FACTORS)."""
    columns = given.columns(receiver)
    one, both = jnp.ones((len(columns), 1)), columns[:, 3:4] * columns[:, 4:5]
    return jnp.concatenate([one, columns, both], axis=1)
