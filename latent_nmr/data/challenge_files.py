"""Files of the ML4SCI challenge [H].

The reader returns the data set that `latent_nmr.data.echoes` describes, with signals in
float32, and raises `InputError` with file, line (from 1) and rule for a file it cannot use.
Files that this module wrote come back bit for bit. Notation: κ = Σ_{r≠0} K(r), signed;
N = n_edge² spins. Couplings and rates in MHz, time in µs. [H]: the NMR challenge of the ML4SCI
hackathon, 2020 and 2021.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr._json import python_scalar
from latent_nmr.data._kernel_sums import kernel_sums
from latent_nmr.data._record import HAS_LENGTH, check_same_rows, read_signals, spin_echo_attributes
from latent_nmr.data._text import (
    read_table,
    staged_texts,
    write_signal_rows,
)
from latent_nmr.data.echoes import assemble, check_echoes, sample_times
from latent_nmr.data.labels import label_values, labels_of
from latent_nmr.data.protocols import refuse_protocols
from latent_nmr.errors import InputError, check_choice

FloatArray = npt.NDArray[np.float64]

PARTS = ("model", "eval")
# The challenge's record [H].
N_EDGE = 100
N_SAMPLES = 471
SAMPLE_INTERVAL = 2 / (2 * math.pi)
PULSE_SPACING = 157

Rule = tuple[str, Callable[[FloatArray], npt.NDArray[np.bool_]]]
POSITIVE: Rule = ("> 0", lambda values: values > 0)
NOT_NEGATIVE: Rule = (">= 0", lambda values: values >= 0)


@dataclass(frozen=True)
class Challenge:
    """Files of one edition of the challenge: their names, columns and units."""

    kernel: str
    signal_names: dict[str, str]
    label_name: str
    rules: dict[str, Rule]
    length_column: str
    separator: str

    def signal_paths(self, folder: Path, part: str) -> list[Path]:
        """Files of real and imaginary parts, M_x and M_y."""
        return [folder / self.signal_names[part].format(axis) for axis in "ri"]


CHALLENGES = {
    f"2021-{name.lower()}": Challenge(
        kernel,
        {part: f"{name}_echos_{part}_{{}}.txt" for part in PARTS},
        f"{name}_mat_info_model.txt",
        {"alpha": NOT_NEGATIVE, "xi": POSITIVE, "d": NOT_NEGATIVE},
        "xi",
        " ",
    )
    for name, kernel in (("gauss", "gaussian"), ("RKKY", "rkky"))
} | {
    "2020": Challenge(
        "power",
        {"model": "echos_{}.txt", "eval": "submit_echos_{}.txt"},
        "mat_info.txt",
        # ξ has no effect on these curves, so a rounded zero does no harm.
        {"alpha": NOT_NEGATIVE, "xi": NOT_NEGATIVE, "p": POSITIVE, "d": NOT_NEGATIVE},
        "p",
        "\t",
    )
}


def challenge_parts(folder: Path) -> list[tuple[str, str]]:
    """Editions and parts of the challenge whose signal files a folder holds, `model` first."""
    return [
        (kind, part)
        for part in PARTS
        for kind, edition in CHALLENGES.items()
        if any(path.is_file() for path in edition.signal_paths(folder, part))
    ]


def open_challenge(folder: Path | str, kind: str, part: str = "model") -> xr.Dataset:
    """Read a set of the challenge [H].

    Files of kind `2021-gauss`: `gauss_echos_model_r.txt` and `_i.txt` (a row of 471 numbers per
    curve) and `gauss_mat_info_model.txt` (α ξ d); of `2021-rkky` the same with `RKKY`; of `2020`:
    `echos_r.txt`, `echos_i.txt`, `mat_info.txt` (α ξ p d). Evaluation files have no labels:
    `gauss_echos_eval_r.txt`, `submit_echos_r.txt` and so on. White space separates.

    Labels: α_x = α_y = |α κ| / 2N and R = 1.25 · 10^(-d/2) for 2021, α/2 and 0.5 · 10^-d for
    2020; α_z = 0, W = 2 α_x; L of the kernel on 100 × 100 sites. The challenge's own parameters
    stay as `challenge_alpha`, `challenge_xi`, `challenge_p` and `challenge_d`.

    Parameters
    ----------
    folder : path-like
        Where the files are.
    kind : {"2021-gauss", "2021-rkky", "2020"}
        Edition.
    part : {"model", "eval"}
        With labels, or without.

    Returns
    -------
    xarray.Dataset
        `mx`, `my` (n_curves, 471); time in steps of 1/π µs, the echo at sample 314.

    Raises
    ------
    InputError
        Naming file, line and rule.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> ds = ln.simulate("challenge2021-gauss", n_curves=2, scheme="source")
    >>> ln.save_challenge(ds, "gauss", kind="2021-gauss")
    >>> back = ln.open_challenge("gauss", kind="2021-gauss")
    >>> bool((back.mx.values == ds.mx.values).all()), back.sizes["time"]
    (True, 471)
    """
    challenge = CHALLENGES[check_choice("kind", kind, CHALLENGES)]
    check_choice("part", part, PARTS)
    folder = Path(folder)
    paths = challenge.signal_paths(folder, part)
    signals = read_signals(paths, N_SAMPLES)
    labels = {}
    if part == "model":
        label_path = folder / challenge.label_name
        table = read_table(label_path, len(challenge.rules))
        check_same_rows({paths[0]: len(signals["mx"]), label_path: len(table.values)})
        own = dict(zip(challenge.rules, table.values.T, strict=True))
        for name, (rule, holds) in challenge.rules.items():
            table.check_column(name, own[name], holds(own[name]), rule)
        labels = _challenge_labels(challenge, own)
        length_column = challenge.length_column
        has_length = np.isfinite(labels["L"])
        table.check_column(length_column, own[length_column], has_length, HAS_LENGTH)
    attributes = spin_echo_attributes(
        f"challenge {kind} {part}", N_EDGE, SAMPLE_INTERVAL, N_SAMPLES, PULSE_SPACING
    )
    return assemble(signals, SAMPLE_INTERVAL * np.arange(N_SAMPLES), labels, attributes)


def save_challenge(dataset: xr.Dataset, folder: Path | str, kind: str, part: str = "model") -> None:
    """Write a data set as the files that `open_challenge` reads.

    They hold the float32 signals and the challenge's own parameters, exactly; other labels are
    computed from these when read. All files appear together, and none if one cannot be written.

    Parameters
    ----------
    dataset : xarray.Dataset
        471 samples 1/π µs apart, of 100 × 100 sites; for `model` with the labels
        `challenge_alpha`, `challenge_xi`, `challenge_d` and, for 2020, `challenge_p`.
    folder : path-like
        Made where it does not exist.
    kind, part : str
        As for `open_challenge`.

    Raises
    ------
    InputError
        If the data set is not one of that kind, or cannot be written.

    Examples
    --------
    >>> from pathlib import Path
    >>> import latent_nmr as ln
    >>> ds = ln.simulate("challenge2021-rkky", n_curves=2, scheme="source")
    >>> ln.save_challenge(ds, "rkky", kind="2021-rkky")
    >>> sorted(path.name for path in Path("rkky").iterdir())
    ['RKKY_echos_model_i.txt', 'RKKY_echos_model_r.txt', 'RKKY_mat_info_model.txt']
    """
    challenge = CHALLENGES[check_choice("kind", kind, CHALLENGES)]
    check_choice("part", part, PARTS)
    refuse_protocols(dataset, "a data set of the challenge")
    _check_writable(check_echoes(dataset, both_components=True), challenge, kind)
    folder = Path(folder)
    paths = challenge.signal_paths(folder, part)
    own = _own_parameters(dataset, challenge) if part == "model" else None
    if own is not None:
        paths.append(folder / challenge.label_name)
    with staged_texts(paths) as handles:
        for name, handle in zip(("mx", "my"), handles[:2], strict=True):
            rows = dataset[name].transpose("curve", "time").to_numpy().astype(np.float32)
            write_signal_rows(handle, rows, challenge.separator)
        if own is not None:
            for row in own.tolist():
                handles[2].write(challenge.separator.join(map(repr, row)) + "\n")


def _challenge_labels(
    challenge: Challenge, own: dict[str, FloatArray]
) -> dict[str, npt.NDArray[Any]]:
    """Labels of the data set from the challenge's own parameters."""
    parameter = own[challenge.length_column]
    kernel_sum, length = kernel_sums(challenge.kernel, parameter, N_EDGE)
    if challenge.kernel == "power":
        coupling, decay_rate = own["alpha"] / 2, 0.5 * 10 ** -own["d"]
    else:
        coupling = np.abs(own["alpha"] * kernel_sum / (2 * N_EDGE**2))
        decay_rate = 1.25 * 10 ** (-own["d"] / 2)
    return {
        "alpha_x": coupling,
        "alpha_y": coupling.copy(),
        "alpha_z": np.zeros_like(coupling),
        "W": 2 * coupling,
        "L": length,
        "kernel": np.full(len(coupling), challenge.kernel),
        "kernel_parameter": parameter.copy(),
        "decay_rate": decay_rate,
    } | {f"challenge_{name}": values.copy() for name, values in own.items()}


def _check_writable(dataset: xr.Dataset, challenge: Challenge, kind: str) -> None:
    """Raise `InputError` if the files could not say what this data set is."""
    time = sample_times(dataset)
    grid = SAMPLE_INTERVAL * np.arange(N_SAMPLES)
    if time.shape != grid.shape or not np.allclose(time, grid, rtol=1e-6, atol=0):
        step = time[1] - time[0] if len(time) > 1 else math.nan
        raise InputError(
            f"a set of kind {kind!r} must have {N_SAMPLES} samples {SAMPLE_INTERVAL:.6g} µs apart "
            f"from t = 0, but has {len(time)}, the first two {step:.6g} µs apart. "
            "Use ln.save_echoes."
        )
    kernels = set(labels_of(dataset, ["kernel"]).get("kernel", []))
    if others := sorted(kernels - {challenge.kernel}):
        raise InputError(
            f"a set of kind {kind!r} must have the kernel {challenge.kernel!r} only, but has "
            f"{str(others[0])!r}. Choose its kind, or use ln.save_echoes."
        )
    n_edge = python_scalar(dataset.attrs.get("n_edge", N_EDGE))
    if not np.array_equal(n_edge, N_EDGE):
        raise InputError(
            f"a set of kind {kind!r} must be of {N_EDGE} × {N_EDGE} sites, but n_edge is {n_edge}. "
            "Use ln.save_echoes."
        )


def _own_parameters(dataset: xr.Dataset, challenge: Challenge) -> FloatArray:
    """Return the challenge's parameters, shape (n_curves, n_columns), if they can be read back."""
    columns = []
    for name, (rule, holds) in challenge.rules.items():
        label = f"challenge_{name}"
        if label not in dataset.variables:
            raise InputError(
                f"a challenge's set must have the label {label}, but this data set lacks it. "
                'Add it, or write part="eval", which has no labels.'
            )
        values = label_values(dataset, label)
        if values.dtype.kind not in "fiu":
            raise InputError(
                f"{label} must be numbers, but is {values.dtype}. Convert it: "
                f"ds[{label!r}].astype(float)."
            )
        values = values.astype(np.float64)
        bad = np.flatnonzero(~(np.isfinite(values) & holds(values)))
        if bad.size:
            raise InputError(
                f"{label} must be finite and {rule}, but is {values[bad[0]]:g} for curve "
                f"{dataset['curve'].to_numpy()[bad[0]]}. Correct or drop the curve."
            )
        columns.append(values)
    return np.stack(columns, axis=1)
