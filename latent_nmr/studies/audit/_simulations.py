"""New simulations at the parameters of a latent neighbourhood, to hold a decoder against."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from latent_nmr.analysis.neighbourhood import PARAMETERS, Neighbourhood
from latent_nmr.data.feature_layout import part_of_metadata
from latent_nmr.data.scaling import curve_divisors, scaled_window
from latent_nmr.data.windows import window_slice
from latent_nmr.errors import InputError, check_choice
from latent_nmr.physics.inversion import KernelParameter, parameter_of_length
from latent_nmr.physics.kernels import kernel_table
from latent_nmr.physics.lattices import simulate_lattices
from latent_nmr.physics.parameters import UniformLaw
from latent_nmr.physics.simulate import Simulation, draw_fields
from latent_nmr.studies._labels import complete_labels, labels_by_name

if TYPE_CHECKING:
    import xarray as xr

# Numbers of new curves begin where no data set reaches, so that a new offset map is none of the
# data's own, whatever the two seeds are.
FIRST_NEW = 2**31


@dataclass(frozen=True)
class NewCurves:
    """Simulations at the parameters of one neighbourhood.

    Attributes
    ----------
    parameter : KernelParameter
    curves : ndarray, shape (n_simulations, n_features)
        In the window and normalisation of the model.
    """

    parameter: KernelParameter
    curves: npt.NDArray[np.float32]


def simulation_of(dataset: "xr.Dataset", seed: int) -> Simulation:
    """Return the settings that made a data set, with another seed, or refuse what has none."""
    missing = [name for name in PARAMETERS if name not in dataset.variables]
    if missing:
        raise InputError(
            f"data must have the labels {', '.join(PARAMETERS)}, which say what to simulate, but "
            f"lack {', '.join(missing)}. Use a set of latent-nmr simulate."
        )
    labels = labels_by_name(dataset, dataset.sizes["curve"], PARAMETERS)
    for name, count in complete_labels(labels).incomplete.items():
        if name in PARAMETERS:
            raise InputError(
                f"data must have the labels {', '.join(PARAMETERS)} of every curve, but {name} is "
                f"unknown for {count} of {dataset.sizes['curve']}. Drop such curves."
            )
    attributes = dataset.attrs
    if attributes.get("preset") != "paper":
        raise InputError(
            "data must be of preset paper, where W, L and kernel fix a curve up to its ν, but "
            f"are of preset {attributes.get('preset')!r}. Use a set of latent-nmr simulate."
        )
    if attributes.get("spectrometer"):
        raise InputError(
            "data must be as they were simulated, to be compared with new simulations, but a "
            "spectrometer's flaws were added to them. Use the set without them."
        )
    if attributes.get("line_draw") == "frozen":
        raise InputError(
            "data must have a new offset map for every curve, whose scatter is the measure, but "
            "their line_draw is frozen. Use independent or stratified."
        )
    names = {field.name for field in fields(Simulation)} & set(attributes)
    if attributes.get("tolerance") is None:  # of a fixed step, or of an earlier version
        names -= {"tolerance"}
    settings = {name: attributes[name] for name in names - {"seed", "with_mz", "repeats"}}
    return Simulation(**settings, seed=seed)


def simulate_at(
    place: Neighbourhood, simulation: Simulation, numbers: Sequence[int], metadata: dict[str, Any]
) -> NewCurves:
    """Simulate curves at a neighbourhood's mean parameters, with offset maps of these numbers."""
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
        relaxation_rate=simulation.relaxation_rate,
        equilibrium_mz=simulation.equilibrium_mz,
        step=simulation.step,
        scheme=simulation.scheme,
        dtype=simulation.dtype,
    )
    signal = [spins[:, :, 0], spins[:, :, 1]]
    sequence = preset.sequence
    samples = window_slice(metadata["window"], sequence.n_samples, sequence.echo_sample)
    divisors = curve_divisors(signal, samples, metadata["normalisation"], numbers)
    time = np.asarray(metadata["time_us"])
    curves = scaled_window(signal, samples, part_of_metadata(metadata), divisors, time)
    return NewCurves(parameter, curves.astype(np.float32, copy=False))
