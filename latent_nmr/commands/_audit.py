"""Audit a decoder against the simulator: fresh curves where it was asked to make one, and figures.

For any command that wants the audit: `prepare`, `audit_axes`, then `audit_table`, `draw_sheet` and
`draw_profiles`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from latent_nmr.analysis.audit import REGIONS
from latent_nmr.analysis.axis_audit import AxisAudit, Record, audit_axis
from latent_nmr.analysis.neighbourhood import (
    PARAMETERS,
    Neighbourhood,
    neighbourhoods,
    spacing,
)
from latent_nmr.analysis.traversal import traverse
from latent_nmr.data.windows import curve_divisors, scaled_window, window_slice
from latent_nmr.errors import InputError, check_choice
from latent_nmr.physics.inversion import KernelParameter, parameter_of_length
from latent_nmr.physics.kernels import KERNELS, kernel_table
from latent_nmr.physics.lattices import simulate_lattices
from latent_nmr.physics.parameters import UniformLaw
from latent_nmr.physics.simulate import Simulation, draw_fields

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from latent_nmr.models.beta_vae import BetaVAE

# Numbers of fresh curves begin where no data set reaches, so that a fresh ν field is none of the
# data's own, whatever the two seeds are.
FIRST_FRESH = 2**31
# What the scatter of fresh curves is the scatter of.
SCATTER_TEXTS = {
    "independent": "over fresh fields of independent ν",
    "stratified": "over fresh arrangements of one stratified line: of the spatial order alone, "
    "a fraction of that over independent ν",
}


@dataclass(frozen=True)
class Fresh:
    """Simulations at the parameters of one neighbourhood.

    Attributes
    ----------
    parameter : KernelParameter
    curves : ndarray, shape (n_fields, n_features)
        In the window and normalisation of the model.
    """

    parameter: KernelParameter
    curves: npt.NDArray[np.float32]


def prepare(dataset: "xr.Dataset", path: Path, seed: int) -> Simulation:
    """Return the settings that made a data set, with another seed, or refuse what has none."""
    missing = [name for name in PARAMETERS if name not in dataset.variables]
    if missing:
        raise InputError(
            f"data must have the labels {', '.join(PARAMETERS)}, which say what to simulate, but "
            f"{path} lacks {', '.join(missing)}. Use a set of latent-nmr simulate."
        )
    attributes = dataset.attrs
    if attributes.get("preset") != "paper":
        raise InputError(
            "data must be of preset paper, where W, L and kernel fix a curve up to its ν, but "
            f"{path} is of preset {attributes.get('preset')!r}. Use a set of latent-nmr simulate."
        )
    if attributes.get("spectrometer"):
        raise InputError(
            "data must be as they were simulated, to be set beside fresh simulations, but a "
            f"spectrometer's flaws were added to {path}. Use the set without them."
        )
    if attributes.get("line_draw") == "frozen":
        raise InputError(
            "data must have a new ν field for every curve, whose scatter is the measure, but "
            f"--line-draw of {path} is frozen. Use independent or stratified."
        )
    names = {field.name for field in fields(Simulation)} & set(attributes)
    settings = {name: attributes[name] for name in names - {"seed", "with_mz"}}
    return Simulation(**settings, seed=seed)


def audit_axes(
    model: "BetaVAE",
    dataset: "xr.Dataset",
    X: npt.NDArray[np.floating],
    simulation: Simulation,
    axes: Sequence[int],
    *,
    span: float,
    n_steps: int,
    n_neighbours: int,
    n_fields: int,
    on_point: Callable[[], object] | None = None,
) -> list[tuple[AxisAudit, list[Fresh]]]:
    """Walk along each axis and judge every decoded curve.

    Parameters
    ----------
    model : BetaVAE
        With the metadata of a trained one.
    dataset : xarray.Dataset
    X : ndarray, shape (n_curves, n_features)
        Its features, in the model's window and normalisation.
    simulation : Simulation
        From `prepare`.
    axes : sequence of int
        Counted from 1. The result of an axis does not depend on which others are asked for.
    span, n_steps
        See `traverse`.
    n_neighbours, n_fields : int
        Curves in each group, at least 4.
    on_point : callable, optional
        Called after each point.
    """
    walks = [traverse(model, model.n_components, axis, span=span, n_steps=n_steps) for axis in axes]
    latent = model.transform(X)
    labels = {name: dataset[name].to_numpy() for name in PARAMETERS}
    distances = spacing(latent, n_neighbours)
    metadata = model.metadata_
    dt = metadata["dt_us"]
    record = Record(
        np.asarray(metadata["time_us"]),
        [sample * dt for sample in metadata["pulse_samples"]],
        metadata["echo_index"] * dt,
    )
    result = []
    for walk in walks:
        places = neighbourhoods(walk.points, latent, labels, n_neighbours)
        fresh = []
        for step, place in enumerate(places):
            first = FIRST_FRESH + ((walk.axis - 1) * n_steps + step) * n_fields
            numbers = range(first, first + n_fields)
            fresh.append(simulate_at(place, simulation, numbers, metadata))
            if on_point is not None:
                on_point()
        curves = [group.curves for group in fresh]
        result.append((audit_axis(walk, places, distances, curves, X, record), fresh))
    return result


def simulate_at(
    place: Neighbourhood, simulation: Simulation, numbers: Sequence[int], metadata: dict[str, Any]
) -> Fresh:
    """Simulate curves of a neighbourhood's mean parameters, with the ν fields of these numbers."""
    preset = simulation.resolve()
    if not isinstance(preset.law, UniformLaw):
        raise InputError(
            "preset must draw kernel parameters from a range, in which L fixes them, but is "
            f"{preset.name}. Use data of preset paper."
        )
    ranges = preset.law.kernel_ranges
    kernel = check_choice("the kernel of the data", place.kernel, ranges)
    length = place.coupling_length
    parameter = parameter_of_length(kernel, length, preset.n_edge, ranges[kernel])
    table = kernel_table(kernel, parameter.value, preset.n_edge)
    couplings = np.array([place.alpha_x, place.alpha_x, place.alpha_z])
    spins = simulate_lattices(
        draw_fields(simulation, numbers),
        np.repeat(table[None], len(numbers), axis=0),
        np.repeat(couplings[None], len(numbers), axis=0),
        preset.sequence,
        step=simulation.step,
        scheme=simulation.scheme,
        dtype=simulation.dtype,
    )
    signal = [spins[:, :, 0], spins[:, :, 1]]
    sequence = preset.sequence
    samples = window_slice(metadata["window"], sequence.n_samples, sequence.echo_sample)
    divisors = curve_divisors(signal, samples, metadata["normalisation"], numbers)
    curves = scaled_window(signal, samples, "magnitude", divisors)
    return Fresh(parameter, curves.astype(np.float32, copy=False))


def audit_table(audits: Sequence[tuple[AxisAudit, list[Fresh]]]) -> "pd.DataFrame":
    """One row per point, all numbers of its audit; signals in the unit of the features."""
    import pandas as pd

    rows = []
    for audit, fresh in audits:
        for point, group in zip(audit.points, fresh, strict=True):
            place, sim, near = point.place, point.simulation, point.neighbours
            rows.append(
                {
                    "axis": f"LA{audit.axis}",
                    "z": point.position,
                    "verdict": point.verdict,
                    "off_data": point.is_off_data,
                    "nearest_distance": place.nearest,
                    "mean_distance": place.mean_distance,
                    "kernel": place.kernel,
                    "n_of_kernel": place.n_of_kernel,
                    "alpha_x": place.alpha_x,
                    "alpha_z": place.alpha_z,
                    "W": place.coupling_strength,
                    "L": place.coupling_length,
                    "kernel_parameter": group.parameter.value,
                    "L_out_of_reach": group.parameter.is_clipped,
                    "rms": sim.rms,
                    "scatter": sim.scatter,
                    "ratio": sim.ratio,
                    "outside": sim.outside,
                    "excess": sim.excess,
                    "excess_limit": sim.limit,
                    "rms_neighbours": near.rms,
                    "scatter_neighbours": near.scatter,
                    "ratio_neighbours": near.ratio,
                    "outside_neighbours": near.outside,
                    "invented": float(np.sqrt(np.mean(point.invented**2))),
                    "invented_limit": near.limit,
                    "worst_time_us": point.worst_time,
                    "worst_residual": point.worst_residual,
                    **{f"share_{region}": point.shares[region] for region in REGIONS},
                }
            )
    return pd.DataFrame(rows)


def remarks(audits: Sequence[tuple[AxisAudit, list[Fresh]]]) -> list[str]:
    """A sentence for each point whose L its kernel cannot have."""
    return [
        f"LA{audit.axis}, z = {point.position:.3g}: L = {point.place.coupling_length:.2f} is out "
        f"of the reach of {point.place.kernel}; simulated at "
        f"{KERNELS[point.place.kernel].symbol} = {group.parameter.value:.3g}"
        for audit, fresh in audits
        for point, group in zip(audit.points, fresh, strict=True)
        if group.parameter.is_clipped
    ]
