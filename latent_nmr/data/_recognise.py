"""Which format a path holds: recognised by its content, or else by its suffix."""

from pathlib import Path

from latent_nmr._files import put_back_retired
from latent_nmr._regular import regular
from latent_nmr.data._formats import SUFFIXES
from latent_nmr.data.challenge_files import challenge_parts
from latent_nmr.data.lattice_code import LATTICE_FILES
from latent_nmr.errors import InputError

# First bytes of a file: its format.
_BEGINNINGS = {
    b"PK\x03\x04": "compact",
    b"CDF\x01": "netcdf",
    b"CDF\x02": "netcdf",
    b"# latent_nmr echo table": "csv",
}
_HDF5 = b"\x89HDF\r\n\x1a\n"
READABLE = (
    "a zarr store, a compact set (.npz), NetCDF 3 (.nc), a table of ln.save_echoes (.csv), or a "
    "folder of the challenge's files or of the lattice code's"
)


def recognise(path: Path) -> str:
    """Return the format of an echo data set: a value of `SUFFIXES`, "challenge" or "lattice code".

    What is in a file decides; its suffix does where the content is of no known kind, so that the
    format's own reader says what is wrong with it.

    Raises
    ------
    InputError
        If there is nothing at `path`, or nothing that can be read.
    """
    put_back_retired(path)
    if not regular(path).exists():
        raise InputError(
            f"data must be an existing file or folder, but there is nothing at {path}. Check the "
            "path, or simulate curves with latent-nmr simulate."
        )
    found = _of_folder(path) if path.is_dir() else _of_file(path)
    found = found or SUFFIXES.get(path.suffix.lower())
    if found is None:
        raise InputError(
            f"data must be {READABLE}, but {path} is none of these. Make the data set in Python "
            "and write it with ln.save_echoes."
        )
    return found


def _of_folder(path: Path) -> str | None:
    if any((path / name).exists() for name in ("zarr.json", ".zgroup")):
        return "zarr"
    if challenge_parts(path):
        return "challenge"
    if any((path / name).exists() for name in LATTICE_FILES):
        return "lattice code"
    return None


def _of_file(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            beginning = file.read(64).removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise InputError(
            f"data must be readable, but {path} cannot be read ({error.strerror}). Check its "
            "permissions."
        ) from error
    if beginning.startswith(_HDF5):
        raise InputError(
            f"NetCDF files must be of version 3, but {path} is of version 4 (HDF5). Convert it "
            "with nccopy -k classic, or xarray's to_netcdf(format='NETCDF3_64BIT')."
        )
    found = (kind for start, kind in _BEGINNINGS.items() if beginning.startswith(start))
    return next(found, None)
