"""Rows without what lies outside their principal components, which the first layer then ignores.

A first layer begins with random weights for every column. Along directions in which rows hardly
vary nothing ever teaches it better, so that what little they hold, mostly chance, stays in every
coordinate. Trained on rows that lack it and folded into the first layer afterwards, the network
takes whole rows as before.
"""

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import scipy.linalg

from latent_nmr.models.networks import Weights

KERNEL, BIAS = "encoder.layers.0.kernel", "encoder.layers.0.bias"


class PrincipalFilter(NamedTuple):
    """Projection of rows on their first principal components.

    Attributes
    ----------
    mean : ndarray, shape (n_features,)
    directions : ndarray, shape (n_directions, n_features)
        Orthonormal.
    """

    mean: npt.NDArray[np.float64]
    directions: npt.NDArray[np.float64]

    @classmethod
    def of(cls, X: npt.NDArray[np.floating], n_directions: int) -> Self:
        """The first `n_directions` of the rows `X`, or as many as there are columns."""
        mean = X.mean(axis=0, dtype=np.float64)
        centred = X - mean
        n_features = X.shape[1]
        wanted = [max(n_features - n_directions, 0), n_features - 1]
        columns = scipy.linalg.eigh(centred.T @ centred, subset_by_index=wanted)[1]
        return cls(mean, columns[:, ::-1].T)

    def filtered(self, X: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Rows as the components give them, shape (n_rows, n_features)."""
        coordinates = (X - self.mean) @ self.directions.T
        return (self.mean + coordinates @ self.directions).astype(np.float32)

    def folded(self, weights: Weights) -> Weights:
        """Weights that do with a row what `weights` do with the filtered one."""
        kernel = weights[KERNEL].astype(np.float64)
        own = self.directions.T @ (self.directions @ kernel)
        bias = weights[BIAS] + self.mean @ kernel - self.mean @ own
        return weights | {KERNEL: own.astype(np.float32), BIAS: bias.astype(np.float32)}
