"""EchoFeatures: complex echoes to features in [0, 1] and back, as a scikit-learn transformer.

M = Mx + i My is the mean transverse magnetisation, in any unit, the same for all curves; times are
in µs.
"""

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from latent_nmr._columns import check_coordinate, columns_of, rows_of
from latent_nmr._masks import refuse_masked
from latent_nmr._rounding import cut, rounding_of
from latent_nmr._times import plain_duration, record_times, refuse_shorter, typical_interval
from latent_nmr.data.feature_layout import (
    checked_part,
    column_names,
    column_times,
    feature_blocks,
    part_name,
)
from latent_nmr.data.polar import Polar
from latent_nmr.data.windows import (
    NORMALISATIONS,
    curve_divisors,
    scaled_window,
    signal_of,
    window_slice,
)
from latent_nmr.errors import InputError, check_choice, check_number

# Precisions that are kept; any other number becomes the double one of its kind.
KEPT_DTYPES = (np.float32, np.float64, np.complex64, np.complex128)
# µs; no echo comes so soon after a pulse at 0, so that shorter times were meant in ms or s.
SHORTEST_ECHO_TIME = 1.0


class EchoFeatures(TransformerMixin, BaseEstimator):
    """Features of spin echoes: a window of the record, scaled to [0, 1].

    scikit-learn's own `check_estimator` does not apply, because its `validate_data` refuses the
    complex arrays that this transformer is for.

    Parameters
    ----------
    time : array-like, shape (n_time,), default=None
        Times of the samples, rising: numbers of µs, 0.001 to 100 apart, or with a unit of their
        own, such as timedelta64. None counts samples: every time below is then a sample's number.
    window : {"echo", "full", "echo300"}, default="echo"
        Samples that are used: 400 centred on the echo, the whole record, or 300.
    part : {"magnitude", "both", "real", "imaginary", "polar"} or Polar, default="magnitude"
        `magnitude` is |M|; `both` is the real, then the imaginary part, side by side. A signed
        part x is mapped to (x + 1)/2, so that a sigmoid decoder can meet it. `polar` is |M|, then
        the local frequency; see :class:`latent_nmr.Polar`, which takes other settings.
    normalisation : {"initial", "window_max"}, default="initial"
        What each curve is divided by: its own |M| at the first sample of the record, which keeps
        the echo's height, or its largest |M| in the window. What exceeds the divisor is cut.
    echo_time : float, default=None
        Time of the echo, µs; the nearest sample is used. None looks for it in `fit`: the highest
        sample of the mean |M| in the second half of the record, since a record starts with the
        free-induction decay. Where noise or interactions skew the echo, that is a few samples
        off 2τ; give the time to compare fits on different curves. A number below 1 µs and two
        samples was meant in ms or s, unless it is the time of a sample.

    Attributes
    ----------
    echo_index_ : int
        Sample of the echo.
    samples_ : slice
        Samples of the window.
    time_ : ndarray, shape (n_window,)
        Their times, µs.
    scale_ : float
        Mean over the training rows of what each was divided by, in the unit of M.
    part_, normalisation_, has_time_ : str or Polar, str, bool
        Settings of the fit; `set_params` changes the next one.
    n_features_in_ : int
        Number of samples in a record, n_time.
    feature_names_in_ : ndarray of str
        Columns of the data frame that it was fitted to; only then.
    coordinate_in_ : ndarray, shape (n_time,)
        Coordinate of the samples, µs if it is a time, in the array of xarray that it was fitted
        to; only then. Other arrays must have the same.

    Examples
    --------
    >>> import numpy as np
    >>> from latent_nmr import EchoFeatures
    >>> time = np.arange(600.0)
    >>> M = 0.5j * (np.exp(-time / 50) + np.exp(-(((time - 350) / 40) ** 2)))
    >>> EchoFeatures(time).fit_transform(M[np.newaxis]).shape
    (1, 400)
    """

    def __init__(
        self,
        time=None,
        window="echo",
        part="magnitude",
        normalisation="initial",
        *,
        echo_time=None,
    ):
        self.time = time
        self.window = window
        self.part = part
        self.normalisation = normalisation
        self.echo_time = echo_time

    def fit(self, X, y=None):  # noqa: ARG002
        """Find echo, window and scale on the rows of `X`.

        Parameters
        ----------
        X : array-like, shape (n_curves, n_time)
            M, complex; for `magnitude` also |M|, real.
        y : None
            Not used.

        Returns
        -------
        EchoFeatures
            Itself.
        """
        part = checked_part(self.part)
        check_choice("normalisation", self.normalisation, NORMALISATIONS)
        if isinstance(part, Polar) and self.time is None:
            raise InputError(
                "time must be given for part='polar', whose lag is a time, but is None. Give the "
                "times of whole records, in µs."
            )
        given = rows_of(self, X, reset=True)
        X = _checked(given, part)
        n_time = X.shape[1]
        time = self._checked_time(n_time)
        if self.time is not None and "time" in getattr(given, "dims", ()):
            check_coordinate("X", given, time)
        echo_index = self._echo_index(X, time)
        samples = window_slice(self.window, n_time, echo_index)
        divisors = curve_divisors(_components(X), samples, self.normalisation)
        feature_blocks(time[samples], part)  # refuses samples that do not fit the lag
        # Only the names and the number of columns: check_array would refuse complex numbers.
        validate_data(self, given, skip_check_array=True)
        # What the fitted object is, whatever `set_params` makes of the next fit.
        self.part_, self.normalisation_ = part, self.normalisation
        self.has_time_ = self.time is not None
        self.echo_index_ = echo_index
        self.samples_ = samples
        self.time_ = time[samples]
        self.scale_ = float(divisors.mean(dtype=np.float64))
        return self

    def transform(self, X):
        """Return the features of curves; a row depends on no other.

        Parameters
        ----------
        X : array-like, shape (n_curves, n_time)
            As in `fit`.

        Returns
        -------
        ndarray, shape (n_curves, n_window), or (n_curves, 2 n_window) for `both`
            Or fewer columns for `polar`. In [0, 1]; float32 for complex64 and float32, else
            float64.
        """
        check_is_fitted(self)
        given = rows_of(self, X)
        X = _checked(given, self.part_)
        if X.shape[1] != self.n_features_in_:
            raise InputError(
                f"X must have as many samples as in fit ({self.n_features_in_}), but has shape "
                f"{X.shape}. Give whole records on the same time grid."
            )
        validate_data(self, given, reset=False, skip_check_array=True)
        signal = _components(X)
        divisors = curve_divisors(signal, self.samples_, self.normalisation_)
        return scaled_window(signal, self.samples_, self.part_, divisors, self.time_)

    def inverse_transform(self, X):
        """Return the signal on the window's grid `time_`, in the unit of M.

        Each curve's own divisor is not part of its features; the training rows' mean, `scale_`,
        stands in for it. Nor is its phase part of those of `polar`: M is then real at the echo,
        and its phase elsewhere the integral of the frequency. That is exact to 0.01 rad where the
        frequency varies by less than 0.05 MHz in 10 µs and was not cut. Across times at which M
        vanishes, as between the decay and the echo, the phase is not known.

        Parameters
        ----------
        X : array-like, shape (n_curves, n_features)
            Features, such as a decoder's.

        Returns
        -------
        ndarray, shape (n_curves, n_window)
            |M|, Re M or Im M; for `both` and `polar` M itself, complex.
        """
        check_is_fitted(self)
        blocks = feature_blocks(self.time_, self.part_)
        X = columns_of("features", X, self.get_feature_names_out())
        check_coordinate("features", X, column_times(blocks))
        X = _as_numbers(X, "features")
        n_columns = blocks[-1].columns.stop
        if np.iscomplexobj(X) or X.shape[1] != n_columns:
            raise InputError(
                f"features must be real, with {n_columns} columns for "
                f"part={part_name(self.part_)!r}, but are {X.dtype} of shape {X.shape}. Give what "
                "transform returned, or a model's reconstruction of it."
            )
        zero = self.echo_index_ - self.samples_.start
        return self.scale_ * signal_of(X, self.part_, self.time_, zero)

    def get_feature_names_out(self, input_features=None):  # noqa: ARG002
        """Names of the columns, such as "|M|(168.1 µs)"; `input_features` is not used."""
        check_is_fitted(self)
        unit = "µs" if self.has_time_ else None
        return np.array(column_names(feature_blocks(self.time_, self.part_), unit), dtype=object)

    def _checked_time(self, n_time: int) -> npt.NDArray[np.float64]:
        """Times of the samples, or their numbers where no times are given."""
        if self.time is None:
            return np.arange(n_time, dtype=np.float64)
        time = record_times("time", self.time).astype(np.float64)
        if time.shape != (n_time,):
            raise InputError(
                f"time must have one value per sample of X, shape ({n_time},), but has shape "
                f"{time.shape}. Give the times of whole records, in µs."
            )
        return time

    def _echo_index(self, X: npt.NDArray, time: npt.NDArray[np.float64]) -> int:
        """Sample nearest to `echo_time`, or the highest of the second half's mean |M|."""
        if self.echo_time is None:
            half = X.shape[1] // 2
            return half + int(np.abs(X[:, half:]).mean(axis=0, dtype=np.float64).argmax())
        # Without times, a time is the number of a sample, and has no unit.
        given, is_plain = self.echo_time, False
        if self.time is not None:
            given, is_plain = plain_duration("echo_time", given)
        echo_time = check_number(
            "echo_time",
            given,
            at_least=time[0],
            at_most=time[-1],
            unit="" if self.time is None else "µs",
            cure="Give a time on the record, or None to look for the echo.",
        )
        nearest = int(np.abs(time - echo_time).argmin())
        if is_plain and time[0] >= 0 and not np.isclose(time[nearest], echo_time, 1e-6, 0):
            shortest = min(SHORTEST_ECHO_TIME, 2 * typical_interval(time))
            refuse_shorter("echo_time", echo_time, shortest, unless="that of a sample or ")
        return nearest

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _checked(X, part: str | Polar) -> npt.NDArray:
    """Return `X` as curves of a part, or raise."""
    given, X = X, _as_numbers(X, "X")
    if np.iscomplexobj(X):
        return X
    if part != "magnitude":
        raise InputError(
            f"X must be complex for part={part_name(part)!r}, but is real ({X.dtype}). Give "
            "mx + 1j * my, or use part='magnitude', which also takes |M|."
        )
    # Arithmetic such as a scaler's and its inverse leaves zeros at -1e-9.
    negative = np.argwhere(-rounding_of(given) * abs(X).max() > X)
    if len(negative):
        row, sample = negative[0]
        raise InputError(
            "a real X must be |M|, which is never negative, but is "
            f"{X[row, sample]:g} in row {row} at sample {sample}. Give complex curves, "
            "mx + 1j * my."
        )
    return cut(X, 0, np.inf)


def _as_numbers(values, name: str) -> npt.NDArray:
    """Return a finite table of at least one row, in a precision that is kept, or raise."""
    refuse_masked(name, values)
    values = np.asarray(values)
    if values.ndim != 2 or not values.size:
        raise InputError(
            f"{name} must have the shape (n_curves, n_time) with at least one curve, but has shape "
            f"{values.shape}. Give one row per curve; a single one as curve[np.newaxis]."
        )
    if values.dtype.kind not in "iufc":
        raise InputError(
            f"{name} must hold numbers, but its dtype is {values.dtype}. Convert it first."
        )
    dtype = values.dtype.newbyteorder("=")
    if dtype not in KEPT_DTYPES:
        dtype = np.complex128 if dtype.kind == "c" else np.float64
    values = values.astype(dtype, copy=False)
    bad = ~np.isfinite(values)
    if bad.any():
        row, sample = np.argwhere(bad)[0]
        raise InputError(
            f"{name} must be finite, but is {values[row, sample]} in row {row} at column {sample} "
            f"({int(bad.any(axis=1).sum())} such rows). Drop or repair these rows."
        )
    return values


def _components(X: npt.NDArray) -> tuple[npt.NDArray, ...]:
    """Real and imaginary part, or |M| alone."""
    return (np.real(X), np.imag(X)) if np.iscomplexobj(X) else (X,)
