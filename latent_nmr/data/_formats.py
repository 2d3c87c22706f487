"""Formats by the names of their files."""

from pathlib import Path

from latent_nmr.errors import InputError

# Suffix: name of the format that a file or folder of that name should have.
SUFFIXES = {".zarr": "zarr", ".npz": "compact", ".nc": "netcdf", ".csv": "csv"}


def check_store_name(path: Path) -> None:
    """Refuse a new store whose name says that it is a file of another format."""
    named = SUFFIXES.get(path.suffix.lower(), "zarr")
    if named != "zarr" and not path.exists():
        raise InputError(
            f"simulated curves must go into a zarr store, which can be continued, but {path} has "
            f"the name of another format ({named}). Simulate into {path.with_suffix('.zarr')}, and "
            f"write that to {path.name} with ln.save_echoes."
        )
