"""Simulated data sets: draw the parameters and offset maps of a preset and simulate its curves.

Curve i depends only on (seed, i), not on its batch, the device or the caller's JAX settings. With K
repeats of each material, curve i is repeat i mod K of material i // K: all repeats have the
parameters of curve i // K of the data set without repeats, and repeat 0 is that very curve.
"""

from collections.abc import Sequence as Rows
from dataclasses import dataclass, field

import jax
import numpy as np
import numpy.typing as npt

from latent_nmr._jax_settings import own_settings, seed_key
from latent_nmr.errors import InputError, check_count
from latent_nmr.physics import kernels
from latent_nmr.physics.lattices import simulate_lattices
from latent_nmr.physics.line import draw_frequencies
from latent_nmr.physics.parameters import CurveParameters
from latent_nmr.physics.presets import Preset
from latent_nmr.physics.relaxation import total_rate
from latent_nmr.physics.schedule import field_evaluations
from latent_nmr.physics.search import Curve, Search
from latent_nmr.physics.sequence import Sequence
from latent_nmr.physics.simulation import FRESH, MAX_SEED, Simulation
from latent_nmr.physics.steps import fixed_cut

# The key of a data set is split by role: this number is folded into it first.
ROLE_PARAMETERS, ROLE_LINE, ROLE_FROZEN_LINE, ROLE_REPEATED_LINE, ROLE_PROTOCOL_LINE = range(5)


@dataclass(frozen=True)
class SimulatedCurves:
    """Simulated curves with their parameters, row by row.

    Attributes
    ----------
    signal : ndarray, shape (n_curves, n_samples, 3), or (n_curves, n_protocols, n_samples, 3)
        Mean spin, dimensionless; the second of several protocols.
    parameters : list of CurveParameters
    coupling_lengths : ndarray, shape (n_curves,)
        L, lattice constants.
    error_estimates : ndarray, shape (n_curves,)
        Of the largest error of any component of the signal, in any protocol; NaN where the step
        was fixed.
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
    # Protocols of a curve stand side by side, as rows of one run.
    n_protocols = len(preset.sequences)
    offsets = [draw_fields(simulation, indices, number) for number in range(n_protocols)]
    rows = [p for p in parameters for _ in preset.sequences]
    ends = [f", protocol {n + 1}" for n in range(n_protocols)] if n_protocols > 1 else [""]
    signal, errors = simulate_lattices(
        np.stack(offsets, axis=1).reshape(-1, preset.n_edge, preset.n_edge),
        np.repeat(np.stack(tables), n_protocols, axis=0),
        np.array([p.couplings for p in rows]),
        [sequence for p in parameters for sequence in own_sequences(preset, p)],
        decay_rate=np.array([p.decay_rate for p in rows]),
        relaxation_rate=simulation.relaxation_rate,
        equilibrium_mz=simulation.equilibrium_mz,
        tolerance=simulation.tolerance,
        step=simulation.step,
        scheme=simulation.scheme,
        dtype=simulation.dtype,
        return_error=True,
        names=[f"curve {index}{end}" for index in indices for end in ends],
    )
    lengths = np.array([kernels.coupling_length(table) for table in tables])
    if n_protocols > 1:
        signal = signal.reshape(len(indices), n_protocols, *signal.shape[1:])
        errors = errors.reshape(len(indices), n_protocols).max(axis=1)
    return SimulatedCurves(signal, parameters, lengths, errors, places_of(simulation, indices))


def places_of(simulation: Simulation, indices: Rows[int]) -> dict[str, npt.NDArray[np.int64]]:
    """`material` and `repeat` of the given curves; nothing where every material has one curve."""
    if simulation.repeats == 1:
        return {}
    materials, repeats = np.divmod(np.asarray(indices, np.int64), simulation.repeats)
    return {"material": materials, "repeat": repeats}


def planned_evaluations(simulation: Simulation, indices: Rows[int]) -> list[int]:
    """Mean-field evaluations for each of the given curves, all protocols: a measure of their cost.

    Those of the first guess of the steps and of the comparison, if the steps are not fixed; some
    curves turn out to need more.
    """
    preset, parameters = draw_parameters(simulation, indices)
    found = np.zeros(len(indices), int)
    for number in range(len(preset.sequences)):
        fields = draw_fields(simulation, indices, number).astype(np.float64)
        for row, own in enumerate(parameters):
            sequence = own_sequences(preset, own)[number]
            found[row] += _evaluations(simulation, preset.n_edge, own, fields[row], sequence)
    return found.tolist()


def _evaluations(
    simulation: Simulation,
    n_edge: int,
    parameters: CurveParameters,
    frequencies: npt.NDArray[np.float64],
    sequence: Sequence,
) -> int:
    table = kernels.kernel_table(parameters.kernel, parameters.kernel_parameter, n_edge)
    couplings = np.array(parameters.couplings)
    rate = total_rate(parameters.decay_rate, simulation.relaxation_rate)
    curve = Curve(frequencies, table, couplings, rate, sequence)
    if not simulation.has_tolerance:
        step = 1 if simulation.step is None else simulation.step
        return field_evaluations(curve.plan(fixed_cut(step), simulation.scheme))
    search = Search(curve, simulation.tolerance, simulation.scheme)
    return sum(map(field_evaluations, search.wanted()))


def own_sequences(preset: Preset, parameters: CurveParameters) -> list[Sequence]:
    """Sequences of one curve: the preset's, with the curve's own pulse angle if it has one."""
    angle = parameters.flip_angle
    return [own if angle is None else own.flipped_by(angle) for own in preset.sequences]


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
def draw_fields(
    simulation: Simulation, indices: Rows[int], protocol: int = 0
) -> npt.NDArray[np.float32]:
    """Draw the offset maps ν of the given curves, MHz, shape (n_curves, n_edge, n_edge).

    `protocol` counts the protocols, from 0; it matters only for fresh offsets.
    """
    preset = simulation.resolve()
    key = seed_key(simulation.seed)
    if preset.line.draw == "frozen":
        keys = [jax.random.fold_in(key, ROLE_FROZEN_LINE)] * len(indices)
    else:
        if protocol and simulation.offsets == FRESH:
            # As if of another data set: materials and repeats have the roles that they have there.
            key = jax.random.fold_in(jax.random.fold_in(key, ROLE_PROTOCOL_LINE), protocol)
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
