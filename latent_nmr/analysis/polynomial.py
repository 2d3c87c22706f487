r"""Curves as piecewise cubics: the multi-scale polynomial features of [P].

A window is cut into n sections of consecutive samples, once for each n, and a cubic in
:math:`x = t - \bar t` is fitted to each section, :math:`\bar t` being the mean time of the section
(µs). The coefficient of :math:`x^k` in section s of n is the feature ``n{n}_s{s}_c{k}``, in units
of the signal per µs^k; sections and powers are counted from 0. [P]: A. Rao et al., Phys. Rev.
Research 5, 043098 (2023), Fig. 7.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from latent_nmr._columns import columns_of, rows_of
from latent_nmr._times import interval
from latent_nmr.errors import InputError, check_count

# Of the set of [P], µs.
SAMPLE_INTERVAL = 1 / (2 * math.pi)


class Section(NamedTuple):
    """One piece of the window.

    Attributes
    ----------
    n_sections : int
        Of how many.
    number : int
        Which, from 0.
    samples : slice
    """

    n_sections: int
    number: int
    samples: slice


class SectionPolynomials(TransformerMixin, BaseEstimator):
    """Coefficients of least-squares polynomials on the sections of a window.

    The fit of all sections of all curves is one matrix product. It is done in float64; the result
    has the dtype of the curves. Sections are those of `numpy.array_split`: where n does not divide
    the number of samples, the first ones are a sample longer.

    Parameters
    ----------
    sections : sequence of int, default=(4, 5, 10)
        Numbers of sections, each of which divides the window once.
    degree : int, default=3
        Of the polynomials.
    sample_interval : float, default=1/(2π)
        Between samples: a number of µs, from 0.001 to 100, or a time with a unit of its own.

    Attributes
    ----------
    sections_ : list of Section
        In the order of the features.
    weights_ : ndarray, shape (n_samples, n_features_out)
        What curves are multiplied by.
    degree_, sample_interval_ : int, float
        Those of the fit; `set_params` changes the next one.
    n_features_in_ : int

    References
    ----------
    A. Rao et al., Phys. Rev. Research 5, 043098 (2023), Fig. 7. Its text names 3, 5 and 10
    sections, its figures 4, 5 and 10.

    Examples
    --------
    >>> import numpy as np
    >>> import latent_nmr as ln
    >>> X = np.linspace(0, 1, 40)[np.newaxis] ** [[1], [2]]
    >>> polynomials = ln.SectionPolynomials(sections=(2, 4), degree=2).fit(X)
    >>> polynomials.transform(X).shape  # 2 + 4 sections, 3 coefficients each
    (2, 18)
    """

    def __init__(self, sections=(4, 5, 10), *, degree=3, sample_interval=SAMPLE_INTERVAL):
        self.sections = sections
        self.degree = degree
        self.sample_interval = sample_interval

    def fit(self, X, y=None):  # noqa: ARG002
        """Work out the weights for windows as long as those of `X`, (n_curves, n_samples)."""
        counts = self._checked_sections()
        check_count("degree", self.degree, at_least=0)
        spacing = interval("sample_interval", self.sample_interval)
        X = rows_of(self, X, reset=True)
        X = validate_data(self, X, dtype=(np.float64, np.float32))
        n_samples = X.shape[1]
        shortest = n_samples // max(counts)
        if shortest <= self.degree:
            raise InputError(
                f"every section must have more samples than the degree ({self.degree}), but "
                f"{max(counts)} sections of {n_samples} samples have {shortest}. Use fewer "
                "sections, or a longer window."
            )
        self.sections_ = [section for count in counts for section in cut(n_samples, count)]
        self.degree_, self.sample_interval_ = self.degree, spacing
        weights = np.zeros((n_samples, len(self.sections_) * (self.degree + 1)))
        for place, section in enumerate(self.sections_):
            columns = slice(place * (self.degree + 1), (place + 1) * (self.degree + 1))
            weights[section.samples, columns] = np.linalg.pinv(self._powers(section)).T
        self.weights_ = weights
        return self

    def transform(self, X):
        """Coefficients of every curve, shape (n_curves, n_features_out)."""
        check_is_fitted(self)
        X = validate_data(self, rows_of(self, X), reset=False, dtype=(np.float64, np.float32))
        return (X.astype(np.float64, copy=False) @ self.weights_).astype(X.dtype, copy=False)

    def inverse_transform(self, Z, *, sections=None):
        """Piecewise polynomial curves of coefficients `Z`.

        Parameters
        ----------
        Z : array-like, shape (n_curves, n_features_out)
        sections : int, optional
            Which division to draw the curves from; without it, the finest.

        Returns
        -------
        ndarray, shape (n_curves, n_samples)

        Raises
        ------
        InputError
            For another number of columns, or sections that were not fitted.
        """
        check_is_fitted(self)
        Z = columns_of("Z", Z, self.get_feature_names_out())
        Z = check_array(Z, dtype=(np.float64, np.float32), input_name="Z")
        if Z.shape[1] != self.weights_.shape[1]:
            raise InputError(
                f"Z must have one column per coefficient ({self.weights_.shape[1]}), but has shape "
                f"{Z.shape}. Give what transform returns."
            )
        counts = sorted({section.n_sections for section in self.sections_})
        chosen = counts[-1] if sections is None else sections
        if chosen not in counts:
            raise InputError(
                f"sections must be one of {', '.join(map(str, counts))}, but is {sections!r}. "
                "Fit with it first."
            )
        curves = np.empty((len(Z), self.n_features_in_), Z.dtype)
        for place, section in enumerate(self.sections_):
            if section.n_sections == chosen:
                columns = slice(place * (self.degree_ + 1), (place + 1) * (self.degree_ + 1))
                curves[:, section.samples] = Z[:, columns] @ self._powers(section).T
        return curves

    def get_feature_names_out(self, input_features=None):  # noqa: ARG002
        """Names of the coefficients: ``n4_s1_c0`` is the constant of the second of 4 sections."""
        check_is_fitted(self)
        names = [
            f"n{section.n_sections}_s{section.number}_c{power}"
            for section in self.sections_
            for power in range(self.degree_ + 1)
        ]
        return np.asarray(names, dtype=object)

    def _checked_sections(self) -> list[int]:
        given = self.sections
        if isinstance(given, str) or not isinstance(given, Sequence | np.ndarray) or not len(given):
            raise InputError(
                f"sections must be a list of numbers, but is {given!r}. Give (4, 5, 10)."
            )
        counts = [check_count("sections", count) for count in given]
        if len(set(counts)) < len(counts):
            raise InputError(
                f"sections must name each number once, but is {tuple(counts)}. Drop the repetition."
            )
        return counts

    def _powers(self, section: Section) -> np.ndarray:
        """x^0 … x^degree at the samples of a section, shape (n_section, degree + 1); x in µs."""
        samples = np.arange(section.samples.start, section.samples.stop)
        x = (samples - samples.mean()) * self.sample_interval_
        return np.vander(x, self.degree_ + 1, increasing=True)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def cut(n_samples: int, n_sections: int) -> list[Section]:
    """Cut a window into consecutive sections, as `numpy.array_split` does."""
    pieces = np.array_split(np.arange(n_samples), n_sections)
    return [
        Section(n_sections, number, slice(int(piece[0]), int(piece[-1]) + 1))
        for number, piece in enumerate(pieces)
    ]
