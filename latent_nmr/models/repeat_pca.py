r"""PCA in the metric of the scatter between repeats: the linear method that learns from repeats.

Notation: x rows, m materials, n rows and M materials in all, S total covariance, N covariance
between repeats of a material ("noise"), V the projection, A the patterns.
"""

import numpy as np
import numpy.typing as npt
import scipy.linalg
from sklearn.utils.validation import check_is_fitted

from latent_nmr._row_names import check_row_order
from latent_nmr._splits import as_groups
from latent_nmr.errors import InputError, RepeatsError, check_count, check_number
from latent_nmr.models._baseline import InvertibleBaseline, Rows
from latent_nmr.models.repeats import contrasts_within

LEDOIT_WOLF = "ledoit_wolf"


class RepeatPCA(InvertibleBaseline):
    r"""Principal components in the metric of the scatter between repeats of a material.

    Known as the minimum-noise-fraction transform (A. Green et al., IEEE Trans. Geosci. Remote
    Sens. 26, 65 (1988)). With S the covariance of all rows and N that of rows of one material about
    their mean, it takes the directions in which materials differ most, compared with their repeats:

    .. math:: S v_k = \lambda_k N v_k, \quad v_j^\top N v_k = \delta_{jk}, \quad
        \lambda_1 \geq \lambda_2 \geq \dots

    A coordinate :math:`v_k^\top (x - \bar x)` has variance :math:`\lambda_k` over all rows and 1
    between repeats. Rows are decoded as :math:`\bar x + \sum_k z_k N v_k`, the nearest ones in the
    metric :math:`N^{-1}`. N is estimated from the orthonormal contrasts within each material,
    n - M rows that are independent of each other, and shrunk towards a multiple of the identity
    (O. Ledoit and M. Wolf, J. Multivar. Anal. 88, 365 (2004)); see :func:`ledoit_wolf_part`.

    Repeats tell it that parameters are the same, never what they are. Without noise between
    repeats of its own kind (N a multiple of the identity) it is PCA up to scale.

    Parameters
    ----------
    n_components : int, default=2
        At most the number of columns, and less than the number of materials.
    shrinkage : float or "ledoit_wolf", default="ledoit_wolf"
        Part of N that is replaced by the identity times N's mean variance, in (0, 1], or that
        formula's.
    random_state : ignored
        Kept so that all methods are built alike.

    Attributes
    ----------
    components_ : ndarray, shape (n_components, n_features)
        What a unit of each coordinate adds to a decoded row, :math:`N v_k`.
    filters_ : ndarray, shape (n_components, n_features)
        :math:`v_k`, by which rows are projected.
    mean_ : ndarray, shape (n_features,)
    variance_ratios_ : ndarray, shape (n_components,)
        :math:`\lambda_k`, variance over all rows in units of that between repeats, falling.
    shrinkage_ : float
        The part that was used.
    n_features_in_ : int

    Examples
    --------
    >>> import numpy as np
    >>> from latent_nmr import RepeatPCA
    >>> X = np.random.default_rng(0).random((20, 6))
    >>> RepeatPCA().fit(X, groups=np.arange(20) // 2).transform(X).shape
    (20, 2)
    """

    _prefix = "RPC"

    def __init__(self, n_components=2, *, shrinkage=LEDOIT_WOLF, random_state=None):
        self.n_components = n_components
        self.shrinkage = shrinkage
        self.random_state = random_state

    def fit(self, X, y=None, *, groups=None):  # noqa: ARG002
        """Fit to `X` and return self.

        Parameters
        ----------
        X : array-like, shape (n_rows, n_features)
        y : ignored
        groups : array-like, shape (n_rows,)
            Which material each row is of: numbers or words. In a pipeline they arrive by the
            metadata routing of scikit-learn, after ``set_fit_request(groups=True)``.

        Raises
        ------
        InputError
            (a `ValueError`) Without groups, without a material that has two rows, or for
            parameters and data that cannot be used.
        """
        self._check_parameters()
        check_row_order(X, groups=groups)
        X = self._validated(X, reset=True)
        codes = repeat_codes(groups, len(X))
        self._check_counts(X, int(codes.max()) + 1)
        self._fit_repeats(X.astype(np.float64), codes)
        return self

    def transform(self, X):
        """Coordinates of the rows of `X`, shape (n_rows, n_components)."""
        X = self._validated(X)
        return ((X - self.mean_) @ self.filters_.T).astype(X.dtype, copy=False)

    @property
    def _n_columns(self) -> int:
        check_is_fitted(self, "components_")
        return len(self.components_)

    def _check_parameters(self) -> None:
        check_count("n_components", self.n_components)
        if isinstance(self.shrinkage, str):
            if self.shrinkage != LEDOIT_WOLF:
                raise InputError(
                    f"shrinkage must be in (0, 1] or {LEDOIT_WOLF!r}, but is {self.shrinkage!r}. "
                    "Leave it out."
                )
        else:
            check_number("shrinkage", self.shrinkage, above=0, at_most=1)

    def _check_counts(self, X: Rows, n_materials: int) -> None:
        if self.n_components > min(X.shape[1], n_materials - 1):
            raise InputError(
                f"n_components must be at most the number of columns ({X.shape[1]}), and less than "
                f"the number of materials ({n_materials}), but is {self.n_components}. Ask for "
                "fewer."
            )

    def _fit_repeats(self, X: Rows, codes: npt.NDArray[np.int64]) -> None:
        contrasts = contrasts_within(X, codes)
        if not contrasts.any():
            raise InputError(
                "repeats of a material must differ, as their scatter is the unit of the map, but "
                "are the same rows. Give repeated measurements, or use PCABaseline."
            )
        noise, self.shrinkage_ = self._noise(contrasts, X, codes)
        self.mean_ = X.mean(axis=0)
        total = np.cov(X, rowvar=False).reshape(noise.shape)
        n_features = len(noise)
        wanted = [n_features - self.n_components, n_features - 1]
        try:
            ratios, vectors = scipy.linalg.eigh(total, noise, subset_by_index=wanted)
        except np.linalg.LinAlgError:
            raise InputError(
                "repeats of a material must differ in all directions, or shrinkage make up for "
                f"it, but there are {len(contrasts)} differences of {n_features} columns, and a "
                f"shrinkage of {self.shrinkage_:.3g}. Give more repeats, or shrinkage=0.1."
            ) from None
        vectors = vectors[:, ::-1]
        # Signed as the axes of BetaVAE are: the mean of the decoded row falls along each.
        vectors = vectors * np.where((noise @ vectors).mean(axis=0) > 0, -1.0, 1.0)
        self.variance_ratios_ = ratios[::-1]
        self.filters_, self.components_ = vectors.T, (noise @ vectors).T

    def _noise(self, contrasts: Rows, X: Rows, codes: npt.NDArray[np.int64]) -> tuple[Rows, float]:
        """Covariance between repeats, shrunk, and the part that is."""
        plain = contrasts.T @ contrasts / len(contrasts)
        is_found = isinstance(self.shrinkage, str)
        part = ledoit_wolf_part(plain, X, codes) if is_found else float(self.shrinkage)
        spherical = np.trace(plain) / len(plain) * np.eye(len(plain))
        return (1 - part) * plain + part * spherical, part

    def _decode(self, Z: Rows) -> Rows:
        return (self.mean_ + Z @ self.components_).astype(Z.dtype, copy=False)


def ledoit_wolf_part(noise: Rows, X: Rows, codes: npt.NDArray[np.int64]) -> float:
    r"""Part of the covariance between repeats to replace, by Ledoit and Wolf (2004), eq. 14.

    .. math:: \rho = \min\Big(1, \frac{\frac 1 {n^2} \sum_i |c_i|^4 - \frac 1 n |N|^2}
        {|N|^2 - (\mathrm{tr} N)^2 / p}\Big)

    for n contrasts c of width p. Those of K > 2 repeats can be chosen in many ways, one for each
    order of the rows. All of them, and all their rotations, are alike, so that the sum of their
    fourth powers is taken as its mean over rotations, :func:`_fourth_powers`.

    Parameters
    ----------
    noise : ndarray, shape (n_features, n_features)
        N, before it is shrunk.
    X : ndarray, shape (n_rows, n_features)
    codes : ndarray of int, shape (n_rows,)
        Material of each row.
    """
    n_contrasts = len(X) - len(np.unique(codes))
    square = np.sum(noise**2)
    spread = square - np.trace(noise) ** 2 / len(noise)
    error = (_fourth_powers(X, codes) / n_contrasts - square) / n_contrasts
    # A multiple of the identity, as a single column is, stays what it is.
    is_spherical = spread <= np.finfo(np.float64).eps * square
    return 0.0 if is_spherical else float(np.clip(error / spread, 0, 1))


def _fourth_powers(X: Rows, codes: npt.NDArray[np.int64]) -> float:
    r"""Mean over rotations of :math:`\sum_i |c_i|^4`, c being contrasts within materials.

    Of one with K rows and m = K - 1 it is :math:`(t^2 + 2q)/(m + 2)`, with t the trace and q the
    sum of squares of the products :math:`c_i \cdot c_j`, which are also those of the rows less
    their mean.
    """
    order, counts = np.argsort(codes, kind="stable"), np.bincount(codes)
    starts, total = np.cumsum(counts) - counts, 0.0
    for k in np.unique(counts[counts > 1]):
        rows = X[order[starts[counts == k, np.newaxis] + np.arange(k)]]
        rows = rows - rows.mean(axis=1, keepdims=True)
        traces = np.sum(rows**2, axis=(1, 2))
        if k > X.shape[1]:  # the smaller of two matrices with the same sum of squares
            rows = rows.swapaxes(1, 2)
        squares = np.sum((rows @ rows.swapaxes(1, 2)) ** 2, axis=(1, 2))
        total += np.sum(traces**2 + 2 * squares) / (k + 1)
    return float(total)


def repeat_codes(groups: npt.ArrayLike | None, n_rows: int) -> npt.NDArray[np.int64]:
    """Materials of rows as whole numbers from 0, some of which have several rows.

    Raises
    ------
    InputError
        Without groups, or where no material has two rows.
    """
    codes = as_groups(groups, n_rows)
    if codes is None or np.bincount(codes).max() < 2:
        found = "there are none" if codes is None else "each has one row"
        raise RepeatsError(
            "groups must say which rows are repeats of one material, at least two of some, but "
            f"{found}.",
            "Pass fit(X, groups=material), with repeated measurements or simulations.",
        )
    return codes
