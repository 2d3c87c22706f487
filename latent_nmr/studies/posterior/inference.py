"""What one material is, given one echo or several of it."""

import math
from collections.abc import Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latent_nmr.errors import InputError, check_count, check_number
from latent_nmr.studies.posterior._echoes import OUTSIDE, Echo, Settings, open_all
from latent_nmr.studies.posterior._inference import Inference

if TYPE_CHECKING:
    import xarray as xr

# A million draws of all columns are 100 MB.
MOST_DRAWS, MOST_SEED = 1_000_000, 2**32 - 1
# What `measure` takes and posteriors have no use for, or have from elsewhere.
NOT_MEASURING = {"measurements", "model", "m0", "seed", "progress"}
# Echoes of one material are of one pulse separation, and so of one scale of frequencies.
FACTOR_SLACK = 0.01


def infer(
    echoes: "Path | str | xr.Dataset | Sequence[Path | str | xr.Dataset]",
    model: Any = None,
    *,
    flip_angle_deg: "float | Sequence[float] | None" = None,
    snr: float | None = None,
    phase: bool = False,
    curve: int = 0,
    anyway: bool = False,
    n_draws: int = 4000,
    random_state: int = 0,
    **measuring: Any,
) -> Inference:
    """Posterior of a material given one echo, or several that are all of it.

    Parameters
    ----------
    echoes : path-like, xarray.Dataset, or sequence of them
        Data sets of echoes, of which one curve is taken as a whole record, or files that
        :func:`latent_nmr.open_measurement` reads, of which |M| about the top of the echo is taken.
        A data set with several protocols has an echo for each.
    model : EchoPosterior or path-like, optional
        By default that of the package for such echoes.
    flip_angle_deg : float or sequence of float, optional
        θ of the first pulse, degrees, of all echoes or of each; by default what the data say, and
        90 of measured files.
    snr : float, optional
        As of :meth:`latent_nmr.EchoPosterior.sample`; by default it is found.
    phase : bool
        Whether the phase of whole records is trusted.
    curve : int
        Number, from 0, of the curve or record.
    anyway : bool
        Take echoes whose verdict is OUTSIDE.
    n_draws : int
    random_state : int
        Of draws, and of the simulated echoes that the verdict compares with.
    **measuring
        Of :func:`latent_nmr.measure`, for measured files: `pulse_separation` (µs), `opening`, ….

    Returns
    -------
    Inference

    Raises
    ------
    InputError
        If an echo is OUTSIDE, or cannot be used.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> ds = ln.simulate("challenge2021-spin", n_curves=2, n_edge=8)
    >>> r = ln.infer(ds, "posterior", curve=1, snr=100, anyway=True)
    >>> list(r.table.index[:4])
    ['alpha_x', 'alpha_z', 'W', 'L']
    """
    check_count("n_draws", n_draws, at_least=100, at_most=MOST_DRAWS)
    check_count("random_state", random_state, at_least=0, at_most=MOST_SEED)
    given = [echoes] if isinstance(echoes, str | Path) or hasattr(echoes, "data_vars") else echoes
    if not isinstance(given, Sequence) or not given:
        raise InputError(
            f"echoes must be a path, a data set, or a sequence of them, but is {echoes!r:.60}. "
            "Give at least one."
        )
    _check_settings(snr, measuring)
    angles = _for_each("flip_angle_deg", flip_angle_deg, len(given))
    found = []
    for one, angle in zip(given, angles, strict=True):
        settings = Settings(model, angle, snr, phase, curve, measuring, random_state)
        found += open_all(one, settings)
    _check(found, anyway=anyway)
    return Inference(found, n_draws, random_state)


def _check_settings(snr: Any, measuring: Mapping[str, Any]) -> None:
    """Refuse a signal-to-noise ratio that is none, and what no measured file takes."""
    from latent_nmr.studies.measurement import measure

    if snr is not None and snr != math.inf:
        check_number("snr", snr, above=0)
    known = signature(measure).parameters.keys() - NOT_MEASURING
    for name in measuring.keys() - known:
        raise InputError(
            f"settings of measured files must be {', '.join(sorted(known))}, but one is {name}. "
            "Leave it out."
        )


def _for_each(name: str, value: Any, n_echoes: int) -> list[Any]:
    """One value for each echo."""
    if isinstance(value, str):
        raise InputError(f"{name} must be a number, but is the text {value!r}. Give a number.")
    values = [value] * n_echoes if np.ndim(value) == 0 else list(value)
    if len(values) == 1:
        values *= n_echoes
    if len(values) != n_echoes:
        raise InputError(
            f"{name} must be one number, or one for each of the {n_echoes} echoes, but has "
            f"{len(values)}. Give one for each."
        )
    return values


def _check(echoes: Sequence[Echo], *, anyway: bool) -> None:
    """Refuse echoes that are of no simulated kind, and echoes that cannot be of one material."""
    for echo in echoes:
        if echo.verdict == OUTSIDE and not anyway:
            raise InputError(
                f"an echo must be like simulated ones for its posterior to mean anything, but of "
                f"{echo.name} the verdict is OUTSIDE. {echo.reason} Pass anyway=True to have it "
                "all the same."
            )
    for number, echo in enumerate(echoes):
        if any(np.array_equal(echo.row, other.row) for other in echoes[:number]):
            raise InputError(
                f"echoes that are combined must be measured one by one, but {echo.name} is there "
                "twice. Give it once."
            )
    factors = [echo.time_factor for echo in echoes]
    if max(factors) > (1 + FACTOR_SLACK) * min(factors):
        raise InputError(
            "echoes of one material must have one pulse separation, but times are multiplied by "
            f"{', '.join(f'{factor:.4g}' for factor in factors)} for the model. Infer them one by "
            "one."
        )
    if any(echo.model.prior_ != echoes[0].model.prior_ for echo in echoes):
        raise InputError(
            "models of echoes that are combined must have one prior, but theirs differ. Give one "
            "model."
        )
