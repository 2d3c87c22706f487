"""NumPy archives (npz): `signal`, or `real` and `imaginary`, with `time` or `dwell`."""

from pathlib import Path

import numpy as np

from latent_nmr.data.measured.reading import Options, Reading, even_grid, unit_factor
from latent_nmr.data.measured.steps import Step
from latent_nmr.errors import EchoFileError

_SAVE = "Save signal (complex, one row per record) and time: numpy.savez(path, signal=…, time=…)."


def read_npz(path: Path, options: Options) -> Reading:
    """Read an archive; no pickled object is ever loaded."""
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    signal = _signal(path, arrays)
    unit = options.time_unit or (str(arrays["time_unit"]) if "time_unit" in arrays else None)
    factor = 1.0 if unit is None else unit_factor(path, unit)
    first, dwell, steps = 0.0, None, ()
    if "time" in arrays and not options.dwell:
        times = np.asarray(arrays["time"], float)
        if times.shape != signal.shape[1:]:
            raise EchoFileError(
                path,
                f"time must have one value per sample, but has shape {times.shape} for "
                f"{signal.shape[1]} samples",
                _SAVE,
            )
        first, dwell = even_grid(path, factor * times)
    elif "dwell" in arrays:
        dwell = factor * float(arrays["dwell"])
    if unit is None and dwell is not None:
        detail = f"No unit of time is stated: taken as µs, {dwell:g} µs between samples."
        steps = (Step("time_unit", detail, {"dwell": dwell}),)
    facts = {
        name: arrays[name].item()
        for name in ("nucleus", "carrier_frequency", "pulse_separation", "echo_time")
        if name in arrays and arrays[name].shape == () and arrays[name].dtype.kind in "Uif"
    }
    return Reading("npz", signal, dwell, first, facts=facts, steps=steps)


def _signal(path: Path, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Complex records, shape (n_records, n_points)."""
    if "signal" in arrays:
        signal = arrays["signal"]
    elif {"real", "imaginary"} <= arrays.keys():
        if arrays["real"].shape != arrays["imaginary"].shape:
            raise EchoFileError(
                path,
                "real and imaginary must have one shape, but have "
                f"{arrays['real'].shape} and {arrays['imaginary'].shape}",
                _SAVE,
            )
        signal = arrays["real"] + 1j * arrays["imaginary"]
    else:
        names = ", ".join(sorted(arrays)) or "nothing"
        reason = f"there must be signal, or real and imaginary, but there is {names:.80}"
        is_ours = "mx" in arrays or "magnitude" in arrays
        raise EchoFileError(path, reason, "Open it with ln.open_echoes." if is_ours else _SAVE)
    if signal.dtype.kind not in "iufc" or signal.ndim not in (1, 2):
        reason = f"signal must be numbers (record, time), but is {signal.dtype} {signal.shape}"
        raise EchoFileError(path, reason, _SAVE)
    return np.atleast_2d(signal)
