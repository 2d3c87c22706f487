"""EchoFeatures: complex echoes to features in [0, 1] and back, as a scikit-learn transformer.

M = Mx + i My is the mean transverse magnetisation, in any unit, the same for all curves; times are
in µs.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from latent_nmr._columns import check_coordinate, check_times, columns_of
from latent_nmr._times import plain_duration, record_times, refuse_shorter, typical_interval
from latent_nmr.data._given_curves import (
    as_numbers,
    as_table,
    checked_rows,
    components,
    given_rows,
    one_protocol,
    protocols_of,
    split_protocols,
)
from latent_nmr.data.feature_layout import (
    checked_part,
    column_names,
    column_times,
    feature_blocks,
    part_name,
)
from latent_nmr.data.polar import Polar
from latent_nmr.data.scaling import (
    NORMALISATIONS,
    Echo,
    curve_divisors,
    joined_features,
    placed,
    signals_of,
)
from latent_nmr.data.windows import window_slice
from latent_nmr.errors import InputError, check_choice, check_number

# µs; no echo comes so soon after a pulse at 0, so that shorter times were meant in ms or s.
SHORTEST_ECHO_TIME = 1.0


class EchoFeatures(TransformerMixin, BaseEstimator):
    """Features of spin echoes: a window of the record, scaled to [0, 1].

    Several protocols of each material, such as echoes after pulses of 60° and 120°, come as arrays
    (n_curves, n_protocols, n_time), or of xarray; their features stand side by side. Of two with
    `part="polar"`, the frequencies are half their difference, unless coordinates `flip_angle` and
    `tau` say that they are other pulses than θ and 180° - θ with one τ.

    scikit-learn's own `check_estimator` does not apply, because its `validate_data` refuses the
    complex arrays that this transformer is for.

    Parameters
    ----------
    time : array-like, shape (n_time,), default=None
        Times of the samples, rising: numbers of µs, 0.001 to 100 apart, or with a unit of their
        own, such as timedelta64. None counts samples: every time below is then a sample's number.
    window : {"echo", "full", "echo300", "top"}, default="echo"
        Samples that are used: 400 about the echo, the whole record, 300, or 400 about the highest
        point of each curve's echo.
    part : {"magnitude", "both", "real", "imaginary", "polar"} or Polar, default="magnitude"
        `magnitude` is |M|; `both` is the real, then the imaginary part, side by side. A signed
        part x is mapped to (x + 1)/2, so that a sigmoid decoder can meet it. `polar` is |M|, then
        the local frequency; see :class:`latent_nmr.Polar`, which takes other settings.
    normalisation : {"initial", "window_max", "height"}, default="initial"
        What each curve is divided by: its |M| at the first sample of the record, which keeps the
        echo's height, its largest in the window, or the echo's smoothed height over 0.75.
    echo_time : float, default=None
        Time of the echo, µs; the nearest sample is used. None looks for it in `fit`: the highest
        sample of the mean |M| in the second half of the record, a few samples off 2τ where noise
        or interactions skew it; give the time to compare fits on different curves. A number below
        1 µs and two samples was meant in ms or s, unless it is the time of a sample. Of several
        protocols, one time or a list with one for each.

    Attributes
    ----------
    echo_index_ : int
        Sample of the echo; a list, one for each, of several protocols.
    samples_ : slice
        Samples of the window; likewise.
    time_ : ndarray, shape (n_window,), or (n_protocols, n_window)
        Their times, µs.
    scale_ : float, or ndarray of shape (n_protocols,)
        Mean over the training rows of what each was divided by, in the unit of M.
    protocols_ : list of str
        Names of several protocols, or their numbers from 1; empty for one.
    part_, normalisation_, window_, has_time_ : str or Polar, str, str, bool
        Settings of the fit; `set_params` changes the next one.
    n_features_in_ : int
        Number of samples in a record, n_time, or in those of all protocols.
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
        X : array-like, shape (n_curves, n_time), or (n_curves, n_protocols, n_time)
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
        given = given_rows(self, X, reset=True)
        X = checked_rows(given, part)
        n_time = X.shape[-1]
        time = self._checked_time(n_time)
        if self.time is not None:
            check_times("X", one_protocol(given), time)
        self._record_times = time
        echoes = split_protocols(X)
        echo_indices = [
            self._echo_index(own, time, echo_time)
            for own, echo_time in zip(echoes, self._echo_times(len(echoes), X.ndim), strict=True)
        ]
        samples = [window_slice(self.window, n_time, index) for index in echo_indices]
        scales = [
            float(curve_divisors(components(own), its, self.normalisation).mean(dtype=np.float64))
            for own, its in zip(echoes, samples, strict=True)
        ]
        feature_blocks(time[samples[0]], part)  # refuses samples that do not fit the lag
        # Only the names and the number of columns: check_array would refuse complex numbers.
        validate_data(self, as_table(given), skip_check_array=True)
        self.part_, self.normalisation_, self.window_ = part, self.normalisation, self.window
        self.has_time_ = self.time is not None
        several = X.ndim > 2
        self._protocols = protocols_of(given, len(echoes)) if several else []
        self.protocols_ = [own.name for own in self._protocols]
        self.echo_index_ = echo_indices if several else echo_indices[0]
        self.samples_ = samples if several else samples[0]
        self.time_ = np.stack([time[own] for own in samples]) if several else time[samples[0]]
        self.scale_ = np.array(scales) if several else scales[0]
        return self

    def transform(self, X):
        """Return the features of curves; a row depends on no other.

        Parameters
        ----------
        X : array-like, shape (n_curves, n_time), or (n_curves, n_protocols, n_time)
            As in `fit`.

        Returns
        -------
        ndarray, shape (n_curves, n_window), or (n_curves, 2 n_window) for `both`
            Or fewer columns for `polar`, and as many for each protocol. In [0, 1]; float32 for
            complex64 and float32, else float64.
        """
        check_is_fitted(self)
        given = given_rows(self, X)
        X = checked_rows(given, self.part_)
        echoes, windows = split_protocols(X), self._windows()
        is_alike = X.ndim == 2 + bool(self.protocols_) and len(echoes) == len(windows)
        if not is_alike or X[0].size != self.n_features_in_:
            n_protocols = f" in {len(windows)} protocols" if self.protocols_ else ""
            raise InputError(
                f"X must have as many samples as in fit ({self.n_features_in_}{n_protocols}), but "
                f"has shape {X.shape}. Give whole records on the same time grid."
            )
        if self.has_time_:
            check_times("X", one_protocol(given), self._record_times)
        validate_data(self, as_table(given), reset=False, skip_check_array=True)
        found = []
        for own, (samples, time, _, _) in zip(echoes, windows, strict=True):
            signal = components(own)
            divisors = curve_divisors(signal, samples, self.normalisation_)
            found.append(Echo(*placed(signal, samples, self.window_), divisors, time))
        return joined_features(found, self.part_, self._protocols)

    def inverse_transform(self, X):
        """Return the signal on the window's grid `time_`, in the unit of M.

        Each curve's own divisor is not part of its features; the training rows' mean, `scale_`,
        stands in for it. Nor is its phase part of those of `polar`: M is then real at the echo,
        and its phase elsewhere the integral of the frequency; of a pair plus and minus that of half
        the difference, the mean being unknown. That is exact to 0.01 rad where the frequency varies
        by less than 0.05 MHz in 10 µs and was not cut. Across times at which M vanishes, as between
        the decay and the echo, the phase is not known.

        Parameters
        ----------
        X : array-like, shape (n_curves, n_features)
            Features, such as a decoder's.

        Returns
        -------
        ndarray, shape (n_curves, n_window), or (n_curves, n_protocols, n_window)
            |M|, Re M or Im M; for `both` and `polar` M itself, complex.
        """
        check_is_fitted(self)
        blocks = feature_blocks(self.time_, self.part_, self._protocols)
        X = columns_of("features", X, self.get_feature_names_out())
        check_coordinate("features", X, column_times(blocks))
        X = as_numbers(X, "features")
        n_columns = blocks[-1].columns.stop
        if np.iscomplexobj(X) or X.shape[1] != n_columns:
            raise InputError(
                f"features must be real, with {n_columns} columns for "
                f"part={part_name(self.part_)!r}, but are {X.dtype} of shape {X.shape}. Give what "
                "transform returned, or a model's reconstruction of it."
            )
        samples, times, indices, scales = zip(*self._windows(), strict=True)
        zeros = [index - own.start for index, own in zip(indices, samples, strict=True)]
        signals = signals_of(X, self.part_, times, zeros, self._protocols)
        parts = [scale * signal for scale, signal in zip(scales, signals, strict=True)]
        return np.stack(parts, axis=1) if self.protocols_ else parts[0]

    def get_feature_names_out(self, input_features=None):  # noqa: ARG002
        """Names of the columns, such as "|M|(168.1 µs)"; `input_features` is not used."""
        check_is_fitted(self)
        unit = "µs" if self.has_time_ else None
        blocks = feature_blocks(self.time_, self.part_, self._protocols)
        return np.array(column_names(blocks, unit), dtype=object)

    def _windows(self) -> list[tuple[slice, npt.NDArray[np.float64], int, float]]:
        """Samples, times, echo and scale of each protocol, or of the one there is."""
        if not self.protocols_:
            return [(self.samples_, self.time_, self.echo_index_, self.scale_)]  # type: ignore[list-item]
        fitted: Any = self.samples_, self.time_, self.echo_index_, self.scale_
        return list(zip(*fitted, strict=True))

    def _echo_times(self, n_protocols: int, n_dims: int) -> list[Any]:
        """`echo_time` of each protocol."""
        given: Any = self.echo_time
        is_list = isinstance(given, list | tuple) or getattr(given, "ndim", 0) == 1
        if not is_list:
            return [given] * n_protocols
        if n_dims == 2 or len(given) != n_protocols:
            raise InputError(
                f"echo_time must be one time, or one for each of the {n_protocols} protocols, but "
                f"holds {len(given)}. Give one number for all."
            )
        return list(given)

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

    def _echo_index(self, X: npt.NDArray, time: npt.NDArray[np.float64], echo_time: Any) -> int:
        """Sample nearest to `echo_time`, or the highest of the second half's mean |M|."""
        if echo_time is None:
            half = X.shape[1] // 2
            return half + int(np.abs(X[:, half:]).mean(axis=0, dtype=np.float64).argmax())
        # Without times, a time is the number of a sample, and has no unit.
        given, is_plain = echo_time, False
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
