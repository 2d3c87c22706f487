"""BetaVAE: the β-variational autoencoder as a scikit-learn transformer."""

import warnings
from collections.abc import Callable
from os import PathLike
from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import validate_data

from latent_nmr._columns import rows_of
from latent_nmr._row_names import check_row_order
from latent_nmr.errors import AxisWarning
from latent_nmr.latent_axes import axis_warnings
from latent_nmr.models import parameters, value_range
from latent_nmr.models.checkpoint import Checkpoint, check_place, identity_of
from latent_nmr.models.fitted import FittedModel, FittedVAE
from latent_nmr.models.latent_model import LatentModel
from latent_nmr.models.schedule import NOT_FINITE, EpochRecord
from latent_nmr.models.training import print_epoch, train
from latent_nmr.models.vae_fit import filter_of, fitted_model, problem_of


class BetaVAE(LatentModel):
    """β-variational autoencoder: curves to a few latent coordinates and back.

    Decoded rows lie in (0, 1), the range of the output's sigmoid: scale the data to it.
    Minimises, per curve, reconstruction + β · KL (I. Higgins et al., ICLR 2017, eq. 4) with the
    architectures of A. Rao et al., Phys. Rev. Research 5, 043098 (2023). After the fit the axes
    are ordered by their KL, the largest first, and signed so that the decoded curve's mean
    falls from z = -1 to z = +1 along each; order and signs are part of the weights.

    Parameters
    ----------
    n_components : int, default=2
        Number of latent axes.
    hidden_layer_sizes : tuple of int, default=None
        Encoder layers between input and heads; the decoder mirrors them. None takes
        (512, 128, 16) for 1882 columns and (128, 32, 16) for any other width.
    principal_components : int, default=None
        Number of those that rows are projected on before the training. What lies outside, chance
        mostly, is neither learned nor decoded, and the fitted encoder ignores it. None takes all.
    augment : {"spectrometer", "spectrometer-m0"}, default=None
        What the encoder sees of each row in training, drawn again in every epoch, while the row
        itself is to be decoded: noise, dead times and errors of a receiver whose gain is unknown,
        or known by |M(0)|. For rows of the window `top`; docs/measured.md says what is drawn.
    activation : {"leaky_relu", "gelu"}, default="leaky_relu"
        Of hidden layers; the published one has slope 0.01 below nought.
    beta : float, default=2.0
        Weight of the KL term, >= 0; it multiplies nothing else.
    contrast : float, default=0.0
        Weight of the contrast C between repeats of a material, >= 0. Above nought, `fit` needs
        `groups` and minimises, per curve, reconstruction + β · KL + contrast · C, with C in nats
        per material, see :meth:`fit`.
    likelihood : {"gaussian", "bernoulli", "repeats"}, default="gaussian"
        Law of the data around the decoded curve. `bernoulli` needs data in [0, 1]. `repeats` is the
        law of another repeat of the same material, and needs `groups`, see :meth:`fit`.
    scale : float or "learned", default=0.02
        σ of the Gaussian, and of what `repeats` adds to the scatter, in the units of X. Together
        with `beta` it decides how many axes are active: a larger σ leaves less reason to use them.
        `learned` takes, step by step, the σ that fits the batch best.
    learning_rate : float, default=1e-3
        Of Adam; the largest, where `schedule` changes it.
    schedule : {"constant", "cosine"}, default="constant"
        Learning rate over the epochs. `cosine` rises linearly over the first 5 % of `max_epochs`
        and falls along half a cosine to nearly nought in the last; let `patience` be long, as an
        earlier end spends the rise and not the fall.
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
    warm_up_epochs : int, default=0
        Epochs over which β rises linearly to `beta` (S. Bowman et al., CoNLL 2016). Only later
        epochs compete for the best; `patience` counts from the last of them.
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
        Per epoch: its number, β in force, reconstruction, KL and KL per axis in training and
        validation part (nats per curve), seconds.
    n_iter_ : int
        Epochs run.
    best_epoch_ : int
        Epoch whose weights are kept.
    stop_reason_ : str
        Why training ended.
    scale_ : float
        σ of the Gaussian: `scale`, or what was learned.
    scatter_ : Scatter or None
        Of the likelihood `repeats`: the covariance of repeats about their material, as its largest
        `variances` along `directions` and the variance of the `rest`.
    repeat_scale_ : ndarray, shape (n_components,)
        Where repeats were learned from: how many times farther apart held-out repeats lie than
        `transform_std` says.
    kl_ : ndarray, shape (n_components,)
        Mean KL per axis over the training rows, nats, in falling order.
    axis_variances_ : ndarray, shape (n_components,)
        Variance of the posterior means over the training rows: near 1 for an axis in use, near
        0 for one that collapsed onto the prior.
    training_rows_, validation_rows_ : ndarray of int
        Which rows of X were used for what.
    device_ : str
        What the fit ran on, such as ``cpu (2 cores)``.
    metadata_ : dict
        After `load`: what was given to `save`.
    n_features_in_ : int
        Number of columns seen in `fit`.

    Examples
    --------
    >>> import numpy as np
    >>> from latent_nmr import BetaVAE
    >>> t = np.linspace(-1, 1, 24)
    >>> X = np.exp(-((t - np.linspace(-0.5, 0.5, 60)[:, None]) ** 2) / 0.1)
    >>> vae = BetaVAE(hidden_layer_sizes=(8,), max_epochs=5, random_state=0).fit(X)
    >>> vae.transform(X).shape
    (60, 2)
    >>> vae.inverse_transform([[0.0, 0.0]]).shape
    (1, 24)
    """

    _kind = FittedVAE

    def __init__(
        self,
        n_components=2,
        *,
        hidden_layer_sizes=None,
        principal_components=None,
        augment=None,
        activation="leaky_relu",
        beta=2.0,
        contrast=0.0,
        likelihood="gaussian",
        scale=0.02,
        learning_rate=1e-3,
        schedule="constant",
        batch_size=128,
        min_epoch_steps=50,
        max_epochs=1000,
        patience=7,
        validation_fraction=0.15,
        warm_up_epochs=0,
        random_state=None,
        verbose=False,
    ):
        self.n_components = n_components
        self.hidden_layer_sizes = hidden_layer_sizes
        self.principal_components = principal_components
        self.augment = augment
        self.activation = activation
        self.beta = beta
        self.contrast = contrast
        self.likelihood = likelihood
        self.scale = scale
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.batch_size = batch_size
        self.min_epoch_steps = min_epoch_steps
        self.max_epochs = max_epochs
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.warm_up_epochs = warm_up_epochs
        self.random_state = random_state
        self.verbose = verbose

    @classmethod
    def thorough(cls, **overrides) -> Self:
        """A setting that is trained to the end, for maps of more than two axes.

        Takes any argument of the constructor, in place of the setting's own or beside it.

        Examples
        --------
        >>> from latent_nmr import BetaVAE
        >>> BetaVAE.thorough(n_components=4, random_state=0).schedule
        'cosine'
        """
        return cls(**{**parameters.THOROUGH, **overrides})

    @classmethod
    def of_repeats(cls, **overrides) -> Self:
        """A setting that learns from repeats of materials, where :meth:`thorough` does not.

        Its `fit` needs `groups`. Takes any argument of the constructor, in place of the setting's
        own or beside it.

        Examples
        --------
        >>> from latent_nmr import BetaVAE
        >>> BetaVAE.of_repeats(n_components=4, random_state=0).likelihood
        'repeats'
        """
        return cls.thorough(**{**parameters.OF_REPEATS, **overrides})

    def fit(
        self,
        X,
        y=None,  # noqa: ARG002
        *,
        groups=None,
        on_epoch: Callable[[EpochRecord], None] | None = None,
        checkpoint: str | PathLike | None = None,
    ):
        """Train on `X` and return self.

        Parameters
        ----------
        X : array-like, shape (n_rows, n_features)
        y : ignored
        groups : array-like, shape (n_rows,), optional
            Materials: rows of one are its repeats, all trained on or all held out for early
            stopping. With `contrast` above nought, batches hold two repeats, drawn again in each
            epoch, of each of `batch_size` / 2 materials a, b, …, and with posterior means z

            C = -½ ⟨log softmax_b(-|z¹_a - z²_b|²/2s²)_a + log softmax_b(-|z¹_b - z²_a|²/2s²)_a⟩_a

            with s = 0.1 joins what is minimised (A. van den Oord et al., arXiv:1807.03748): repeats
            are to find each other. They say which parameters are the same, never what they are. The
            best epoch is that of the lowest held-out reconstruction + contrast · C.

            Under the likelihood `repeats`, batches hold such pairs too, and each row of a pair is
            decoded from the *other* one: the reconstruction is

            ½ (x¹ - x̂²)ᵀ (N + σ²)⁻¹ (x¹ - x̂²), and the same with ¹ and ² exchanged,

            with x̂ decoded from a draw of z, σ = `scale` and N the covariance of training rows about
            the mean of their material (its 64 largest principal variances; of the others every
            column has an equal part). What is chance in a curve then counts little. Materials of
            one row are decoded from themselves.
        on_epoch : callable, optional
            Called with the record of each epoch.
        checkpoint : path-like, optional
            File that keeps progress every few seconds. If it holds progress of this very fit
            (parameters, seed, data), the fit goes on from there, to the same final weights bit
            for bit on the same number of cores. Delete it once the model is saved.

        Raises
        ------
        InputError
            (a `ValueError`) For parameters or data that cannot be used.
        NumericalError
            If the loss is not finite from the start.

        Warns
        -----
        AxisWarning
            For each axis that is weak or collapsed.
        RangeWarning
            If X does not lie in [0, 1], which decoded rows cannot leave.
        ConvergenceWarning
            If the loss left the finite numbers on the way; the best weights before are kept.
        """
        check_row_order(X, groups=groups)
        X, given = self._data_to_fit(X), self.get_params()
        own = filter_of(given, X)
        X = X if own is None else own.filtered(X)
        problem = problem_of(given, X, groups)
        keeper = None
        if checkpoint is not None:
            keeper = Checkpoint(check_place(checkpoint), identity_of(problem, X))
        listener = on_epoch or (print_epoch if self.verbose else None)
        fit = train(problem, X, on_epoch=listener, keeper=keeper)
        self._accept(fitted_model(fit, problem, given, X, own))
        return self

    def check_parameters(self) -> None:
        """Raise `InputError` for a constructor argument that cannot be used."""
        parameters.check_vae(self.get_params())

    def _data_to_fit(self, X) -> npt.NDArray[np.float32]:
        """Check parameters and data; what an earlier fit learned is forgotten."""
        self.check_parameters()
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)
        X = rows_of(self, X, reset=True)
        given, kinds = X, (np.float64, np.float32)
        X = validate_data(self, X, dtype=kinds, ensure_min_samples=2)
        X = value_range.checked(X, given, self.likelihood)
        value_range.warn_of_values_beyond(X, given, stacklevel=4)
        return X.astype(np.float32, copy=False)

    def _take(self, fitted: FittedModel) -> None:
        super()._take(fitted)
        self.n_iter_ = len(self.history_)

    def _accept(self, fitted: FittedVAE) -> None:
        """Take over the outcome of a training, and warn of what is not as it should be."""
        self._take(fitted)
        for sentence in axis_warnings(self.axis_variances_, self.parameters_["likelihood"]):
            warnings.warn(sentence, AxisWarning, stacklevel=3)
        if self.stop_reason_ == NOT_FINITE:
            warnings.warn(
                f"the loss must stay finite, but is not in epoch {self.n_iter_}; the weights of "
                f"epoch {self.best_epoch_} are kept. Lower learning_rate, or raise scale.",
                ConvergenceWarning,
                stacklevel=3,
            )
