"""Whether data are a record in time or a spectrum: what the file says, held against the data."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latent_nmr.data.measured.reading import ComplexArray, Domain
from latent_nmr.data.measured.steps import Step

# Power before the end of what was acquired, over that behind it, in the transform of a spectrum
# that was filled with zeros: rounding in single precision leaves over 1e4.
EDGE = 1e3
UNEVEN = 100.0  # of powers that are alike
# Power of rounding over that of a signal: 1e-15 in single precision. Noise at an SNR of 1000 has
# over 1e-7.
ROUNDING = 1e-11
# Part of the energy that is in the first eighth: at least so much of a record in time, and less of
# a spectrum with its lines away from its edge.
EARLY_SHARE = 0.2
# Height of the first samples over the highest: a record begins with its signal, a spectrum not.
ONSET = 0.2
# No spectrum has this many times the points that were acquired.
MOST_ZERO_FILLING = 16
# Energy at the end of a record over that at its beginning, if it runs backwards.
MUCH_STRONGER = 3.0
MIN_POINTS = 64  # fewer do not show what they are


@dataclass(frozen=True)
class Evidence:
    """What data say about themselves.

    Attributes
    ----------
    early_share : float
        Part of the energy in the first eighth of the points.
    onset : float
        Largest of the first four magnitudes, over the largest of all.
    edge : float
        Power before over power behind the end of the acquisition, in the inverse transform.
    sign : {1, -1}
        1 if numpy's inverse transform begins at the first point, -1 if its forward one does.
    filled_from : int, optional
        Points of the inverse transform before zeros begin; None if none do.
    """

    early_share: float
    onset: float
    edge: float
    sign: int
    filled_from: int | None


def evidence(data: ComplexArray) -> Evidence:
    """What the rows of `data`, shape (n_records, n_points), say together."""
    power = (np.abs(data) ** 2).sum(axis=0)
    n_points = len(power)
    height = np.sqrt(power)
    inverses = {sign: (np.abs(inverse_transform(data, sign)) ** 2).sum(axis=0) for sign in (1, -1)}
    edge, filled_from, sign = max(
        (_edge(inverse, n_points // part), n_points // part, sign)
        for sign, inverse in inverses.items()
        for part in (2, 4, 8)
    )
    if edge <= EDGE:
        filled_from, sign = None, -1 if _runs_backwards(inverses[1]) else 1
    return Evidence(
        early_share=float(power[: n_points // 8].sum() / power.sum()),
        onset=float(height[:4].max() / height.max()),
        edge=edge,
        sign=sign,
        filled_from=filled_from,
    )


def inverse_transform(data: ComplexArray, sign: int) -> ComplexArray:
    """Records in time of spectra whose zero of frequency is in the middle."""
    shifted = np.fft.ifftshift(data, axes=-1)
    if sign > 0:
        return np.fft.ifft(shifted, axis=-1)
    return np.fft.fft(shifted, axis=-1) / data.shape[-1]


def to_time(
    data: ComplexArray, said: Domain, may_doubt: bool, acquired: int | None
) -> tuple[ComplexArray, tuple[Step, ...]]:
    """Records in time, and what was decided and done; a plain record in time gives no step."""
    n_points = data.shape[-1]
    if (not may_doubt and said == "time") or n_points < MIN_POINTS:
        return data, ()
    found = evidence(data)
    is_spectrum = _is_spectrum(found, said, may_doubt, n_points / (acquired or n_points))
    numbers = {"said": said, "early_share": found.early_share, "edge": found.edge}
    if not is_spectrum:
        if said == "time":
            return data, ()
        detail = (
            "The file says that it holds a spectrum, but its data are a record in time: "
            f"{found.early_share:.0%} of the energy is in the first eighth. Taken as they are."
        )
        return data, (Step("domain", detail, {**numbers, "found": "time"}),)
    length = min(found.filled_from or n_points, acquired or n_points)
    signal = inverse_transform(data, found.sign)[..., :length]
    doubt = "" if said == "spectrum" else ", against what the file says"
    detail = f"The data are a spectrum{doubt}: transformed back to {length} points in time."
    numbers = {**numbers, "found": "spectrum", "sign": found.sign, "points": length}
    return signal, (Step("domain", detail, numbers),)


def _is_spectrum(found: Evidence, said: Domain, may_doubt: bool, times_acquired: float) -> bool:
    """Whether data are a spectrum; what the file says counts where they leave it open."""
    has_edge = found.filled_from is not None
    if not may_doubt:
        return said == "spectrum"
    if said == "time":
        # Analytic records have such an end, too, but begin with their signal.
        return has_edge and found.onset < ONSET
    if has_edge:
        return True
    if times_acquired > MOST_ZERO_FILLING:
        return False
    return not (found.early_share >= EARLY_SHARE and found.onset >= ONSET)


def _runs_backwards(power: npt.NDArray[np.float64]) -> bool:
    """Whether a record ends where it should begin: its last eighth is the strongest."""
    parts = [part.sum() for part in np.array_split(power[1:], 8)]
    return parts[-1] == max(parts) and parts[-1] > MUCH_STRONGER * parts[0]


def _edge(inverse: npt.NDArray[np.float64], end: int) -> float:
    """How many times weaker the power is behind the first `end` points than just before.

    It is as weak everywhere behind as rounding is, weaker than any noise, and as strong a little
    before: the wing of a line without noise falls all the way, and a narrow line stands alone.
    """
    width = max(end // 16, 2)
    before = inverse[end - width : end].mean()
    further = inverse[end - 2 * width : end - width].mean()
    parts = [part.mean() for part in np.array_split(inverse[end:], 4)]
    rounding = max(np.finfo(np.float64).eps ** 2 * inverse.max(), np.finfo(np.float64).tiny)
    is_rounding = max(parts) <= ROUNDING * inverse.mean()
    is_alike = before / UNEVEN <= further <= UNEVEN * before
    if not (is_rounding and is_alike):
        return 0.0
    return float(before / max(*parts, rounding))
