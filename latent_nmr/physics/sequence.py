"""Pulse sequences: the sampling of the record, and ideal pulses at some of the samples.

A pulse rotates as ds/dt = s × b with b along its axis, so 90° about x takes +z to +y and the
echo is positive in Im M⁺. A sample at a pulse's time is taken just after it. Angles in
radians, time in µs.
"""

import copy
import math
from dataclasses import dataclass, replace

import numpy as np

from latent_nmr._times import interval
from latent_nmr.errors import InputError, check_count, check_number


@dataclass(frozen=True)
class Pulse:
    """An instantaneous rotation at a sample's time.

    Parameters
    ----------
    sample : int
        Index of the sample at whose time it acts.
    angle : float
        Rotation angle, rad.
    phase : float
        Direction of the axis in the transverse plane, rad: 0 is x, π/2 is y.

    Examples
    --------
    >>> import numpy as np
    >>> import latent_nmr as ln
    >>> (ln.Pulse(sample=0, angle=np.pi / 2).matrix() @ [0, 0, 0.5]).round(6).tolist()
    [0.0, 0.5, 0.0]
    """

    sample: int
    angle: float
    phase: float = 0.0

    def matrix(self) -> np.ndarray:
        """Rotation of the spin vector by this pulse, shape (3, 3).

        ds/dt = s × b turns by `angle` about -b in the right-handed sense.
        """
        x, y = math.cos(self.phase), math.sin(self.phase)
        axis = np.array([x, y, 0.0])
        cross = np.array([[0.0, 0.0, y], [0.0, 0.0, -x], [-y, x, 0.0]])
        return (
            math.cos(self.angle) * np.eye(3)
            - math.sin(self.angle) * cross
            + (1 - math.cos(self.angle)) * np.outer(axis, axis)
        )


@dataclass(frozen=True)
class Sequence:
    """A record of `n_samples` points, `dt` apart, with pulses at some of them.

    The spins start along +z; the first pulse acts at sample 0. `dt` is a number of µs, from 0.001
    to 100, or a time with a unit of its own, such as timedelta64, of any length.

    Examples
    --------
    >>> import numpy as np
    >>> import latent_nmr as ln
    >>> pulses = (ln.Pulse(0, np.pi / 2), ln.Pulse(50, np.pi, phase=np.pi / 2))
    >>> ln.Sequence(dt=0.2, n_samples=151, pulses=pulses).echo_sample
    100
    """

    dt: float
    n_samples: int
    pulses: tuple[Pulse, ...]

    def __post_init__(self):
        object.__setattr__(self, "dt", interval("dt", self.dt))
        self._check_pulses()

    def _check_pulses(self) -> None:
        check_count("n_samples", self.n_samples)
        last = self.n_samples - 1
        samples = [
            check_count("pulse sample", pulse.sample, at_least=0, at_most=last)
            for pulse in self.pulses
        ]
        for pulse in self.pulses:
            check_number("pulse angle", pulse.angle, unit="(rad)")
            check_number("pulse phase", pulse.phase, unit="(rad)")
        if not samples or samples[0] != 0 or samples != sorted(set(samples)):
            raise InputError(
                "pulses must start at sample 0 and follow each other in time, "
                f"but act at samples {samples}. Sort them and put the first at 0."
            )

    @property
    def time(self) -> np.ndarray:
        """Time of every sample, µs, shape (n_samples,)."""
        return self.dt * np.arange(self.n_samples)

    def flipped_by(self, flip_angle: float) -> "Sequence":
        """This sequence with θ = `flip_angle` (rad) for the first pulse and 2θ for the others."""
        check_number("flip_angle", flip_angle, unit="(rad)")
        first, *others = self.pulses
        pulses = (
            replace(first, angle=flip_angle),
            *(replace(pulse, angle=2 * flip_angle) for pulse in others),
        )
        # Not `replace`: it would check dt as a plain number, whose unit may have been stated.
        flipped = copy.copy(self)
        object.__setattr__(flipped, "pulses", pulses)
        flipped._check_pulses()
        return flipped

    @property
    def echo_sample(self) -> int:
        """Index of the echo: as long after the second pulse as that is after the first."""
        if len(self.pulses) < 2:
            raise InputError(
                f"a sequence must have two pulses to make an echo, but has {len(self.pulses)}. "
                "Use spin_echo."
            )
        return 2 * self.pulses[1].sample

    @property
    def segments(self) -> tuple[int, ...]:
        """Number of sample intervals after each pulse, up to the next one or the end."""
        ends = [pulse.sample for pulse in self.pulses[1:]] + [self.n_samples - 1]
        return tuple(end - pulse.sample for end, pulse in zip(ends, self.pulses, strict=True))


def spin_echo(
    dt: float,
    pulse_spacing: int,
    n_samples: int,
    flip_angle: float = math.pi / 2,
    *,
    flip_error: float = 0.0,
    phases: tuple[float, float] = (0.0, math.pi / 2),
) -> Sequence:
    """Hahn echo: θ about x at t = 0, 2θ about y at τ, echo at 2τ.

    Parameters
    ----------
    dt : float
        Sample interval: a number of µs, from 0.001 to 100, or a time with a unit of its own, such
        as timedelta64, of any length.
    pulse_spacing : int
        τ in sample intervals.
    n_samples : int
        Length of the record, which must reach beyond the second pulse.
    flip_angle : float
        Nominal θ, rad.
    flip_error : float
        ε: every pulse turns by (1 + ε) times its nominal angle.
    phases : tuple of 2 float
        Phases of the two pulses, rad: 0 is x, π/2 is y.

    Returns
    -------
    Sequence

    Raises
    ------
    InputError
        If the record ends before the second pulse.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> sequence = ln.spin_echo(dt=0.2, pulse_spacing=50, n_samples=151)
    >>> sequence.echo_sample, sequence.time[sequence.echo_sample].item()
    (100, 20.0)
    """
    check_count("pulse_spacing", pulse_spacing)
    check_count("n_samples", n_samples)
    check_number("flip_angle", flip_angle, unit="(rad)")
    if n_samples <= pulse_spacing:
        raise InputError(
            f"n_samples must exceed pulse_spacing = {pulse_spacing}, so that the second pulse is "
            f"on the record, but is {n_samples}. Record longer or shorten the spacing."
        )
    turned = (1 + check_number("flip_error", flip_error)) * flip_angle
    first, second = _two_phases(phases)
    pulses = (Pulse(0, turned, first), Pulse(pulse_spacing, 2 * turned, second))
    return Sequence(dt, n_samples, pulses)


def cpmg(
    dt: float,
    pulse_spacing: int,
    n_echoes: int,
    flip_angle: float = math.pi / 2,
    *,
    flip_error: float = 0.0,
    phases: tuple[float, float] = (0.0, math.pi / 2),
) -> Sequence:
    """Carr-Purcell-Meiboom-Gill train: θ at 0, 2θ at τ, 3τ, 5τ, …; echoes at 2τ, 4τ, ….

    The record ends at 2 n_echoes τ, on top of the last echo. Parameters as in :func:`spin_echo`;
    `phases` are those of the first and of all later pulses.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> train = ln.cpmg(dt=0.2, pulse_spacing=10, n_echoes=3)
    >>> [pulse.sample for pulse in train.pulses], train.n_samples
    ([0, 10, 30, 50], 61)
    """
    check_count("pulse_spacing", pulse_spacing)
    check_count("n_echoes", n_echoes)
    check_number("flip_angle", flip_angle, unit="(rad)")
    turned = (1 + check_number("flip_error", flip_error)) * flip_angle
    first, second = _two_phases(phases)
    refocusing = (
        Pulse((2 * echo + 1) * pulse_spacing, 2 * turned, second) for echo in range(n_echoes)
    )
    pulses = (Pulse(0, turned, first), *refocusing)
    return Sequence(dt, 2 * n_echoes * pulse_spacing + 1, pulses)


def _two_phases(phases: tuple[float, float]) -> tuple[float, float]:
    """Return the phases if there are two, else raise; `Sequence` checks their values."""
    if not isinstance(phases, tuple | list) or len(phases) != 2:
        raise InputError(
            "phases must be those of the first and of the later pulses (rad), but are "
            f"{phases!r}. Give two numbers."
        )
    return phases[0], phases[1]
