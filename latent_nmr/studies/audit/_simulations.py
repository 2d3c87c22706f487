"""New simulations at the parameters of a latent neighbourhood, to hold a decoder against."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from latent_nmr.analysis.audit import time_regions
from latent_nmr.analysis.axis_audit import Record
from latent_nmr.analysis.neighbourhood import PARAMETERS, Neighbourhood
from latent_nmr.data.feature_layout import column_times
from latent_nmr.data.feature_settings import FeatureSettings
from latent_nmr.data.protocols import PROTOCOLS, selected_entries
from latent_nmr.data.scaling import Echo, curve_divisors, joined_features
from latent_nmr.data.windows import window_slice
from latent_nmr.errors import InputError, check_choice
from latent_nmr.physics.inversion import KernelParameter, parameter_of_length
from latent_nmr.physics.kernels import kernel_table
from latent_nmr.physics.lattices import simulate_lattices
from latent_nmr.physics.parameters import UniformLaw
from latent_nmr.physics.presets import PRESETS, get_preset
from latent_nmr.physics.sequence import Sequence as PulseSequence
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


def record_of(simulation: Simulation, metadata: dict[str, Any]) -> Record:
    """When a model's features are of, and where that is on the record of their protocol."""
    features = FeatureSettings.of_metadata(metadata)
    # The model's own data need not say when the pulses are; the simulations do.
    sequences = simulation.resolve().sequences
    names = [own.name for own in features.protocols] or [""]
    by_name = dict(zip(names, sequences, strict=True))
    blocks, regions = features.blocks(np.asarray(metadata["time_us"], np.float64)), []
    for block in blocks:
        # What compares two protocols is of pulses at the same times in both.
        own = by_name.get(block.protocol, sequences[0])
        pulses = [pulse.sample * own.dt for pulse in own.pulses]
        regions += time_regions(block.time, pulses, own.echo_sample * own.dt)
    return Record(column_times(blocks), regions)


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
    usable = [name for name in PRESETS if isinstance(get_preset(name).law, UniformLaw)]
    if attributes.get("preset") not in usable:
        raise InputError(
            f"data must be of preset {', '.join(usable)}, where α, L and kernel fix a curve up to "
            f"its ν, but are of preset {attributes.get('preset')!r}. Use a set of latent-nmr "
            "simulate."
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
    width = attributes.get("fwhm_MHz")
    if width is not None and width != get_preset(settings["preset"]).line.fwhm:
        settings["fwhm"] = width  # which data sets hold by this name
    if PROTOCOLS in settings:
        settings[PROTOCOLS] = selected_entries(dataset)
        if len(settings[PROTOCOLS]) == 1:
            settings.pop("offsets", None)  # of several protocols alone
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
    sequences, n_curves = preset.sequences, len(numbers)
    offsets = [draw_fields(simulation, numbers, number) for number in range(len(sequences))]
    spins = simulate_lattices(
        np.concatenate(offsets),
        np.repeat(table[None], n_curves * len(sequences), axis=0),
        np.repeat(couplings[None], n_curves * len(sequences), axis=0),
        [sequence for sequence in sequences for _ in numbers],
        relaxation_rate=simulation.relaxation_rate,
        equilibrium_mz=simulation.equilibrium_mz,
        step=simulation.step,
        scheme=simulation.scheme,
        dtype=simulation.dtype,
    )
    echoes = [
        _echo_of(own, sequence, metadata, time, numbers)
        for own, sequence, time in zip(
            np.split(spins, len(sequences)),
            sequences,
            np.atleast_2d(np.asarray(metadata["time_us"], np.float64)),
            strict=True,
        )
    ]
    features = FeatureSettings.of_metadata(metadata)
    curves = joined_features(echoes, features.part, features.protocols)
    return NewCurves(parameter, curves.astype(np.float32, copy=False))


def _echo_of(
    spins: npt.NDArray[np.floating],
    sequence: PulseSequence,
    metadata: dict[str, Any],
    time: npt.NDArray[np.float64],
    numbers: Sequence[int],
) -> Echo:
    """What features are taken of, in one protocol."""
    signal = [spins[:, :, 0], spins[:, :, 1]]
    samples = window_slice(metadata["window"], sequence.n_samples, sequence.echo_sample)
    divisors = curve_divisors(signal, samples, metadata["normalisation"], numbers)
    return Echo(signal, samples, divisors, time)
