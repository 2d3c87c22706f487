"""Tables on disk, written block by block: CSV, Parquet or npz by the name of the file."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latent_nmr.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


class CsvTable:
    """A text file; blocks are appended."""

    def __init__(self, path: Path):
        self._path, self._is_new = path, True

    def add(self, block: "pd.DataFrame") -> None:
        """Append rows; the first ones bring the header."""
        mode, header = ("w", True) if self._is_new else ("a", False)
        block.to_csv(self._path, index=False, mode=mode, header=header)
        self._is_new = False

    def close(self) -> None:
        """Nothing is left to write."""


class ParquetTable:
    """A Parquet file; a block is a row group."""

    def __init__(self, path: Path):
        self._path = path
        self._file: Any = None
        self._writer: Any = None

    def add(self, block: "pd.DataFrame") -> None:
        """Append a row group; the first one decides the types of the columns."""
        # By name: pyarrow need not be there for the types of this module to be checked.
        table, parquet = import_module("pyarrow").Table, import_module("pyarrow.parquet")
        schema = self._writer.schema if self._writer else None
        rows = table.from_pandas(block, schema=schema, preserve_index=False)
        if self._writer is None:
            # As a handle: pyarrow takes no name that is not UTF-8.
            self._file = self._path.open("wb")
            self._writer = parquet.ParquetWriter(self._file, rows.schema)
        self._writer.write_table(rows)

    def close(self) -> None:
        """Write the footer, without which the file cannot be read."""
        if self._writer is not None:
            self._writer.close()
            self._file.close()


class NpzTable:
    """One array per column, text as unicode; a zip file is written at once, so rows are held."""

    def __init__(self, path: Path):
        self._path = path
        self._blocks: list[dict[str, np.ndarray]] = []

    def add(self, block: "pd.DataFrame") -> None:
        """Keep the rows."""
        arrays = {name: block[name].to_numpy() for name in block.columns}
        self._blocks.append(
            {
                name: values if values.dtype.kind in "iuf" else values.astype(str)
                for name, values in arrays.items()
            }
        )

    def close(self) -> None:
        """Write the columns."""
        names = self._blocks[0] if self._blocks else ()
        columns: dict[str, Any] = {
            name: np.concatenate([block[name] for block in self._blocks]) for name in names
        }
        with self._path.open("wb") as handle:  # a name without .npz would be given one
            np.savez(handle, **columns)


FORMATS = {".csv": CsvTable, ".parquet": ParquetTable, ".npz": NpzTable}


def table_format(path: Path) -> type[CsvTable] | type[ParquetTable] | type[NpzTable]:
    """Return the writer for the suffix of `path`, or raise before anything is computed."""
    if path.suffix.lower() not in FORMATS:
        raise InputError(
            f"the file must end in {', '.join(FORMATS)}, which names the format, but is {path}. "
            f"Use {path.with_suffix('.csv') if path.name else 'embedding.csv'}."
        )
    chosen = FORMATS[path.suffix.lower()]
    if chosen is ParquetTable:
        try:
            import_module("pyarrow.parquet")
        except ImportError:
            raise InputError(
                f"the file must end in .csv or .npz where pyarrow is not installed, but is {path}. "
                "Install it with: pip install latent-nmr[parquet]"
            ) from None
    return chosen
