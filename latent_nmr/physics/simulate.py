"""Simulated data sets: draw the parameters and offset maps of a preset and simulate its curves.

Curve i depends only on (seed, i), not on its batch, the device or the caller's JAX settings. With K
repeats of each material, curve i is repeat i mod K of material i // K: all repeats have the
parameters of curve i // K of the data set without repeats, and repeat 0 is that very curve.
"""

import math
from collections.abc import Sequence as Rows
from dataclasses import dataclass, field, fields, replace

import jax
import numpy as np
import numpy.typing as npt

from latent_nmr._jax_settings import own_settings, seed_key
from latent_nmr._json import python_scalar
from latent_nmr.errors import InputError, check_choice, check_count, check_number
from latent_nmr.physics import kernels
from latent_nmr.physics.lattices import DTYPES, SCHEMES, simulate_lattices
from latent_nmr.physics.line import draw_frequencies
from latent_nmr.physics.parameters import CurveParameters, FlipAngleLaw
from latent_nmr.physics.presets import Preset, get_preset
from latent_nmr.physics.relaxation import check_equilibrium, total_rate
from latent_nmr.physics.schedule import field_evaluations
from latent_nmr.physics.search import Curve, Search
from latent_nmr.physics.sequence import Sequence
from latent_nmr.physics.steps import fixed_cut
from latent_nmr.physics.tolerance import check_tolerance

# JAX keys are made from 32 bits: larger seeds would repeat smaller ones.
MAX_SEED = 2**32 - 1

# The key of a data set is split by role: this number is folded into it first.
ROLE_PARAMETERS, ROLE_LINE, ROLE_FROZEN_LINE, ROLE_REPEATED_LINE = range(4)


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
        Distribution of ν, with the preset's width and cutoff.
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
        M_z to which spins relax, from -1/2 to 1/2; they start at 1/2.
    repeats : int
        K curves of each material: the same parameters, and fresh offsets ν.

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
    tolerance: float = 1e-3
    step: float | None = None
    scheme: str = "averaged"
    dtype: str = "float32"
    with_mz: bool = False
    flip_angle_deg: float | None = None
    relaxation_rate: float = 0.0
    equilibrium_mz: float = 0.0
    repeats: int = 1

    def __post_init__(self):
        # NumPy's numbers become Python's: settings are written as JSON, and compared with it.
        for entry in fields(self):
            object.__setattr__(self, entry.name, python_scalar(getattr(self, entry.name)))
        check_count("seed", self.seed, at_least=0, at_most=MAX_SEED)
        if self.step is not None:
            fixed_cut(self.step)
        check_choice("scheme", self.scheme, SCHEMES)
        check_tolerance(self.tolerance, check_choice("dtype", self.dtype, DTYPES))
        replace(get_preset(self.preset).line, draw=self.line_draw, shape=self.line_shape)
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
        if self.flip_angle_deg is not None:
            check_number(
                "flip_angle_deg", self.flip_angle_deg, above=0, at_most=180, unit="degrees"
            )
            if isinstance(get_preset(self.preset).law, FlipAngleLaw):
                raise InputError(
                    f"flip_angle_deg must be left out for the preset {self.preset}, which draws an "
                    f"angle for every curve, but is {self.flip_angle_deg!r}. Leave it out."
                )

        self._check_relaxation()

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

    def resolve(self) -> Preset:
        """Return the preset with this simulation's lattice edge, line and pulse angle."""
        preset = get_preset(self.preset)
        line = replace(preset.line, draw=self.line_draw, shape=self.line_shape)
        sequence = preset.sequence
        if self.flip_angle_deg is not None:
            sequence = sequence.flipped_by(math.radians(self.flip_angle_deg))
        n_edge = self.n_edge or preset.n_edge
        return replace(preset, line=line, n_edge=n_edge, sequence=sequence)


@dataclass(frozen=True)
class SimulatedCurves:
    """Simulated curves with their parameters, row by row.

    Attributes
    ----------
    signal : ndarray, shape (n_curves, n_samples, 3)
        Mean spin, dimensionless.
    parameters : list of CurveParameters
    coupling_lengths : ndarray, shape (n_curves,)
        L, lattice constants.
    error_estimates : ndarray, shape (n_curves,)
        Of the largest error of any component of the signal; NaN where the step was fixed.
    places : dict of ndarray of int, shape (n_curves,)
        `material` and `repeat` of each curve; empty where every material has one curve.
    """

    signal: npt.NDArray[np.floating]
    parameters: list[CurveParameters]
    coupling_lengths: npt.NDArray[np.float64]
    error_estimates: npt.NDArray[np.float64]
    places: dict[str, npt.NDArray[np.int64]] = field(default_factory=dict)


def simulate_curves(simulation: Simulation, indices: Rows[int]) -> SimulatedCurves:
    """Simulate the curves with the given indices of a data set.

    Parameters
    ----------
    simulation : Simulation
    indices : sequence of int
        Which curves; each is the same whatever the others are.

    Returns
    -------
    SimulatedCurves

    Raises
    ------
    InputError
        For settings or indices that cannot be used.
    NumericalError
        If a curve is not finite.
    """
    if not len(indices):
        raise InputError("indices must name at least one curve, but is empty. Give range(n).")
    indices = [check_count("curve index", i, at_least=0, at_most=MAX_SEED) for i in indices]
    preset, parameters = draw_parameters(simulation, indices)
    tables = [kernels.kernel_table(p.kernel, p.kernel_parameter, preset.n_edge) for p in parameters]
    signal, errors = simulate_lattices(
        draw_fields(simulation, indices),
        np.stack(tables),
        np.array([p.couplings for p in parameters]),
        [own_sequence(preset, p) for p in parameters],
        decay_rate=np.array([p.decay_rate for p in parameters]),
        relaxation_rate=simulation.relaxation_rate,
        equilibrium_mz=simulation.equilibrium_mz,
        tolerance=simulation.tolerance,
        step=simulation.step,
        scheme=simulation.scheme,
        dtype=simulation.dtype,
        return_error=True,
        names=[f"curve {index}" for index in indices],
    )
    lengths = np.array([kernels.coupling_length(table) for table in tables])
    return SimulatedCurves(signal, parameters, lengths, errors, places_of(simulation, indices))


def places_of(simulation: Simulation, indices: Rows[int]) -> dict[str, npt.NDArray[np.int64]]:
    """`material` and `repeat` of the given curves; nothing where every material has one curve."""
    if simulation.repeats == 1:
        return {}
    materials, repeats = np.divmod(np.asarray(indices, np.int64), simulation.repeats)
    return {"material": materials, "repeat": repeats}


def planned_evaluations(simulation: Simulation, indices: Rows[int]) -> list[int]:
    """Number of mean-field evaluations for each of the given curves: a measure of their cost.

    Those of the first guess of the steps and of the comparison, if the steps are not fixed; some
    curves turn out to need more.
    """
    preset, parameters = draw_parameters(simulation, indices)
    rows = zip(draw_fields(simulation, indices), parameters, strict=True)
    return [_evaluations(simulation, preset, p, nu.astype(np.float64)) for nu, p in rows]


def _evaluations(
    simulation: Simulation, preset: Preset, parameters: CurveParameters, frequencies
) -> int:
    table = kernels.kernel_table(parameters.kernel, parameters.kernel_parameter, preset.n_edge)
    couplings, sequence = np.array(parameters.couplings), own_sequence(preset, parameters)
    rate = total_rate(parameters.decay_rate, simulation.relaxation_rate)
    curve = Curve(frequencies, table, couplings, rate, sequence)
    if not simulation.has_tolerance:
        step = 1 if simulation.step is None else simulation.step
        return field_evaluations(curve.plan(fixed_cut(step), simulation.scheme))
    search = Search(curve, simulation.tolerance, simulation.scheme)
    return sum(map(field_evaluations, search.wanted()))


def own_sequence(preset: Preset, parameters: CurveParameters) -> Sequence:
    """Sequence of one curve: the preset's, with the curve's own pulse angle if it has one."""
    angle = parameters.flip_angle
    return preset.sequence if angle is None else preset.sequence.flipped_by(angle)


@own_settings(on_cpu=True)
def draw_parameters(
    simulation: Simulation, indices: Rows[int]
) -> tuple[Preset, list[CurveParameters]]:
    """Draw the parameters of the given curves; also returns the resolved preset."""
    preset = simulation.resolve()
    key = jax.random.fold_in(seed_key(simulation.seed), ROLE_PARAMETERS)
    materials = [index // simulation.repeats for index in indices]
    keys = [jax.random.fold_in(key, material) for material in materials]
    n_edge = preset.n_edge
    rows = zip(keys, materials, strict=True)
    return preset, [preset.law.draw(key, index, n_edge) for key, index in rows]


@own_settings(on_cpu=True)
def draw_fields(simulation: Simulation, indices: Rows[int]) -> npt.NDArray[np.float32]:
    """Draw the offset maps ν of the given curves, MHz, shape (n_curves, n_edge, n_edge)."""
    preset = simulation.resolve()
    key = seed_key(simulation.seed)
    if preset.line.draw == "frozen":
        keys = [jax.random.fold_in(key, ROLE_FROZEN_LINE)] * len(indices)
    else:
        keys = [_line_key(key, *divmod(index, simulation.repeats)) for index in indices]
    return np.stack([np.asarray(draw_frequencies(k, preset.n_edge, preset.line)) for k in keys])


def _line_key(key: jax.Array, material: int, repeat: int) -> jax.Array:
    """Key of the offsets of a repeat, from that of the data set.

    Repeats beside the first have a role of their own: a key folded into that of the first could
    be one that JAX makes when it splits that.
    """
    if not repeat:
        return jax.random.fold_in(jax.random.fold_in(key, ROLE_LINE), material)
    key = jax.random.fold_in(jax.random.fold_in(key, ROLE_REPEATED_LINE), material)
    return jax.random.fold_in(key, repeat)
