"""The prior of the parameters, and coordinates in which it is a standard normal.

α_x = α_y and α_z in MHz are uniform where W = 2 α_x + α_z lies in its range, and the kernel's
parameter is uniform in its own: the law of A. Rao et al., Phys. Rev. Research 5, 043098 (2023).
Each is mapped to its quantile, α_z to that given α_x, and from there to a normal score. In these
coordinates u the prior is N(0, 1), a posterior that knows nothing is N(0, 1), and every u is a
material that the prior allows: no mass leaks out of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from latent_nmr.errors import InputError

FloatArray = npt.NDArray[np.float64]

# Quantiles nearer to the ends would be normal scores that single precision and a Gaussian strain.
LEAST_QUANTILE = 1e-6
# By how much values may lie beyond the prior: single precision, and text with six digits.
SLACK = 1e-5


class Materials(NamedTuple):
    """Parameters of materials, arrays of one shape.

    Attributes
    ----------
    kernel : ndarray of int
        Number of the kernel in `Prior.kernels`.
    alpha_x, alpha_z : ndarray
        MHz.
    kernel_parameter : ndarray
        ξ or γ in lattice constants, or p.
    """

    kernel: npt.NDArray[np.int64]
    alpha_x: FloatArray
    alpha_z: FloatArray
    kernel_parameter: FloatArray

    @property
    def W(self) -> FloatArray:  # noqa: N802
        """W = 2 α_x + α_z, MHz."""
        return 2 * self.alpha_x + self.alpha_z

    def rows(self, part: Any) -> "Materials":
        """Those that `part` indexes."""
        numbers = self.alpha_x[part], self.alpha_z[part], self.kernel_parameter[part]
        return Materials(self.kernel[part], *numbers)


@dataclass(frozen=True)
class Prior:
    """Uniform couplings where W is in its range; every kernel as likely as the others.

    Parameters
    ----------
    kernel_ranges : mapping of str to (float, float)
        Range of each kernel's parameter.
    coupling_range, strength_range : (float, float)
        Of α_x and α_z, and of W, MHz.
    """

    kernel_ranges: Mapping[str, tuple[float, float]] = field(
        default_factory=lambda: {"gaussian": (8.0, 32.0), "power": (1.0, 3.0), "rkky": (13.0, 52.0)}
    )
    coupling_range: tuple[float, float] = (0.01, 0.1)
    strength_range: tuple[float, float] = (0.1, 0.3)

    @property
    def kernels(self) -> tuple[str, ...]:
        """Names of the kernels, in the order of their numbers."""
        return tuple(self.kernel_ranges)

    def scores(self, materials: Materials) -> FloatArray:
        """Normal scores u of materials, shape (..., 3): of α_x, of α_z given it, of the parameter.

        Raises
        ------
        InputError
            For a material that the prior does not allow.
        """
        self._check(materials)
        low, high = self._bounds_of(materials.kernel)
        first, last = self.along(materials.alpha_x)
        quantiles = (
            self._quantile(materials.alpha_x),
            (materials.alpha_z - first) / np.maximum(last - first, np.finfo(float).tiny),
            (materials.kernel_parameter - low) / (high - low),
        )
        stacked = np.stack(np.broadcast_arrays(*quantiles), axis=-1)
        return ndtri(np.clip(stacked, LEAST_QUANTILE, 1 - LEAST_QUANTILE))

    def materials(self, kernel: npt.NDArray[np.int64], scores: npt.ArrayLike) -> Materials:
        """Materials of a kernel's number, shape (...), and normal scores u, shape (..., 3)."""
        quantiles = ndtr(np.asarray(scores, np.float64))
        alpha_x = self._of_quantile(quantiles[..., 0])
        first, last = self.along(alpha_x)
        low, high = self._bounds_of(kernel)
        return Materials(
            kernel,
            alpha_x,
            first + (last - first) * quantiles[..., 1],
            low + (high - low) * quantiles[..., 2],
        )

    def log_density(self, kernel: npt.NDArray[np.int64]) -> FloatArray:
        """log p(α_x, α_z, parameter | kernel), uniform, for α in MHz."""
        low, high = self._bounds_of(kernel)
        return -np.log(self._areas[-1]) - np.log(high - low)

    def log_density_of_scores(self, scores: npt.ArrayLike) -> FloatArray:
        """log p(kernel, u), shape (...), for scores of shape (..., 3) and any kernel."""
        own = np.asarray(scores, np.float64)
        constant = 1.5 * np.log(2 * np.pi) + np.log(len(self.kernels))
        return -0.5 * (own**2).sum(axis=-1) - constant

    def leaked(self, materials: Materials) -> float:
        """Part of materials that the prior does not allow."""
        within = [_is_within(*own) for _, *own in self._limits(materials)]
        return float(1 - np.mean(np.logical_and.reduce(np.broadcast_arrays(*within))))

    def draw(self, n_draws: int, random_state: np.random.RandomState) -> Materials:
        """Draw materials."""
        kernel = random_state.randint(len(self.kernels), size=n_draws)
        return self.materials(kernel, random_state.standard_normal((n_draws, 3)))

    def along(self, alpha_x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Least and largest α_z for given α_x, MHz."""
        (low, high), (weakest, strongest) = self.coupling_range, self.strength_range
        first = np.maximum(low, weakest - 2 * alpha_x)
        return first, np.maximum(np.minimum(high, strongest - 2 * alpha_x), first)

    def as_entries(self) -> dict[str, Any]:
        """The prior as JSON holds it."""
        return {
            "kernel_ranges": {name: list(ends) for name, ends in self.kernel_ranges.items()},
            "coupling_range": list(self.coupling_range),
            "strength_range": list(self.strength_range),
        }

    @cached_property
    def _knots(self) -> FloatArray:
        """α_x between which the width of the range of α_z is a straight line."""
        (low, high), (weakest, strongest) = self.coupling_range, self.strength_range
        bends = [(end - other) / 2 for end in (weakest, strongest) for other in (low, high)]
        return np.unique([low, *(bend for bend in bends if low < bend < high), high])

    @cached_property
    def _widths(self) -> FloatArray:
        first, last = self.along(self._knots)
        return last - first

    @cached_property
    def _areas(self) -> FloatArray:
        """Area of allowed (α_x, α_z) up to each knot, MHz²."""
        steps = np.diff(self._knots) * (self._widths[1:] + self._widths[:-1]) / 2
        areas = np.concatenate([[0.0], np.cumsum(steps)])
        if not areas[-1] > 0:
            raise InputError(
                "strength_range must allow some couplings, but none in "
                f"{self.coupling_range} MHz has W in {self.strength_range} MHz. Widen it."
            )
        return areas

    def _pieces(self, place: npt.NDArray[np.int64]) -> tuple[FloatArray, FloatArray, FloatArray]:
        """First knot, width there and slope of the width, of pieces."""
        slopes = np.diff(self._widths) / np.diff(self._knots)
        return self._knots[place], self._widths[place], slopes[place]

    def _quantile(self, alpha_x: FloatArray) -> FloatArray:
        """Share of the prior below α_x."""
        inner = self._knots[1:-1]
        place = np.searchsorted(inner, alpha_x, side="right")
        start, width, slope = self._pieces(place)
        step = alpha_x - start
        return (self._areas[place] + step * (width + slope * step / 2)) / self._areas[-1]

    def _of_quantile(self, quantile: FloatArray) -> FloatArray:
        area = quantile * self._areas[-1]
        place = np.searchsorted(self._areas[1:-1], area, side="right")
        start, width, slope = self._pieces(place)
        rest = area - self._areas[place]
        # The root of width d + slope d²/2 = rest that needs no difference of equal numbers.
        root = np.sqrt(np.maximum(width**2 + 2 * slope * rest, 0))
        step = 2 * rest / np.maximum(width + root, np.finfo(float).tiny)
        return np.clip(start + step, *self.coupling_range)

    def _bounds_of(self, kernel: npt.NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
        ends = np.array(list(self.kernel_ranges.values()), np.float64)
        return ends[kernel, 0], ends[kernel, 1]

    def _check(self, materials: Materials) -> None:
        """Refuse a material that is not allowed."""
        for name, values, least, most in self._limits(materials):
            is_inside = _is_within(values, least, most)
            if not np.all(is_inside):
                row = int(np.argmin(is_inside))
                ends = [
                    float(np.broadcast_to(end, values.shape).flat[row]) for end in (least, most)
                ]
                raise InputError(
                    f"{name} must lie within the prior, {ends[0]:g} to {ends[1]:g}, but is "
                    f"{np.ravel(values)[row]:g} in row {row} ({int((~is_inside).sum())} such "
                    "rows). Drop these rows, or give a prior that holds them."
                )

    def _limits(self, materials: Materials) -> list[tuple[str, FloatArray, Any, Any]]:
        """Name, values, and least and largest that are allowed, of what has limits."""
        return [
            ("alpha_x", materials.alpha_x, *self.coupling_range),
            ("alpha_z", materials.alpha_z, *self.coupling_range),
            ("W", materials.W, *self.strength_range),
            ("kernel_parameter", materials.kernel_parameter, *self._bounds_of(materials.kernel)),
        ]


def _is_within(values: FloatArray, least: Any, most: Any) -> npt.NDArray[np.bool_]:
    slack = SLACK * (np.asarray(most) - np.asarray(least))
    return (values >= least - slack) & (values <= most + slack)


def as_materials(prior: Prior, y: Any) -> Materials:
    """Materials from a data set, data frame or mapping with the labels of curves, one per row.

    Parameters
    ----------
    prior : Prior
    y : mapping
        `kernel` (names), `alpha_x`, `alpha_z` (MHz) and `kernel_parameter`, each (n_rows,).

    Raises
    ------
    InputError
        If one is missing, a kernel is not the prior's, or a number is not finite.
    """
    columns = {}
    for name in Materials._fields:
        try:
            columns[name] = np.asarray(y[name])
        except (KeyError, TypeError, IndexError, ValueError):
            raise InputError(
                f"y must have {', '.join(Materials._fields)} of every row, but {name} is missing. "
                "Give the data set of the curves, or a data frame with these columns."
            ) from None
    codes = kernel_numbers(prior, columns.pop("kernel"))
    numbers = [np.asarray(columns[name], np.float64) for name in Materials._fields[1:]]
    for name, values in zip(Materials._fields[1:], numbers, strict=True):
        if not np.isfinite(values).all():
            row = int(np.argmin(np.isfinite(values)))
            raise InputError(
                f"{name} must be finite, but is {values[row]} in row {row}. Drop such rows."
            )
    return Materials(codes, *numbers)


def kernel_numbers(
    prior: Prior, names: npt.ArrayLike, n_rows: int | None = None
) -> npt.NDArray[np.int64]:
    """Numbers of kernels in a prior, of the shape of their names, or one for each of `n_rows`.

    Raises
    ------
    InputError
        For a kernel that the prior does not have, or too few of them.
    """
    own = np.asarray(names).astype(str)
    unknown = sorted(set(own.ravel().tolist()) - set(prior.kernels))
    if unknown:
        raise InputError(
            f"kernel must be one of {', '.join(prior.kernels)}, but some rows have {unknown[0]!r}. "
            "Drop these rows, or give a prior that holds them."
        )
    codes = np.argmax(own[..., None] == np.array(prior.kernels), axis=-1)
    if n_rows is None:
        return codes.astype(np.int64)
    if codes.shape not in ((), (n_rows,)):
        raise InputError(
            f"kernel must be one name, or one for each of the {n_rows} rows, but has shape "
            f"{codes.shape}. Give one name for all."
        )
    return np.broadcast_to(codes, (n_rows,)).astype(np.int64)
