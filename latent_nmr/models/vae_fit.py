"""From parameters and rows to a training of the β-VAE, and from its outcome to a fitted model."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state

from latent_nmr._jax_settings import own_settings, seed_key
from latent_nmr._json import python_scalar
from latent_nmr._splits import as_groups, n_groups, split_rows
from latent_nmr.models import inference, networks
from latent_nmr.models.epochs import Objective
from latent_nmr.models.experts import scale_of_rows
from latent_nmr.models.fitted import FittedVAE, installed_packages
from latent_nmr.models.losses import GAUSSIAN_LEARNED, REPEATS, kl_divergence
from latent_nmr.models.orientation import orient
from latent_nmr.models.parameters import check_rows_left, learns_scale
from latent_nmr.models.principal import PrincipalFilter
from latent_nmr.models.repeats import check_repeats, repeats_of
from latent_nmr.models.scatter import Scatter, scatter_of
from latent_nmr.models.schedule import EpochRecord, Schedule
from latent_nmr.models.training import Fit, Problem

Rows = npt.NDArray[np.float32]


def problem_of(
    parameters: Mapping[str, Any], X: Rows, groups: npt.ArrayLike | None = None
) -> Problem:
    """Split the rows, no group torn, and say what is to be trained."""
    # NumPy's numbers have a type of their own, for which everything would be compiled again.
    parameters = {name: python_scalar(value) for name, value in parameters.items()}
    own = as_groups(groups, len(X))
    check_rows_left(parameters, n_groups(own, len(X)), "0.15")
    draw = check_random_state(parameters["random_state"]).randint
    split_seed, train_seed = draw(2**31 - 1, size=2).tolist()
    training_rows, validation_rows = split_rows(
        np.arange(len(X)), parameters["validation_fraction"], split_seed, groups=own
    )
    repeats, scatter = {}, None
    if parameters["contrast"] or parameters["likelihood"] == REPEATS:
        repeats, scatter = _repeats_in(parameters, X, own, (training_rows, validation_rows))
    is_learned = learns_scale(parameters)
    of_schedule = (
        "batch_size", "min_epoch_steps", "max_epochs", "patience", "learning_rate",
        "warm_up_epochs", "schedule", "contrast",
    )  # fmt: skip
    return Problem(
        architecture=networks.Architecture(
            n_features=X.shape[1],
            hidden_layer_sizes=networks.layer_sizes(X.shape[1], parameters["hidden_layer_sizes"]),
            n_components=parameters["n_components"],
            activation=parameters["activation"],
        ),
        objective=Objective(
            parameters["beta"],
            1.0 if is_learned else parameters["scale"],
            parameters["contrast"],
            scatter,
        ),
        likelihood=GAUSSIAN_LEARNED if is_learned else parameters["likelihood"],
        schedule=Schedule(**{name: parameters[name] for name in of_schedule}),
        training_rows=np.sort(training_rows),
        validation_rows=np.sort(validation_rows),
        key=seed_key(train_seed),
        augment=parameters["augment"],
        **repeats,
    )


def filter_of(parameters: Mapping[str, Any], X: Rows) -> PrincipalFilter | None:
    """What rows are filtered by before a training, if they are."""
    n_directions = parameters["principal_components"]
    return None if n_directions is None else PrincipalFilter.of(X, int(n_directions))


def _repeats_in(
    parameters: Mapping[str, Any],
    X: Rows,
    groups: npt.NDArray[np.int64] | None,
    rows: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
) -> tuple[dict[str, Any], Scatter | None]:
    """Fields of a `Problem` that looks at repeats, and the scatter where it is the likelihood's."""
    is_law = parameters["likelihood"] == REPEATS
    why = ("likelihood is 'repeats'", "likelihood='gaussian'")
    if not is_law:
        why = ("contrast is above 0", "contrast=0")
    training, validation = map(np.sort, rows)
    known = check_repeats(groups, training, *why)
    found = {
        "training_repeats": repeats_of(known, training),
        # Under that likelihood they are also the rows that stop the training: all have a part.
        "validation_pairs": repeats_of(known, validation).first_two(also_single=is_law),
        "validation_materials": known[validation],
    }
    return found, scatter_of(X[training], known[training]) if is_law else None


@own_settings()
def fitted_model(
    fit: Fit,
    problem: Problem,
    parameters: Mapping[str, Any],
    X: Rows,
    own_filter: PrincipalFilter | None,
) -> FittedVAE:
    """What a training on `X` leaves: axes in order and signed, and what each of them does."""
    rows = X[problem.training_rows]
    weights, order, kl, variances = oriented(
        problem.architecture, networks.weights_of(fit.state), rows
    )
    return FittedVAE(
        parameters=dict(parameters),
        weights=weights if own_filter is None else own_filter.folded(weights),
        architecture=problem.architecture,
        kl=kl,
        axis_variances=variances,
        history=[_reordered(record, order) for record in fit.history],
        best_epoch=fit.best_epoch,
        stop_reason=fit.stop_reason,
        scale=_residual(problem, weights, parameters, rows),
        scatter=problem.objective.scatter,
        training_rows=problem.training_rows,
        validation_rows=problem.validation_rows,
        repeat_scale=_repeat_scale(problem, weights, X),
        device=inference.device_name(),
        packages=installed_packages(),
        metadata={},
    )


@own_settings()
def oriented(
    architecture: networks.Architecture, weights: networks.Weights, rows: Rows
) -> tuple[networks.Weights, npt.NDArray[np.intp], np.ndarray, np.ndarray]:
    """Order the axes by their KL over `rows`, and sign them.

    Returns
    -------
    weights : dict of ndarray
    order : ndarray of int, shape (n_components,)
        Old axis of each new one.
    kl, variances : ndarray, shape (n_components,)
        Mean KL and variance of the posterior means over `rows`, in the new order.
    """
    network = architecture, weights
    mean, log_variance = inference.encode(*network, rows)
    kl = np.asarray(kl_divergence(jnp.asarray(mean), jnp.asarray(log_variance))).mean(axis=0)
    order = np.argsort(-kl, kind="stable")
    identity = np.eye(len(kl), dtype=np.float32)
    low, high = (inference.decode(*network, side * identity) for side in (-1, 1))
    signs = np.where(high.mean(axis=1) > low.mean(axis=1), -1.0, 1.0)
    # Double precision, as files give them back.
    kl, variances = (v[order].astype(np.float64) for v in (kl, mean.var(axis=0)))
    return orient(weights, order, signs), order, kl, variances


def _repeat_scale(
    problem: Problem, weights: networks.Weights, X: Rows
) -> npt.NDArray[np.float64] | None:
    """Factor by which posteriors of repeats are to be widened, of materials not trained on."""
    materials = problem.validation_materials
    if materials is None or np.bincount(materials).max() < 2:
        return None
    rows = X[problem.validation_rows]
    mean, log_variance = inference.encode(problem.architecture, weights, rows)
    return scale_of_rows(mean, np.exp(0.5 * log_variance), materials)


def _reordered(record: EpochRecord, order: npt.NDArray[np.intp]) -> EpochRecord:
    return record._replace(
        kl_per_axis=tuple(record.kl_per_axis[axis] for axis in order),
        validation_kl_per_axis=tuple(record.validation_kl_per_axis[axis] for axis in order),
    )


def _residual(
    problem: Problem, weights: networks.Weights, parameters: Mapping[str, Any], rows: Rows
) -> float:
    """σ of the fitted likelihood; if learned, the rms residual of draws from the posterior."""
    if not learns_scale(parameters):
        return float(parameters["scale"])
    mean, log_variance = inference.encode(problem.architecture, weights, rows)
    noise = np.asarray(jax.random.normal(problem.key, mean.shape))
    points = mean + np.exp(0.5 * log_variance) * noise
    decoded = inference.decode(problem.architecture, weights, points)
    return float(np.sqrt(np.mean((rows - decoded) ** 2, dtype=np.float64)))
