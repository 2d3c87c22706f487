"""BetaVAE: the β-variational autoencoder as a scikit-learn transformer."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from latent_nmr.errors import InputError, check_choice, check_count, check_number
from latent_nmr.models import networks, persistence
from latent_nmr.models.losses import LIKELIHOODS, kl_divergence, log_normaliser
from latent_nmr.models.orientation import orient
from latent_nmr.models.training import EpochRecord, Objective, Schedule, evaluate, train

# Rows are encoded and decoded in pieces of this one shape: nothing is compiled twice, and a
# row's result does not depend on its neighbours.
PIECE = 512


class BetaVAE(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """β-variational autoencoder: curves to a few latent coordinates and back.

    Minimises, per curve, reconstruction + β · KL (I. Higgins et al., ICLR 2017, eq. 4) with the
    architectures of A. Rao et al., Phys. Rev. Research 5, 043098 (2023). After the fit the axes
    are ordered by their KL, the largest first, and signed so that the decoded curve's mean
    falls from z = -1 to z = +1 along each; order and signs are part of the weights.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=None
        Encoder layers between input and heads; the decoder mirrors them. None takes
        (512, 128, 16) for 1882 columns and (128, 32, 16) for any other width.
    n_components : int, default=2
        Number of latent axes.
    beta : float, default=2.0
        Weight of the KL term, >= 0; it multiplies nothing else.
    likelihood : {"gaussian", "bernoulli"}, default="gaussian"
        Law of the data around the decoded curve. `bernoulli` needs data in [0, 1].
    scale : float, default=0.02
        σ of the Gaussian, in the units of X. Together with `beta` it decides how many axes
        live: a larger σ leaves less reason to use them.
    learning_rate : float, default=1e-3
        Of Adam.
    batch_size : int, default=128
        Rows per optimiser step; at most the number of training rows is used.
    min_epoch_steps : int, default=50
        Fewest optimiser steps in an epoch; a small set is passed several times until they are
        done. Without it, `patience` epochs on a thousand curves are so few steps that training
        ends long before it has converged.
    max_epochs : int, default=1000
        Passes over the training rows, if early stopping does not end them before.
    patience : int, default=7
        Epochs without a better validation reconstruction after which training stops.
    validation_fraction : float, default=0.15
        Part of the rows held out for early stopping, in (0, 1).
    random_state : int, RandomState or None, default=None
        Seeds split, weights, batch order and latent noise. An int makes `fit` repeatable, to
        the bit on the same core count.
    verbose : bool, default=False
        Print one line per epoch.

    Attributes
    ----------
    weights_ : dict of ndarray
        Weights of the best epoch, by dotted name.
    architecture_ : Architecture
        Sizes of the network.
    history_ : list of EpochRecord
        Losses of every epoch, in nats per curve.
    n_iter_ : int
        Epochs run.
    best_epoch_ : int
        Epoch whose weights are kept.
    stop_reason_ : str
        Why training ended.
    kl_ : ndarray, shape (n_components,)
        Mean KL per axis over the training rows, nats, in falling order.
    axis_variances_ : ndarray, shape (n_components,)
        Variance of the posterior means over the training rows: near 1 for an axis in use, near
        0 for one that collapsed onto the prior.
    training_rows_, validation_rows_ : ndarray of int
        Which rows of X were used for what.
    metadata_ : dict
        After `load`: what was given to `save`.
    n_features_in_ : int
        Number of columns seen in `fit`.

    Examples
    --------
    >>> from latent_nmr import BetaVAE
    >>> Z = BetaVAE(random_state=0).fit_transform(X)  # doctest: +SKIP
    """

    metadata_: dict[str, Any]

    def __init__(
        self,
        hidden_layer_sizes=None,
        n_components=2,
        *,
        beta=2.0,
        likelihood="gaussian",
        scale=0.02,
        learning_rate=1e-3,
        batch_size=128,
        min_epoch_steps=50,
        max_epochs=1000,
        patience=7,
        validation_fraction=0.15,
        random_state=None,
        verbose=False,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.n_components = n_components
        self.beta = beta
        self.likelihood = likelihood
        self.scale = scale
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.min_epoch_steps = min_epoch_steps
        self.max_epochs = max_epochs
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y=None, *, on_epoch: Callable[[EpochRecord], None] | None = None):  # noqa: ARG002
        """Train on `X`, shape (n_rows, n_features), and return self.

        `on_epoch`, if given, is called with the record of each epoch. Raises `InputError` (a
        `ValueError`) for parameters or data that cannot be used, `NumericalError` if the loss
        is not finite from the start.
        """
        self.check_parameters()
        X = validate_data(self, X, dtype=(np.float64, np.float32), ensure_min_samples=2)
        X = self._check_range(X).astype(np.float32)
        draw = check_random_state(self.random_state).randint
        split_seed, train_seed = draw(2**31 - 1, size=2).tolist()
        rows = np.arange(len(X))
        self.training_rows_, self.validation_rows_ = (
            np.sort(part)
            for part in train_test_split(
                rows, test_size=self.validation_fraction, random_state=split_seed
            )
        )
        self.architecture_ = networks.Architecture(
            n_features=X.shape[1],
            hidden_layer_sizes=networks.layer_sizes(X.shape[1], self.hidden_layer_sizes),
            n_components=self.n_components,
        )
        fit = train(
            X[self.training_rows_],
            X[self.validation_rows_],
            self.architecture_,
            objective=Objective(self.beta, self.scale),
            likelihood=self.likelihood,
            schedule=Schedule(
                batch_size=self.batch_size,
                min_epoch_steps=self.min_epoch_steps,
                max_epochs=self.max_epochs,
                patience=self.patience,
                learning_rate=self.learning_rate,
            ),
            key=jax.random.key(train_seed),
            on_epoch=on_epoch or (_print_epoch if self.verbose else None),
        )
        self.history_, self.n_iter_ = fit.history, len(fit.history)
        self.best_epoch_, self.stop_reason_ = fit.best_epoch, fit.stop_reason
        self.weights_ = networks.weights_of(fit.state)
        self._orient_axes(X[self.training_rows_])
        return self

    def transform(self, X):
        """Posterior means of the rows of `X`, shape (n_rows, n_components); draws nothing."""
        return self._posterior(X)[0]

    def transform_std(self, X):
        """Posterior standard deviations of the rows of `X`, shape (n_rows, n_components)."""
        mean, log_variance = self._posterior(X)
        return np.exp(0.5 * log_variance).astype(mean.dtype)

    def inverse_transform(self, Z):
        """Decode latent points `Z`, shape (n_rows, n_components), to (n_rows, n_features)."""
        check_is_fitted(self)
        Z = check_array(Z, dtype=(np.float64, np.float32), input_name="Z")
        if Z.shape[1] != self.architecture_.n_components:
            raise InputError(
                f"Z must have one column per latent axis ({self.architecture_.n_components}), "
                f"but has shape {Z.shape}. Give an array (n_rows, n_components)."
            )
        return self._in_pieces(_decode, Z)[0]

    def reconstruct(self, X):
        """Decode the posterior means of `X`; the curves without what the axes do not hold."""
        return self.inverse_transform(self.transform(X))

    def sample(self, n_samples=1, *, random_state=None):
        """Decode `n_samples` points drawn from the prior; returns (curves, latent points)."""
        check_is_fitted(self)
        n_samples = check_count("n_samples", n_samples)
        normal = check_random_state(random_state).standard_normal
        Z = normal((n_samples, self.architecture_.n_components))
        return self.inverse_transform(Z), Z

    def score(self, X, y=None):  # noqa: ARG002
        """Mean evidence lower bound per row at β = 1, in nats; higher is better.

        Includes the likelihood's constant. The expectation over the posterior is taken with
        one sample per row from a fixed key, so that the same `X` always scores the same.
        """
        X = self._validated(X).astype(np.float32)
        state = networks.state_of(self.architecture_, self.weights_)
        parts = evaluate(
            networks.graph_of(self.architecture_),
            state,
            jnp.asarray(self._check_range(X)),
            self.scale,
            jax.random.key(0),
            likelihood=self.likelihood,
        )
        constant = log_normaliser(X.shape[1], self.likelihood, self.scale)
        return -float(parts.reconstruction + parts.kl.sum() + constant)

    def save(self, path, metadata: Mapping[str, Any] | None = None) -> None:
        """Write the fitted model to the folder `path`: weights.safetensors and model.json.

        Parameters
        ----------
        path : path-like
            A new folder, or one that holds a saved model and nothing else.
        metadata : mapping, optional
            Anything JSON can hold that later users need: time grid, window, normalisation.
        """
        check_is_fitted(self)
        persistence.save(self, path, metadata or {})

    @classmethod
    def load(cls, path):
        """Read a model that `save` wrote; executes nothing. Its metadata is in `metadata_`."""
        return persistence.load(cls, path)

    def card(self) -> dict[str, Any]:
        """What is known of the fitted model, as JSON can hold it.

        Parameters, layer sizes, how training went, KL, variance and state of every axis,
        metadata, device and package versions of the fit, SHA-256 of the weights.
        """
        check_is_fitted(self)
        return persistence.card(self)

    def _posterior(self, X):
        return self._in_pieces(_encode, self._validated(X))

    def _validated(self, X):
        check_is_fitted(self)
        return validate_data(self, X, dtype=(np.float64, np.float32), reset=False)

    def _in_pieces(self, function, rows):
        """Apply a jitted `function` of the network to pieces of `rows`; keeps their dtype."""
        graph = networks.graph_of(self.architecture_)
        state = networks.state_of(self.architecture_, self.weights_)
        results = []
        for start in range(0, len(rows), PIECE):
            piece = rows[start : start + PIECE].astype(np.float32)
            padded = np.pad(piece, ((0, PIECE - len(piece)), (0, 0)))
            parts = function(graph, state, padded)
            results.append([np.asarray(part)[: len(piece)] for part in parts])
        return [np.concatenate(part).astype(rows.dtype) for part in zip(*results, strict=True)]

    def _orient_axes(self, rows):
        """Order and sign the axes, fold that into the weights, and note what each axis does."""
        mean, log_variance = self._in_pieces(_encode, rows)
        kl = np.asarray(kl_divergence(jnp.asarray(mean), jnp.asarray(log_variance))).mean(axis=0)
        order = np.argsort(-kl, kind="stable")
        identity = np.eye(len(kl), dtype=np.float32)
        low, high = self._in_pieces(_decode, -identity)[0], self._in_pieces(_decode, identity)[0]
        signs = np.where(high.mean(axis=1) > low.mean(axis=1), -1.0, 1.0)
        self.weights_ = orient(self.weights_, order, signs)
        self.kl_ = kl[order]
        self.axis_variances_ = mean.var(axis=0)[order]
        self.history_ = [
            record._replace(
                validation_kl_per_axis=tuple(record.validation_kl_per_axis[axis] for axis in order)
            )
            for record in self.history_
        ]

    def _check_range(self, X):
        """Refuse data outside [0, 1] for the Bernoulli likelihood."""
        if self.likelihood == "bernoulli" and (X.min() < 0 or X.max() > 1):
            worst = X.max() if X.max() > 1 else X.min()
            raise InputError(
                f"X must lie in [0, 1] for the Bernoulli likelihood, but holds {worst:g}. "
                "Scale it, or use likelihood='gaussian'."
            )
        return X

    def check_parameters(self):
        """Raise `InputError` for a constructor argument that cannot be used."""
        check_count("n_components", self.n_components)
        if self.hidden_layer_sizes is not None:
            if not isinstance(self.hidden_layer_sizes, Sequence) or not self.hidden_layer_sizes:
                raise InputError(
                    "hidden_layer_sizes must be None or a sequence of layer sizes, but is "
                    f"{self.hidden_layer_sizes!r}. Give a tuple such as (128, 32, 16)."
                )
            for size in self.hidden_layer_sizes:
                check_count("every entry of hidden_layer_sizes", size)
        check_number("beta", self.beta, at_least=0)
        check_choice("likelihood", self.likelihood, LIKELIHOODS)
        check_number("scale", self.scale, above=0)
        check_number("learning_rate", self.learning_rate, above=0)
        check_count("batch_size", self.batch_size)
        check_count("min_epoch_steps", self.min_epoch_steps)
        check_count("max_epochs", self.max_epochs)
        check_count("patience", self.patience)
        fraction = check_number("validation_fraction", self.validation_fraction, above=0)
        if fraction >= 1:
            raise InputError(
                f"validation_fraction must be > 0 and < 1, but is {fraction!r}. Use 0.15."
            )

    @property
    def _n_features_out(self):
        return self.architecture_.n_components

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


@partial(jax.jit, static_argnames="graph")
def _encode(graph, state, rows):
    return nnx.merge(graph, state).encode(rows)


@partial(jax.jit, static_argnames="graph")
def _decode(graph, state, points):
    return (nnx.merge(graph, state).decode(points),)


def _print_epoch(record: EpochRecord) -> None:
    print(
        f"epoch {record.epoch:4d}  reconstruction {record.reconstruction:9.3f}  "
        f"KL {record.kl:6.3f}  validation {record.validation_reconstruction:9.3f}"
    )
