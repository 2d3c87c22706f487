"""PCA, K-means and UMAP behind the verbs of BetaVAE, so that one figure and one score fits all.

X is (n_rows, n_features); what `transform` gives has the dtype of X, float32 or float64.
"""

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from latent_nmr.errors import InputError, check_count, check_number
from latent_nmr.models._baseline import Baseline, InvertibleBaseline, Rows
from latent_nmr.models._umap import load_umap


class PCABaseline(InvertibleBaseline):
    """Principal components of the rows, by scikit-learn's PCA with an exact solver.

    Each component is signed as the axes of BetaVAE are: the mean of the reconstructed row falls
    along it. Nothing is drawn.

    Parameters
    ----------
    n_components : int, default=2
        At most the number of rows and of columns.
    random_state : ignored
        Kept so that all methods are built alike.

    Attributes
    ----------
    components_ : ndarray, shape (n_components, n_features)
        Orthonormal, the largest variance first.
    mean_ : ndarray, shape (n_features,)
    explained_variance_ : ndarray, shape (n_components,)
        With n_rows - 1 in the denominator.
    explained_variance_ratio_ : ndarray, shape (n_components,)
        As fractions of the total variance.
    n_features_in_ : int

    Examples
    --------
    >>> import numpy as np
    >>> from latent_nmr import PCABaseline
    >>> X = np.random.default_rng(0).random((20, 6))
    >>> PCABaseline().fit_transform(X).shape
    (20, 2)
    """

    _prefix = "PC"

    def __init__(self, n_components=2, *, random_state=None):
        self.n_components = n_components
        self.random_state = random_state

    def transform(self, X):
        """Scores of the rows of `X` on the components, shape (n_rows, n_components)."""
        X = self._validated(X)
        return self.model_.transform(X).astype(X.dtype, copy=False)

    @property
    def _n_columns(self) -> int:
        return len(self.components_)

    def _check_size(self, X: Rows) -> None:
        if self.n_components > min(X.shape):
            raise InputError(
                "n_components must be at most the number of rows and of columns "
                f"({X.shape[0]} × {X.shape[1]}), but is {self.n_components}. Ask for fewer."
            )

    def _fit_rows(self, X: Rows) -> None:
        # Both solvers are exact; the cheaper is taken. The eigenvalues of a covariance lose half
        # of the digits, which float64 can spare: hence the conversion.
        solver = "covariance_eigh" if X.shape[0] >= X.shape[1] else "full"
        model = PCA(self.n_components, svd_solver=solver).fit(X.astype(np.float64))
        model.components_[model.components_.mean(axis=1) > 0] *= -1
        self.model_ = model
        self.components_, self.mean_ = model.components_, model.mean_
        self.explained_variance_ = model.explained_variance_
        self.explained_variance_ratio_ = model.explained_variance_ratio_

    def _decode(self, Z: Rows) -> Rows:
        return self.model_.inverse_transform(Z).astype(Z.dtype, copy=False)


class KMeansBaseline(InvertibleBaseline):
    """K-means clusters, by scikit-learn's KMeans: the best of ten starts.

    Clusters are numbered by the mean of their centroid, the lowest first, so that a number means
    the same whatever the seed.

    Parameters
    ----------
    n_components : int, default=2
        Number of clusters, and so of columns; at most the number of rows.
    random_state : int, RandomState or None, default=None
        Seeds the starts. An int makes `fit` repeatable.

    Attributes
    ----------
    cluster_centers_ : ndarray, shape (n_components, n_features)
    labels_ : ndarray of int, shape (n_rows,)
        Cluster of each row, from 0.
    inertia_ : float
        Sum of the squared distances of the rows to their centroids.
    n_features_in_ : int

    Examples
    --------
    >>> import numpy as np
    >>> from latent_nmr import KMeansBaseline
    >>> X = np.random.default_rng(0).random((20, 6))
    >>> KMeansBaseline(random_state=0).fit_transform(X).shape
    (20, 2)
    """

    _prefix = "K"

    def __init__(self, n_components=2, *, random_state=None):
        self.n_components = n_components
        self.random_state = random_state

    def transform(self, X):
        """Distance of each row of `X` to each centroid, shape (n_rows, n_components)."""
        X = self._validated(X)
        return self.model_.transform(X)

    def predict(self, X):
        """Cluster of each row of `X`, from 0."""
        X = self._validated(X)
        return self.model_.predict(X)

    @property
    def _n_columns(self) -> int:
        return len(self.cluster_centers_)

    def _check_size(self, X: Rows) -> None:
        if self.n_components > len(X):
            raise InputError(
                f"n_components must be at most the number of rows ({len(X)}), one cluster each, "
                f"but is {self.n_components}. Ask for fewer clusters, or give more rows."
            )

    def _fit_rows(self, X: Rows) -> None:
        model = KMeans(self.n_components, n_init=10, random_state=self.random_state).fit(X)
        order = np.argsort(model.cluster_centers_.mean(axis=1))
        model.cluster_centers_ = np.ascontiguousarray(model.cluster_centers_[order])
        model.labels_ = np.argsort(order)[model.labels_].astype(np.int32)
        self.model_ = model
        self.cluster_centers_, self.labels_ = model.cluster_centers_, model.labels_
        self.inertia_ = float(model.inertia_)

    def _decode(self, Z: Rows) -> Rows:
        """The centroid whose distance is smallest."""
        return self.cluster_centers_[np.argmin(Z, axis=1)].astype(Z.dtype, copy=False)


class UMAPBaseline(Baseline):
    """Uniform manifold approximation and projection, by umap-learn (L. McInnes et al. [1]_).

    Results are NOT reproducible across machines, nor across versions of umap-learn, numba and
    NumPy: the layout is a stochastic descent whose every step depends on rounding. An int
    `random_state` repeats a fit on one machine with equal versions only, on a single thread.
    Distances and sizes of clumps in the map mean little.

    There is no way back from the map: neither `inverse_transform` nor `reconstruct` exists. Nor
    can the map be what scikit-learn's `check_estimator` asks of a transformer: where a new row
    comes to lie depends on the rows beside it and on their order (two checks fail), and a fit
    needs more rows than neighbours (three more fail with the default of 15).

    Parameters
    ----------
    n_components : int, default=2
        Axes of the map.
    n_neighbors : int, default=15
        Rows that a row is compared with, at least 2 and fewer than there are rows.
    min_dist : float, default=0.1
        How closely points may be packed, from 0 to 1.
    random_state : int, RandomState or None, default=None
        None uses all cores, and no two fits agree.

    Attributes
    ----------
    embedding_ : ndarray of float32, shape (n_rows, n_components)
        Where the rows of the fit lie.
    n_features_in_ : int

    References
    ----------
    .. [1] L. McInnes, J. Healy, J. Melville, arXiv:1802.03426 (2018).

    Examples
    --------
    >>> import numpy as np
    >>> from latent_nmr import UMAPBaseline
    >>> X = np.random.default_rng(0).random((20, 6))
    >>> model = UMAPBaseline(n_neighbors=5, random_state=0)
    >>> model.fit_transform(X).shape  # takes seconds to compile  # doctest: +SKIP
    (20, 2)
    """

    _prefix = "UMAP"
    is_reproducible = False

    def __init__(self, n_components=2, *, n_neighbors=15, min_dist=0.1, random_state=None):
        self.n_components = n_components
        self.n_neighbors = n_neighbors
        self.min_dist = min_dist
        self.random_state = random_state

    def transform(self, X):
        """Places of the rows of `X` in the map, shape (n_rows, n_components)."""
        X = self._validated(X)
        # A copy: umap-learn gives its own array for the rows that it was fitted to.
        return np.array(self.model_.transform(X), dtype=X.dtype)

    @property
    def _n_columns(self) -> int:
        return self.embedding_.shape[1]

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_count("n_neighbors", self.n_neighbors, at_least=2)
        check_number("min_dist", self.min_dist, at_least=0, at_most=1)

    def _check_size(self, X: Rows) -> None:
        if self.n_neighbors >= len(X):
            raise InputError(
                f"n_neighbors must be less than the number of rows ({len(X)}), but is "
                f"{self.n_neighbors}. Ask for fewer neighbours, or give more rows."
            )
        # The spectral start takes one eigenvector more than there are axes.
        if self.n_components + 1 >= len(X):
            raise InputError(
                f"n_components must be less than the number of rows - 1 ({len(X) - 1}), but is "
                f"{self.n_components}. Ask for fewer axes, or give more rows."
            )

    def _fit_rows(self, X: Rows) -> None:
        # Loaded here: it takes seconds, which users of the other methods are spared.
        self.model_ = load_umap()(
            n_components=self.n_components,
            n_neighbors=self.n_neighbors,
            min_dist=self.min_dist,
            random_state=self.random_state,
            # A seed allows one thread only; to say so here spares a warning.
            n_jobs=-1 if self.random_state is None else 1,
        ).fit(X)
        self.embedding_ = self.model_.embedding_
