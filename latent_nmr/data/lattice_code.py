"""Output of the lattice code behind [P]: A. Rao et al., Phys. Rev. Research 5, 043098 (2023).

Notation: κ = Σ_{r≠0} K(r), signed. Couplings and rates in MHz, time in µs.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr.data._kernel_sums import kernel_sums
from latent_nmr.data._record import HAS_LENGTH, check_same_rows, read_signals, spin_echo_attributes
from latent_nmr.data._text import Table, read_table
from latent_nmr.data.echoes import assemble
from latent_nmr.errors import InputError, check_count

FloatArray = npt.NDArray[np.float64]

# The files of real and imaginary parts, M_x and M_y.
LATTICE_FILES = ("echos_r", "echos_i")
SAMPLE_INTERVAL = 1 / (2 * math.pi)
COUPLINGS = ("αx", "αy", "αz")
NOT_READ = ("s", "p", "d", "pulse90", "pulse180")
COLUMNS = (*COUPLINGS, "ξ", "pow", "Γ3", "stencil_type", *NOT_READ)
STENCILS = ("gaussian", "power", "rkky")  # by number


def open_lattice_code(
    folder: Path | str,
    *,
    n_samples: int | None = 1882,
    pulse_spacing: int = 628,
    n_edge: int = 100,
) -> xr.Dataset:
    """Read an output folder of the lattice code behind [P].

    `echos_r`, `echos_i`: a row per curve, with or without a space at its end, samples 1/(2π) µs
    apart. `w_list.txt`: W, a row per curve, taken as it is but for its sign. `echo_params.txt`:
    αx αy αz ξ pow Γ3 stencil_type s p d pulse90 pulse180, of which the last five are not read.
    Stencil 0 is the Gaussian with ξ, 1 the power law r^-pow, 2 RKKY with γ = ξ. The code's α is
    per pair of spins, so the label is |α κ|. Γ3 is read as the rate of a Lindblad operator
    √Γ3 I^z, so that R = Γ3/2.

    Parameters
    ----------
    folder : path-like
        Where the files are.
    n_samples : int, optional
        Number of samples to keep, from the first; None, or more than there are, keeps all.
    pulse_spacing : int
        τ in samples; the echo is at twice that and must be among the samples kept.
    n_edge : int
        Lattice edge, in sites.

    Returns
    -------
    xarray.Dataset
        `mx`, `my` (n_curves, n_kept), labelled.

    Raises
    ------
    InputError
        Naming file, line and rule.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import latent_nmr as ln
    >>> folder = Path("output")
    >>> folder.mkdir()
    >>> for name in ("echos_r", "echos_i"):
    ...     np.savetxt(folder / name, np.full((1, 101), 0.25))
    >>> row = "0.0001 0.0001 0.00005 12.5 0 0 0 1 1 0 1 1"
    >>> _ = (folder / "echo_params.txt").write_text(row)
    >>> _ = (folder / "w_list.txt").write_text("0.12")
    >>> ds = ln.open_lattice_code(folder, pulse_spacing=40)
    >>> ds.kernel.item(), ds.W.item(), ds.attrs["echo_index"]
    ('gaussian', 0.12, 80)
    """
    folder = Path(folder)
    stop = None if n_samples is None else check_count("n_samples", n_samples)
    check_count("pulse_spacing", pulse_spacing)
    paths = [folder / name for name in LATTICE_FILES]
    signals = {name: rows[:, :stop] for name, rows in read_signals(paths).items()}
    n_kept = signals["mx"].shape[1]
    if n_kept <= 2 * pulse_spacing:
        raise InputError(
            f"{paths[0]} must reach the echo, sample {2 * pulse_spacing} for pulse_spacing = "
            f"{pulse_spacing}, but {n_kept} samples are kept of it. Give the record's own "
            "pulse_spacing, or a larger n_samples."
        )
    table_path, strength_path = folder / "echo_params.txt", folder / "w_list.txt"
    table = read_table(table_path, len(COLUMNS))
    strength = read_table(strength_path, 1).values[:, 0]
    n_rows = {table_path: len(table.values), strength_path: len(strength)}
    check_same_rows({paths[0]: len(signals["mx"])} | n_rows)
    labels = _labels(table, n_edge) | {"W": np.abs(strength)}
    attributes = spin_echo_attributes(
        "lattice code", n_edge, SAMPLE_INTERVAL, n_kept, pulse_spacing
    )
    return assemble(signals, SAMPLE_INTERVAL * np.arange(n_kept), labels, attributes)


def _labels(table: Table, n_edge: int) -> dict[str, npt.NDArray[Any]]:
    """Labels of the data set, but for W, from the rows of `echo_params.txt`."""
    column = dict(zip(COLUMNS, table.values.T, strict=True))
    stencil = column["stencil_type"]
    table.check_column("stencil_type", stencil, np.isin(stencil, (0, 1, 2)), "0, 1 or 2")
    table.check_column("Γ3", column["Γ3"], column["Γ3"] >= 0, ">= 0")
    is_power = stencil == 1
    table.check_column("ξ", column["ξ"], is_power | (column["ξ"] > 0), "> 0")
    table.check_column("pow", column["pow"], ~is_power | (column["pow"] > 0), "> 0")
    for name in COUPLINGS:
        # RKKY's κ is negative, and codes differ in which of α and κ carries the sign.
        allowed = (stencil == 2) | (column[name] >= 0)
        table.check_column(name, column[name], allowed, ">= 0")
    lowest, highest = table.values[:, :3].min(axis=1), table.values[:, :3].max(axis=1)
    one_sign = (lowest >= 0) | (highest <= 0)
    table.check_column("αx, αy, αz", lowest, one_sign, "of one sign")
    parameter = np.where(is_power, column["pow"], column["ξ"])
    kernel_sum, length = np.empty((2, len(table.values)))
    for number, kernel in enumerate(STENCILS):
        rows = stencil == number
        kernel_sum[rows], length[rows] = kernel_sums(kernel, parameter[rows], n_edge)
    table.check_column("ξ or pow", parameter, np.isfinite(length), HAS_LENGTH)
    couplings = np.abs(table.values[:, :3] * kernel_sum[:, None])
    return {
        "alpha_x": couplings[:, 0],
        "alpha_y": couplings[:, 1],
        "alpha_z": couplings[:, 2],
        "L": length,
        "kernel": np.array(STENCILS)[stencil.astype(int)],
        "kernel_parameter": parameter,
        "decay_rate": column["Γ3"] / 2,
    }
