"""EchoPosterior: the parameters of a material given its echo, with probabilities."""

from collections.abc import Callable, Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from latent_nmr._columns import rows_of
from latent_nmr._jax_settings import own_settings, seed_key
from latent_nmr._row_names import check_row_order
from latent_nmr._splits import as_groups, n_groups, split_rows
from latent_nmr.errors import InputError, check_count
from latent_nmr.models.fitted import installed_packages
from latent_nmr.models.inference import device_name
from latent_nmr.models.parameters import check_rows_left
from latent_nmr.models.posterior.fitted import FittedPosterior
from latent_nmr.models.posterior.mixture import Mixture, draw, log_kernel, of_kernels
from latent_nmr.models.posterior.network import PosteriorShape, principal_of, state_of
from latent_nmr.models.posterior.parameters import check_posterior, schedule_of, shape_of
from latent_nmr.models.posterior.pieces import conditions_of, log_joint, mixtures_by_piece, per_row
from latent_nmr.models.posterior.principal import principal_blocks
from latent_nmr.models.posterior.prior import Materials, Prior, as_materials, kernel_numbers
from latent_nmr.models.posterior.receiver import RECORD
from latent_nmr.models.posterior.training import Data, PosteriorRecord, train
from latent_nmr.models.saved_estimator import SavedEstimator

FloatArray = npt.NDArray[np.float64]


class EchoPosterior(SavedEstimator):
    r"""Amortised posterior of a material's parameters given an echo.

    .. math:: p(\text{kernel}|x) \; p(\alpha_x, \alpha_z, \text{kernel parameter}|\text{kernel}, x)

    given the pulse angle θ, the signal-to-noise ratio, and whether the phase of the record is
    trusted. The second factor is a mixture of Gaussians with full covariances over normal scores of
    the prior, whose support it therefore keeps. Rows are measured again in every epoch: noise and,
    if asked for, an error of the carrier are drawn on the device.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(256, 256, 256)
        Layers of one width add to what goes into them.
    n_mixtures : int, default=8
        Gaussians for each kernel.
    principal_components : int, default=32
        Of the amplitudes of a row; twice as many of what says how its phase goes.
    receiver : {"record", "spectrometer"}, default="record"
        What rows are: `record` are whole complex records, see :func:`latent_nmr.record_rows`;
        `spectrometer` is |M| about the top of the echo, as models of measured echoes take it.
    phase_share : float, default=0.5
        Part of the rows, in each epoch, of which the phase is trusted.
    carrier_error : float, default=0.0
        Standard deviation of an error of the carrier, turns per column of a record.
    learning_rate : float, default=2e-3
        Highest; it rises for a twentieth of the epochs and falls to nought as a cosine.
    weight_decay : float, default=0.1
    batch_size : int, default=256
    max_epochs : int, default=120
    patience : int, default=30
        Epochs without a lower held-out loss after which training stops.
    validation_fraction : float, default=0.1
        Part of the rows, or groups, held out to choose the epoch.
    random_state : int, RandomState or None, default=None
        Seeds split, weights, batch order, noise.

    Attributes
    ----------
    shape_ : PosteriorShape
    weights_ : dict of ndarray
    prior_ : Prior
    history_ : list of PosteriorRecord
    best_epoch_ : int
    training_rows_, validation_rows_ : ndarray of int
    device_, packages_ : str, dict
    n_features_in_ : int

    Examples
    --------
    >>> import latent_nmr as ln
    >>> ds = ln.simulate("challenge2021-spin", n_curves=60, n_edge=8)
    >>> X = ln.record_rows(ds)
    >>> model = ln.EchoPosterior((16,), n_mixtures=2, max_epochs=2, random_state=0)
    >>> model.fit(X, ds, ds.challenge_theta).sample(X[:1], 90, n_draws=500).W.shape
    (1, 500)
    """

    _kind = FittedPosterior
    shape_: PosteriorShape
    prior_: Prior
    weights_: dict[str, np.ndarray]

    def __init__(
        self,
        hidden_layer_sizes=(256, 256, 256),
        *,
        n_mixtures=8,
        principal_components=32,
        receiver=RECORD,
        phase_share=0.5,
        carrier_error=0.0,
        learning_rate=2e-3,
        weight_decay=0.1,
        batch_size=256,
        max_epochs=120,
        patience=30,
        validation_fraction=0.1,
        random_state=None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.n_mixtures = n_mixtures
        self.principal_components = principal_components
        self.receiver = receiver
        self.phase_share = phase_share
        self.carrier_error = carrier_error
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def fit(
        self,
        X,
        y,
        flip_angle_deg: npt.ArrayLike = 90.0,
        *,
        prior: Prior | None = None,
        groups: npt.ArrayLike | None = None,
        on_epoch: Callable[[PosteriorRecord], None] | None = None,
    ):
        """Train on rows without noise, of echoes with independent offsets.

        Parameters
        ----------
        X : array-like, shape (n_rows, n_features)
        y : mapping
            `kernel` (names), `alpha_x`, `alpha_z` (MHz) and `kernel_parameter` of every row: the
            data set of the curves, or a data frame.
        flip_angle_deg : float or array-like, shape (n_rows,)
            θ of the first pulse, degrees.
        prior : Prior, optional
            What `y` was drawn from; by default that of the preset `paper`.
        groups : array-like, shape (n_rows,), optional
            Rows of one group, such as the repeats of a material, are all trained on or all held
            out.
        on_epoch : callable, optional
            Called with the record of each epoch.

        Raises
        ------
        InputError
            For parameters or data that cannot be used, such as a material outside of the prior.
        NumericalError
            If the loss is not finite in the first epoch.
        """
        self.check_parameters()
        parameters = self.get_params()
        check_row_order(X, groups=groups)
        X = validate_data(
            self, rows_of(self, X, reset=True), dtype=np.float32, ensure_min_samples=4
        )
        self.prior_ = Prior() if prior is None else prior
        materials = as_materials(self.prior_, y)
        if len(materials.kernel) != len(X):
            raise InputError(
                f"y must have one material for each of the {len(X)} rows of X, but has "
                f"{len(materials.kernel)}. Give those of the same curves."
            )
        angles = per_row("flip_angle_deg", flip_angle_deg, len(X), above=0, at_most=180)
        draw_seed = check_random_state(self.random_state).randint
        split_seed, train_seed = draw_seed(2**31 - 1, size=2).tolist()
        own = as_groups(groups, len(X))
        n_held_out = check_rows_left(parameters, n_groups(own, len(X)), "0.1")
        split = split_rows(np.arange(len(X)), n_held_out, split_seed, groups=own)
        self.training_rows_, self.validation_rows_ = map(np.sort, split)
        principal = principal_blocks(
            X, self.training_rows_, self.receiver, int(self.principal_components)
        )
        self.shape_ = shape_of(parameters, X.shape[1], principal, len(self.prior_.kernels))
        with own_settings():
            data = Data(
                jnp.asarray(X),
                jnp.asarray(np.radians(angles), jnp.float32),
                jnp.asarray(materials.kernel, jnp.int32),
                jnp.asarray(self.prior_.scores(materials), jnp.float32),
            )
        rows = self.training_rows_, self.validation_rows_
        schedule, key = schedule_of(parameters, len(rows[0])), seed_key(train_seed)
        course = train(self.shape_, schedule, data, rows, principal, key, on_epoch)
        self.weights_ = course.weights | principal
        self.history_, self.best_epoch_ = course.history, course.best_epoch
        self.device_, self.packages_ = device_name(), installed_packages()
        self.parameters_, self.metadata_ = parameters, {}
        return self

    def predict_kernel_proba(self, X, flip_angle_deg=90.0, *, phase=True, snr=np.inf):
        """Probabilities of the kernels of rows, shape (n_rows, n_kernels), as in `prior_.kernels`.

        Arguments as of `sample`.
        """
        found = [
            np.exp(np.asarray(log_kernel(mixture), np.float64))
            for _, mixture in self._mixtures(X, flip_angle_deg, phase, snr)
        ]
        return np.concatenate(found)

    def log_prob(self, X, y, flip_angle_deg=90.0, *, phase=True, snr=np.inf):
        """log p(kernel, α_x, α_z, kernel parameter | row) of one material per row, shape (n_rows,).

        In nats, for α in MHz and the parameter in its own unit. Arguments as of `fit` and `sample`.
        """
        total = self._log_ratio(X, y, flip_angle_deg, phase, snr)
        kernel = as_materials(self.prior_, y).kernel
        return total + self.prior_.log_density(kernel) - np.log(len(self.prior_.kernels))

    def information(self, X, y, flip_angle_deg=90.0, *, phase=True, snr=np.inf):
        """log of posterior over prior density at the material of each row, nats, shape (n_rows,).

        Its mean over draws of the prior is what an echo says about the material, at least.
        """
        return self._log_ratio(X, y, flip_angle_deg, phase, snr)

    def score(self, X, y, flip_angle_deg=90.0, *, phase=True, snr=np.inf) -> float:
        """Mean of `information` over rows, nats."""
        return float(np.mean(self._log_ratio(X, y, flip_angle_deg, phase, snr)))

    def sample(
        self,
        X,
        flip_angle_deg: npt.ArrayLike = 90.0,
        *,
        phase: npt.ArrayLike = True,
        snr: npt.ArrayLike = np.inf,
        kernel: npt.ArrayLike | None = None,
        n_draws: int = 1000,
        random_state: Any = 0,
    ) -> Materials:
        """Draw materials from the posterior of every row.

        Parameters
        ----------
        X : array-like, shape (n_rows, n_features)
            Rows as they were measured.
        flip_angle_deg : float or array-like, shape (n_rows,)
            θ of the first pulse, degrees.
        phase : bool or array-like, shape (n_rows,)
            Whether the phase of the record is trusted, with its carrier; otherwise only |M| counts.
        snr : float or array-like, shape (n_rows,)
            Height of M(0), or of the top of the echo, over the standard deviation of the noise of
            one column in one channel.
        kernel : str or array-like of str, shape (n_rows,), optional
            Draw given that the material has this kernel.
        n_draws : int
        random_state : int, RandomState or None

        Returns
        -------
        Materials
            Arrays of shape (n_rows, n_draws); `kernel` are numbers in `prior_.kernels`.
        """
        check_count("n_draws", n_draws)
        random = check_random_state(random_state)
        names = None if kernel is None else kernel_numbers(self.prior_, kernel, len(X))
        found = []
        for rows, mixture in self._mixtures(X, flip_angle_deg, phase, snr):
            if names is not None:
                mixture = of_kernels(mixture, names[rows])
            found.append(draw(mixture, n_draws, random))
        numbers, scores = (np.concatenate(part) for part in zip(*found, strict=True))
        return self.prior_.materials(numbers, scores)

    def check_parameters(self) -> None:
        """Raise `InputError` for a constructor argument that cannot be used."""
        check_posterior(self.get_params())

    def _log_ratio(self, X, y, flip_angle_deg, phase, snr) -> FloatArray:
        """log of posterior over prior density, nats, shape (n_rows,)."""
        check_is_fitted(self, "weights_")
        materials = as_materials(self.prior_, y)
        scores = self.prior_.scores(materials)
        found = []
        for rows, mixture in self._mixtures(X, flip_angle_deg, phase, snr):
            if rows.stop > len(scores):
                raise InputError(
                    f"y must have one material per row of X, but has {len(scores)}. Give those of "
                    "the same curves."
                )
            found.append(log_joint(mixture, materials.kernel[rows], scores[rows]))
        return np.concatenate(found) - self.prior_.log_density_of_scores(scores)

    def _mixtures(self, X, flip_angle_deg, phase, snr) -> Iterator[tuple[slice, Mixture]]:
        """Posteriors of pieces of rows, with the rows that they are of."""
        check_is_fitted(self, "weights_")
        X = validate_data(self, rows_of(self, X), reset=False, dtype=np.float32)
        given = conditions_of(len(X), flip_angle_deg, phase, snr)
        return mixtures_by_piece(self.shape_, *self._states(), X, given)

    def _states(self) -> tuple[Any, Any]:
        """Weights as the network takes them, kept beside the arrays that they were made of."""
        kept = getattr(self, "_made", None)
        if kept is None or kept[0] is not self.weights_:
            with own_settings():
                state = state_of(self.shape_, self.weights_)
                known = {
                    name: jnp.asarray(own) for name, own in principal_of(self.weights_).items()
                }
            kept = self._made = (self.weights_, state, known)
        return kept[1], kept[2]

    def __getstate__(self):
        return {name: own for name, own in super().__getstate__().items() if name != "_made"}
