"""What a fitted β-VAE does with rows and with latent points."""

from collections.abc import Callable

import jax
import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from latent_nmr._columns import columns_of, rows_of
from latent_nmr._row_names import check_row_order
from latent_nmr.errors import InputError, check_count
from latent_nmr.latent_axes import axis_names
from latent_nmr.models import experts, inference, value_range
from latent_nmr.models.experts import Combined
from latent_nmr.models.networks import Architecture, Weights
from latent_nmr.models.saved_estimator import SavedEstimator
from latent_nmr.models.scatter import Scatter


class LatentModel(TransformerMixin, SavedEstimator):
    """An encoder to a Gaussian posterior and a decoder, once they are fitted."""

    architecture_: Architecture
    weights_: Weights
    scale_: float
    scatter_: Scatter | None

    def transform(self, X):
        """Posterior means of the rows of `X`, shape (n_rows, n_components); draws nothing."""
        rows = self._validated(X)
        return inference.encode(self.architecture_, self.weights_, rows)[0]

    def transform_std(self, X):
        """Posterior standard deviations of the rows of `X`, shape (n_rows, n_components)."""
        rows = self._validated(X)
        return inference.deviations(self.architecture_, self.weights_, rows)

    def transform_repeats(self, X, groups, *, scale=None) -> Combined:
        r"""One point of the map for each material, from all rows of it.

        The product of the posteriors of its K rows, each widened by a factor f per axis,
        :math:`\prod_k \mathcal N(z; \mu_k, f^2 \sigma_k^2)`: its mean says where the mean of very
        many repeats would lie, and its standard deviation how well that is known.

        Parameters
        ----------
        X : array-like, shape (n_rows, n_features)
        groups : array-like, shape (n_rows,)
            Material of each row.
        scale : array-like, shape (n_components,), optional
            Factors f. By default those that the fit found in its held-out repeats,
            `repeat_scale_`, or for a model that learned without repeats those of these rows.

        Returns
        -------
        Combined
            `groups`, `mean`, `std`, and `counts`, the number of rows of each.

        Raises
        ------
        InputError
            If no factors are known and each material has one row; for a `scale` of another shape.

        Examples
        --------
        >>> import numpy as np
        >>> from latent_nmr import BetaVAE
        >>> X = np.random.default_rng(0).random((60, 24))
        >>> vae = BetaVAE(hidden_layer_sizes=(8,), max_epochs=2, random_state=0).fit(X)
        >>> vae.transform_repeats(X, groups=np.arange(60) // 3).mean.shape
        (20, 2)
        """
        check_row_order(X, groups=groups)
        if scale is None:
            scale = getattr(self, "repeat_scale_", None)
        return experts.combined(self.transform(X), self.transform_std(X), groups, scale)

    def inverse_transform(self, Z):
        """Decode latent points `Z`, shape (n_rows, n_components), to (n_rows, n_features)."""
        Z = columns_of("Z", Z, self.get_feature_names_out())
        Z = check_array(Z, dtype=(np.float64, np.float32), input_name="Z")
        if Z.shape[1] != self.architecture_.n_components:
            raise InputError(
                f"Z must have one column per latent axis ({self.architecture_.n_components}), "
                f"but has shape {Z.shape}. Give an array (n_rows, n_components)."
            )
        return inference.decode(self.architecture_, self.weights_, Z)

    def decoder(self) -> Callable[[jax.Array], jax.Array]:
        """The decoder alone: a jitted function of JAX arrays that can be differentiated.

        Maps latent points (..., n_components) to decoded rows (..., n_features), float32:
        ``jax.jacobian(vae.decoder())(z)`` says how the curve changes along each axis.
        """
        check_is_fitted(self, "weights_")
        return inference.decoder_function(self.architecture_, self.weights_)

    def reconstruct(self, X):
        """Decode the posterior means of `X`; the curves without what the axes do not hold."""
        return self.inverse_transform(self.transform(X))

    def sample(self, n_samples=1, *, random_state=None):
        """Decode `n_samples` points drawn from the prior; returns (curves, latent points)."""
        check_is_fitted(self, "weights_")
        n_samples = check_count("n_samples", n_samples)
        normal = check_random_state(random_state).standard_normal
        Z = normal((n_samples, self.architecture_.n_components))
        return self.inverse_transform(Z), Z

    def score_samples(self, X):
        """Evidence lower bound of every row at β = 1, in nats, shape (n_rows,).

        Includes the Gaussian likelihood's constant, so that scales can be compared; the
        Bernoulli likelihood of values between 0 and 1 has none, and its scores compare with
        each other only. A row's score is the same in any company and at any time.
        """
        rows = self._validated(X)  # first: without a fit there are no parameters either
        likelihood = self.parameters_["likelihood"]
        rows = value_range.checked(rows, X, likelihood)
        network = self.architecture_, self.weights_
        return inference.evidence(*network, rows, likelihood, self.scale_, self.scatter_)

    def score(self, X, y=None):  # noqa: ARG002
        """Mean of `score_samples`; higher is better."""
        return float(self.score_samples(X).mean())

    def get_feature_names_out(self, input_features=None):  # noqa: ARG002
        """Names of the columns that `transform` returns: LA1, LA2, … ("latent axis")."""
        check_is_fitted(self, "weights_")
        return np.asarray(axis_names(self.architecture_.n_components), dtype=object)

    def _validated(self, X):
        check_is_fitted(self, "weights_")
        return validate_data(self, rows_of(self, X), dtype=(np.float64, np.float32), reset=False)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
