"""The design after echoes whose posterior was inferred."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from latent_nmr.data.record_rows import BLOCK
from latent_nmr.models.posterior.receiver import RECORD, SNR_RANGES, SPECTROMETER
from latent_nmr.studies.design._result import DesignResult
from latent_nmr.studies.design._study import DEFAULT_CANDIDATES, design

if TYPE_CHECKING:
    from latent_nmr.studies.posterior import Inference

# A model of the package for further echoes, which are simulated as whole records.
FURTHER = "posterior"


def next_design(
    found: "Inference",
    *,
    candidates: Iterable[str] = DEFAULT_CANDIDATES,
    phase: bool = False,
    n_materials: int = 24,
    seed: int = 0,
    **how: Any,
) -> DesignResult:
    """What to measure after the echoes of an inference, at the noise of the last of them.

    Parameters
    ----------
    found : Inference
    candidates : iterable of str
    phase : bool
        Whether phase and carrier of the further echo will be known.
    n_materials : int
    seed : int
    **how
        Further arguments of :func:`latent_nmr.design`.

    Returns
    -------
    DesignResult
    """
    last = found.echoes[-1]
    is_record = last.model.shape_.receiver == RECORD
    return design(
        last.model if is_record else FURTHER,
        found.echoes,
        candidates=candidates,
        snr=float(np.clip(_snr_at_90(last), *SNR_RANGES[RECORD])),
        phase=phase,
        n_materials=n_materials,
        seed=seed,
        **how,
    )


def _snr_at_90(echo: Any) -> float:
    """|M(0)| after 90° over the noise of one column of a whole record.

    Of a measured echo |M(0)| is not known: it is taken for as high as the echo, which it exceeds.
    """
    if echo.model.shape_.receiver == SPECTROMETER:
        return echo.snr * np.sqrt(BLOCK)
    return echo.snr / np.sin(np.radians(echo.flip_angle_deg))
