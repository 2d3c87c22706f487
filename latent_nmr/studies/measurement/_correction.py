"""What simulated measurements say of a model's p-values and ellipses, and their correction.

The echoes that a record is compared with are disturbed in one step; a record goes through a whole
preparation, which finds its carrier, noise and offset with errors of its own. What that changes is
measured: simulated measurements of known truth are judged, and later ones are ranked among them.
Such a rank is uniform whatever the p-value was, and ellipses so widened hold the truth as often as
they claim (split conformal prediction: V. Vovk, A. Gammerman and G. Shafer, Algorithmic Learning in
a Random World, Springer (2005), section 4.1), for records of the kind that was simulated.
"""

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from latent_nmr._files import write_json
from latent_nmr._regular import regular
from latent_nmr.errors import InputError

CORRECTION_FILE = "correction.json"
FORMAT, VERSION = "latent_nmr.measurement_correction", 1
# Fewer records between two SNR say too little of 95 %.
LEAST_RECORDS = 60
WIDTHS = (0.01, 0.99)


@dataclass(frozen=True, eq=False)
class Correction:
    """p-values of simulated measurements, and factors of the radii of ellipses.

    Attributes
    ----------
    p_values : ndarray, shape (n_records,)
        Of the records that were tested, rising.
    snr_edges : ndarray, shape (n_bins + 1,)
        Records below the first or above the last belong to the nearest bin.
    radius_factors : ndarray, shape (n_bins, n_pairs, 2)
        Of the pairs of axes, at 68 and at 95 %.
    widths : (float, float)
        Of their echoes as the preparation finds them, µs of the model: 98 % lie between.
    """

    p_values: npt.NDArray[np.float64]
    snr_edges: npt.NDArray[np.float64]
    radius_factors: npt.NDArray[np.float64]
    widths: tuple[float, float]

    @classmethod
    def of(
        cls,
        p_values: npt.ArrayLike,
        snr: npt.ArrayLike,
        ratios: npt.ArrayLike,
        parts: npt.ArrayLike,
        snr_edges: npt.ArrayLike,
        widths: npt.ArrayLike,
    ) -> Self:
        """From records of known truth.

        Parameters
        ----------
        p_values : array-like, shape (n_records,)
            NaN of those that were not tested.
        snr : array-like, shape (n_points,)
            Of the records that have a point.
        ratios : array-like, shape (n_points, n_pairs, n_parts)
            Distance of the noise-free point over the radius of each ellipse.
        parts : array-like, shape (n_parts,)
            Probabilities that the ellipses state.
        snr_edges : array-like, shape (n_bins + 1,)
        widths : array-like
            Of any of the records, µs of the model.

        Raises
        ------
        InputError
            If there are fewer than LEAST_RECORDS in a bin.
        """
        tested = np.asarray(p_values, np.float64)
        tested = np.sort(tested[np.isfinite(tested)])
        edges, ratios = np.asarray(snr_edges, np.float64), np.asarray(ratios, np.float64)
        bins = _bins(np.asarray(snr, np.float64), edges)
        factors = []
        for number, (low, high) in enumerate(pairwise(edges)):
            own = ratios[bins == number]
            if len(own) < LEAST_RECORDS:
                raise InputError(
                    f"a correction needs {LEAST_RECORDS} records of SNR {low:g} to {high:g}, but "
                    f"has {len(own)}. Simulate more of them."
                )
            # A further one lies below the k-th of n with probability k/(n + 1).
            ranks = np.ceil(np.asarray(parts, np.float64) * (len(own) + 1)).astype(int)
            rising = np.sort(own, axis=0)
            last = np.minimum(ranks, len(own)) - 1
            factors.append(np.stack([rising[k, :, n] for n, k in enumerate(last)], axis=-1))
        narrowest, widest = np.quantile(np.asarray(widths, np.float64), WIDTHS).tolist()
        return cls(tested, edges, np.stack(factors), (narrowest, widest))

    def p_value(self, found: float) -> float:
        """How often a simulated measurement has a p-value as low, counting this one."""
        n_lower = int(np.searchsorted(self.p_values, found, side="right"))
        return (1 + n_lower) / (1 + len(self.p_values))

    def factors(self, snr: float) -> npt.NDArray[np.float64]:
        """Factors of the radii at this SNR, shape (n_pairs, 2)."""
        return self.radius_factors[int(_bins(np.array([snr]), self.snr_edges)[0])]

    def save(self, path: Path) -> None:
        """Write a file."""
        entries = {
            "p_values": self.p_values.round(6),
            "snr_edges": self.snr_edges,
            "radius_factors": self.radius_factors.round(4),
        }
        kept = {name: values.tolist() for name, values in entries.items()}
        widths = [round(own, 3) for own in self.widths]
        write_json(path, {"format": FORMAT, "version": VERSION, **kept, "widths": widths})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file that :meth:`save` wrote."""
        try:
            kept: dict[str, Any] = json.loads(regular(path).read_text("utf-8"))
            if (kept["format"], kept["version"]) != (FORMAT, VERSION):
                raise ValueError(f"it says {kept['format']}, {kept['version']}")
            names = ("p_values", "snr_edges", "radius_factors")
            p_values, edges, factors = (np.asarray(kept[name], np.float64) for name in names)
            is_whole = p_values.ndim == 1 and factors.ndim == 3 and len(edges) == len(factors) + 1
            if not is_whole or not all(np.isfinite(own).all() for own in (p_values, factors)):
                raise ValueError("its entries do not belong together")
            narrowest, widest = map(float, kept["widths"])
            return cls(p_values, edges, factors, (narrowest, widest))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"the correction of a model must be as it was written, but {path} cannot be read "
                f"({error}). Copy the model's whole folder again, or leave that file out."
            ) from error


def _bins(snr: npt.NDArray[np.float64], edges: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Number of the bin of each SNR."""
    return np.clip(np.searchsorted(edges, snr, side="right") - 1, 0, len(edges) - 2)
