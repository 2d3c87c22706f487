"""The settings of a simulated data set, and what they resolve to."""

import math
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from latent_nmr._json import python_scalar
from latent_nmr.errors import InputError, check_choice, check_count, check_number
from latent_nmr.physics.lattices import DTYPES, SCHEMES
from latent_nmr.physics.line import Line
from latent_nmr.physics.parameters import FlipAngleLaw
from latent_nmr.physics.presets import Preset, get_preset
from latent_nmr.physics.protocols import parse_protocols, sequences_of
from latent_nmr.physics.relaxation import check_equilibrium
from latent_nmr.physics.steps import fixed_cut
from latent_nmr.physics.tolerance import check_tolerance

# JAX keys are made from 32 bits: larger seeds would repeat smaller ones.
MAX_SEED = 2**32 - 1
SAME, FRESH = "same", "fresh"


@dataclass(frozen=True)
class Simulation:
    """Every setting that decides the numbers of a simulated data set, except how many curves.

    Parameters
    ----------
    preset : str
        Name of the published set whose distributions are used.
    seed : int
        The one seed; curve i depends on (seed, i) alone.
    line_draw : {"independent", "stratified", "frozen"}
        How ν is drawn, see `Line`.
    n_edge : int or None
        Lattice edge in sites; None takes the preset's.
    line_shape : {"lorentzian", "gaussian"}
        Distribution of ν, with the preset's cutoff.
    fwhm : float or None
        Its full width at half maximum, MHz; None takes the preset's.
    tolerance : float
        Largest error of any component of M of a curve, |M(0)| being 1/2; see `simulate_lattices`.
    step : float or None
        Time step in sample intervals, instead of a tolerance: a whole number, or one over a whole
        number.
    scheme : {"averaged", "midpoint", "source"}
        See `simulate_lattices`.
    dtype : {"float32", "float64"}
        Precision of the dynamics; ν is drawn in float32 for both.
    with_mz : bool
        Keep M_z as well, which a receiver does not detect.
    flip_angle_deg : float or None
        θ of the first pulse for all curves, degrees, the second being 2θ; None takes the
        preset's.
    relaxation_rate : float
        R₁ = 1/(2π T₁) of the longitudinal relaxation, MHz, see `simulate_lattices`. No preset has
        one.
    equilibrium_mz : float
        M_z to which spins relax, from -1/2 to 1/2. They start at 1/2: give 0.5 if the sample was
        in thermal equilibrium before the first pulse.
    repeats : int
        K curves of each material: the same parameters, and fresh offsets ν.
    protocols : sequence of float, of pairs, or of Protocol, or str, optional
        Several echoes of every curve's material: pulse angles θ in degrees, pairs (θ, τ) with τ in
        µs, or a text such as "60 120" or "90:100 60:100". None takes the preset's: its own
        sequence, or two of them in `paper-pair`.
    offsets : {"same", "fresh"}
        Whether all protocols of a curve have the same offsets ν, as one sample in one magnet has,
        or each its own.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> settings = ln.Simulation("paper", seed=7, line_draw="stratified", n_edge=20)
    >>> settings.resolve().sequence.echo_sample
    1256
    """

    preset: str = "paper"
    seed: int = 0
    line_draw: str = "independent"
    n_edge: int | None = None
    line_shape: str = "lorentzian"
    fwhm: float | None = None
    tolerance: float = 1e-3
    step: float | None = None
    scheme: str = "averaged"
    dtype: str = "float32"
    with_mz: bool = False
    flip_angle_deg: float | None = None
    relaxation_rate: float = 0.0
    equilibrium_mz: float = 0.0
    repeats: int = 1
    protocols: Any = None
    offsets: str = SAME

    def __post_init__(self):
        # All numbers become Python's own: settings are written as JSON, and compared with it.
        object.__setattr__(self, "protocols", parse_protocols(self.protocols))
        for entry in (entry for entry in fields(self) if entry.name != "protocols"):
            value = python_scalar(getattr(self, entry.name))
            if isinstance(value, Fraction | Decimal):
                value = float(value)
            object.__setattr__(self, entry.name, value)
        check_count("seed", self.seed, at_least=0, at_most=MAX_SEED)
        if self.step is not None:
            fixed_cut(self.step)
        check_choice("scheme", self.scheme, SCHEMES)
        check_tolerance(self.tolerance, check_choice("dtype", self.dtype, DTYPES), self.step)
        self._line()
        if not isinstance(self.with_mz, bool):
            raise InputError(f"with_mz must be True or False, but is {self.with_mz!r}. Choose.")
        if self.n_edge is not None:
            check_count("n_edge", self.n_edge, at_least=2)
        if check_count("repeats", self.repeats) > 1 and self.line_draw == "frozen":
            raise InputError(
                "repeats must be 1 for the line_draw frozen, which gives every curve the same "
                f"offsets, so that repeats would be copies, but is {self.repeats}. Use independent "
                "or stratified."
            )
        self._check_protocols()
        self._check_relaxation()

    def _check_protocols(self) -> None:
        preset = get_preset(self.preset)
        if self.flip_angle_deg is not None:
            check_number(
                "flip_angle_deg", self.flip_angle_deg, above=0, at_most=180, unit="degrees"
            )
        draws_angles = isinstance(preset.law, FlipAngleLaw)
        for name, value in (
            ("flip_angle_deg", self.flip_angle_deg),
            ("protocols", self.protocols and [p.flip_angle_deg for p in self.protocols]),
        ):
            if value is not None and draws_angles:
                raise InputError(
                    f"{name} must be left out for the preset {self.preset}, which draws an "
                    f"angle for every curve, but is {value!r}. Leave it out."
                )
        if self.flip_angle_deg is not None and (self.protocols or preset.protocols):
            raise InputError(
                "flip_angle_deg must be left out where there are protocols, which have angles of "
                f"their own, but is {self.flip_angle_deg!r}. Leave it out."
            )
        n_protocols = len(self.resolve().sequences)
        if check_choice("offsets", self.offsets, (SAME, FRESH)) == FRESH:
            if n_protocols == 1:
                raise InputError(
                    "offsets must be 'same' for one protocol, but is 'fresh'. Give several "
                    "protocols, such as [60, 120], or ask for repeats."
                )
            if self.line_draw == "frozen":
                raise InputError(
                    "offsets must be 'same' for the line_draw frozen, which gives every curve the "
                    "same, but is 'fresh'. Use independent or stratified."
                )

    def _check_relaxation(self) -> None:
        check_number("relaxation_rate", self.relaxation_rate, at_least=0, unit="MHz")
        check_number("equilibrium_mz", self.equilibrium_mz, at_least=-0.5, at_most=0.5)
        check_equilibrium(self.equilibrium_mz, has_rate=self.relaxation_rate > 0)

    def check_curves(self, n_curves: int) -> int:
        """Return a number of curves, if it is one of whole materials, or raise `InputError`."""
        n_curves = check_count("n_curves", n_curves)
        if n_curves % self.repeats:
            below = n_curves - n_curves % self.repeats
            raise InputError(
                f"n_curves must be a multiple of repeats = {self.repeats}, since it counts the "
                f"curves of all of them, but is {n_curves}. Take {below + self.repeats}."
            )
        return n_curves

    @property
    def has_tolerance(self) -> bool:
        """Whether steps follow the tolerance: they are not fixed, by `step` or the scheme."""
        return self.step is None and self.scheme != "source"

    def _line(self) -> Line:
        """The preset's line with this simulation's shape, width and draw."""
        line = get_preset(self.preset).line
        fwhm = line.fwhm if self.fwhm is None else self.fwhm
        return replace(line, draw=self.line_draw, shape=self.line_shape, fwhm=fwhm)

    def resolve(self) -> Preset:
        """Return the preset with this simulation's lattice edge, line and sequences."""
        preset = get_preset(self.preset)
        sequence = preset.sequence
        if self.flip_angle_deg is not None:
            sequence = sequence.flipped_by(math.radians(self.flip_angle_deg))
        protocols = self.protocols or preset.protocols
        sequences = sequences_of(protocols, sequence) if protocols else [sequence]
        n_edge = self.n_edge or preset.n_edge
        return replace(
            preset,
            line=self._line(),
            n_edge=n_edge,
            sequence=sequences[0],
            sequences=tuple(sequences),
            protocols=protocols,
        )
