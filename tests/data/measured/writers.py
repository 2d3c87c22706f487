"""Files of spectrometers with known truth: nmrglue's and csdmpy's writers, and a small one for TNT.

Each takes records (n_records, n_points) and the time between samples in µs, and returns the path
that a user would open.
"""

import json
import struct

import csdmpy
import nmrglue
import numpy as np

DWELL = 0.5  # µs
CARRIER = 83.56  # MHz


def echoes(n_records=1, n_points=256, *, seed=0, echo_time=40.0, width=10.0, snr=50.0):
    """Echoes of several heights with noise, rounded to single precision, (n_records, n_points)."""
    rng = np.random.default_rng(seed)
    time = DWELL * np.arange(n_points)
    echo = np.exp(-(((time - echo_time) / width) ** 2)) * np.exp(0.7j + 0.3j * time)
    heights = 1000.0 / (1 + np.arange(n_records))
    noise = rng.standard_normal((2, n_records, n_points)) * 1000 / snr
    return (heights[:, None] * echo + noise[0] + 1j * noise[1]).astype(np.complex64)


def write_tnt(
    path,
    signal,
    dwell=DWELL,
    *,
    scans=(4, 4),
    acquired=None,
    fft_flag=0,
    nucleus=b"H1",
    **entries,
):
    """A TNT file: magic, header TMAG, DATA in single precision, TMG2, and the start of PSEQ."""
    signal = np.atleast_2d(signal)
    n_records, n_points = signal.shape
    acquired = acquired or n_points
    head = np.zeros(1, nmrglue.tecmag.TNTTMAG)
    head["npts"] = head["actual_npts"] = (n_points, n_records, 1, 1)
    head["acq_points"] = acquired
    head["actual_scans"], head["scans"] = scans
    head["ob_freq"] = (CARRIER, 0, 0, 0)
    head["obs_channel"] = 1
    head["dwell"] = 1e-6 * dwell
    head["sw"] = 0.5e6 / dwell
    head["acq_time"] = 1e-6 * dwell * acquired
    head["nuclei"] = (nucleus + b"\0left over", b"", b"", b"")
    more = np.zeros(1, nmrglue.tecmag.TNTTMG2)
    more["fft_flag"] = fft_flag if isinstance(fft_flag, tuple) else (fft_flag, 0, 0, 0)
    for name, value in entries.items():
        (head if name in head.dtype.names else more)[name] = value
    data = signal.astype("<c8").ravel().tobytes()
    parts = [(b"TMAG", head.tobytes()), (b"DATA", data), (b"TMG2", more.tobytes())]
    with path.open("wb") as file:
        file.write(b"TNT1.008")
        for tag, body in parts:
            file.write(struct.pack("<4sII", tag, 1, len(body)) + body)
        file.write(b"PSEQ\x01\0\0\x001.1 BIN")
    return path


def write_bruker(folder, signal, dwell=DWELL, *, delay=68.0, integers=False, name=None, **own):
    """An experiment of TopSpin; `delay` points of a digital filter stand before the record."""
    signal = np.atleast_2d(signal).astype(np.complex128)
    folder.mkdir(exist_ok=True)
    n_before = int(np.ceil(delay))
    # The filter rises before the record begins.
    rise = signal[:, :1] * np.linspace(0, 1, n_before, endpoint=False)
    stored = np.concatenate([rise, signal], axis=1)
    if integers:
        stored = np.round(stored.real) + 1j * np.round(stored.imag)
    width = 1e6 / dwell
    acqus = {
        "_coreheader": ["##TITLE= Parameter file, TopSpin 4.1.4", "##JCAMPDX= 5.0"],
        "_comments": ["$$ written for a test"],
        "AQ_mod": 3,
        "BYTORDA": 0,
        "D": [0.0, 0.5, *[0.0] * 62],
        "DECIM": 8,
        "DIGMOD": 1,
        "DSPFVS": 20,
        "DTYPA": 0 if integers else 2,
        "GRPDLY": delay,
        "NS": 16,
        "NUC1": "207Pb",
        "SFO1": CARRIER,
        "SW": width / CARRIER,
        "SW_h": width,
        "TD": 2 * stored.shape[1],
        **own,
    }
    nmrglue.bruker.write_jcamp(acqus, str(folder / "acqus"), overwrite=True)
    name = name or ("fid" if len(stored) == 1 else "ser")
    kind = {"big": acqus["BYTORDA"] == 1, "isfloat": not integers}
    numbers = np.ascontiguousarray(stored).view(np.float64)
    if name == "ser":
        itemsize = 4 if integers else 8
        numbers = np.pad(numbers, ((0, 0), (0, -numbers.shape[1] % (1024 // itemsize))))
    nmrglue.bruker.write_binary(str(folder / name), acqus, numbers.ravel(), overwrite=True, **kind)
    return folder


def write_varian(folder, signal, dwell=DWELL, *, scans=(8, 8), **own):
    """An experiment of VnmrJ."""
    signal = np.atleast_2d(signal)
    folder.mkdir(exist_ok=True)
    n_records, n_points = signal.shape
    axes = {0: {"size": n_records, "complex": False}, 1: {"size": n_points, "complex": True}}
    header = nmrglue.varian.create_dic({"ndim": 2, **axes})
    header["status"] = 1 + 8 + 16  # data, floating, complex
    values = {
        "at": n_points * dwell * 1e-6,
        "ct": scans[0],
        "np": 2 * n_points,
        "nt": scans[1],
        "sfrq": CARRIER,
        "sw": 1e6 / dwell,
        **own,
    }
    parameter = nmrglue.varian.create_pdic_param
    procpar = {name: parameter(name, [str(value)]) for name, value in values.items()}
    procpar["tn"] = {**parameter("tn", ["Si29"]), "basictype": "2"}
    header["procpar"] = procpar
    nmrglue.varian.write(str(folder), header, signal, overwrite=True)
    return folder


def write_nmrpipe(path, signal, dwell=DWELL, *, spectrum=False, **entries):
    """A file of NMRPipe, of one or two dimensions."""
    signal = np.atleast_2d(signal).astype(np.complex64)
    n_records, n_points = signal.shape
    axis = {
        "sw": 1e6 / dwell,
        "obs": CARRIER,
        "car": 0.0,
        "label": "29Si",
        "time": not spectrum,
        "freq": spectrum,
        "encoding": "direct",
    }
    direct = {**axis, "complex": True, "size": n_points}
    indirect = {**axis, "complex": False, "size": n_records, "time": True, "label": "row"}
    axes = [direct] if n_records == 1 else [indirect, direct]
    header = nmrglue.pipe.create_dic({"ndim": len(axes), **dict(enumerate(axes))})
    header.update(entries)
    nmrglue.pipe.write(str(path), header, signal, overwrite=True)
    return path


def write_csdm(path, signal, dwell=DWELL, *, first=-20.0):
    """A data set of CSDM; `.csdfe` keeps its values in a file beside."""
    signal = np.atleast_2d(signal)
    axis = csdmpy.LinearDimension(
        count=signal.shape[1],
        increment=f"{dwell} µs",
        coordinates_offset=f"{first} µs",
        reciprocal={"origin_offset": f"{CARRIER} MHz", "label": "29Si frequency shift"},
    )
    axes = [axis]
    if len(signal) > 1:
        axes.append(
            csdmpy.MonotonicDimension(coordinates=[f"{2**k} s" for k in range(len(signal))])
        )
    values = csdmpy.as_dependent_variable(signal if len(signal) > 1 else signal[0])
    dataset = csdmpy.CSDM(dimensions=axes, dependent_variables=[values])
    if path.suffix == ".csdfe":
        dataset.y[0].encoding = "raw"
    dataset.save(str(path))
    return path


def write_nqr(path, signal, dwell=DWELL, *, intermediate=0.0, **entries):
    """A measurement of an open NQR spectrometer."""
    record = np.atleast_2d(signal)[0].astype(np.complex128)
    content = {
        "tdx": (dwell * np.arange(len(record))).tolist(),
        "tdy": np.stack([record.real, record.imag], axis=1).tolist(),
        "target_frequency": 1e6 * CARRIER,
        "IF_frequency": 1e6 * intermediate,
        **entries,
    }
    path.write_text(json.dumps(content))
    return path


def write_table(path, signal, dwell=DWELL, *, header="time/us real imaginary", delimiter=" "):
    """A table of time, real and imaginary part."""
    record = np.atleast_2d(signal)[0].astype(np.complex128)
    columns = np.c_[dwell * np.arange(len(record)), record.real, record.imag]
    np.savetxt(path, columns, fmt="%.9g", header=header, delimiter=delimiter)
    return path


def write_npz(path, signal, dwell=DWELL, **arrays):
    """An archive of NumPy."""
    signal = np.atleast_2d(signal)
    time = dwell * np.arange(signal.shape[1])
    np.savez(path, **{"signal": signal, "time": time, "time_unit": "µs", **arrays})
    return path


# By format: the writer, the name of its file, and how many records one file takes.
WRITERS = {
    "TNT": (write_tnt, "echo.tnt", 3),
    "Bruker": (write_bruker, "1", 3),
    "Varian": (write_varian, "echo.fid", 3),
    "NMRPipe": (write_nmrpipe, "echo.pipe", 3),
    "CSDM": (write_csdm, "echo.csdf", 3),
    "NQR JSON": (write_nqr, "echo.meas", 1),
    "npz": (write_npz, "echo.npz", 3),
    "text": (write_table, "echo.csv", 1),
}
