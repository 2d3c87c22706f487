"""How the echoes of a design are measured."""

from typing import NamedTuple, Self

import numpy as np

from latent_nmr.errors import InputError, check_number

# Of pulse angles, either way: beyond it 150° would be more than half a turn.
MOST_ERROR = 0.2


class Conditions(NamedTuple):
    """How echoes of a design are measured.

    Attributes
    ----------
    snr : float
        Of one echo at 90° that takes all of the measuring time: |M(0)| over the standard deviation
        of the noise of one column.
    phase : bool
        Whether phase and carrier are trusted.
    flip_error : float
        Pulses turn spins by 1 + flip_error times the angle that they are taken for.
    """

    snr: float
    phase: bool
    flip_error: float

    @classmethod
    def of(cls, snr: float, phase: bool, flip_error: float) -> Self:
        """Checked."""
        if not isinstance(phase, bool | np.bool_):
            raise InputError(f"phase must be True or False, but is {phase!r}. Choose one.")
        check_number("flip_error", flip_error, at_least=-MOST_ERROR, at_most=MOST_ERROR)
        return cls(check_number("snr", snr, above=0), bool(phase), float(flip_error))
