"""What every study returns: measurements as tidy records, and what is needed to draw them."""

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from latent_nmr._files import staged_folder
from latent_nmr._json import json_value
from latent_nmr._regular import regular
from latent_nmr.errors import InputError

RESULT_FILE, ARRAYS_FILE = "result.json", "arrays.npz"
FORMAT_VERSION = 1
FIGURE_SUFFIXES = (".png", ".pdf", ".svg")
# One measurement: every record has these, in this order; a study may add columns of its own.
RECORD_COLUMNS = ("study", "target", "group", "features", "model", "seed", "score", "value")


def figure_path(out: Path) -> Path:
    """File of a figure: its name may end in a format, else it is a PNG."""
    return out if out.suffix in FIGURE_SUFFIXES else out.with_name(out.name + FIGURE_SUFFIXES[0])


class Figures(Mapping[str, Any]):
    """Figures by name, each drawn when it is first asked for.

    Parameters
    ----------
    drawers : mapping of callables
        What draws each figure, without arguments.
    """

    def __init__(self, drawers: Mapping[str, Callable[[], Any]]):
        self._drawers, self._drawn = dict(drawers), {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._drawn:
            self._drawn[name] = self._drawers[name]()
        return self._drawn[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._drawers)

    def __len__(self) -> int:
        return len(self._drawers)

    def __repr__(self) -> str:
        return f"Figures({', '.join(self._drawers)})"

    def save(self, folder: Path | str, suffixes: Sequence[str] = (".png",)) -> list[Path]:
        """Write every figure into a folder, made if need be, in each format that is named."""
        from latent_nmr.plots.style import save_figure

        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        return [
            save_figure(self[name], folder / f"{name}{end}") for name in self for end in suffixes
        ]


class StudyResult:
    """Result of a study.

    Parameters
    ----------
    records : DataFrame
        One measurement per row, with the columns of `RECORD_COLUMNS` first.
    facts : mapping
        Everything else that is said of the study, as JSON holds it.
    arrays : mapping of ndarray, optional
        What the figures are drawn from.
    failures : sequence of mapping, optional
        For each fit that failed: `model`, `seed` and `reason`.
    """

    study: ClassVar[str]

    def __init__(
        self,
        records: pd.DataFrame,
        facts: Mapping[str, Any],
        arrays: Mapping[str, np.ndarray] | None = None,
        failures: Sequence[Mapping[str, Any]] = (),
    ):
        self.records = records
        self.facts = dict(facts)
        self.arrays = dict(arrays or {})
        self.failures = [dict(failure) for failure in failures]
        self._figures: Figures | None = None

    def __repr__(self) -> str:
        failed = f", {len(self.failures)} failed fits" if self.failures else ""
        return f"<{type(self).__name__}: {len(self.records)} records{failed}; .table, .figures>"

    @property
    def table(self) -> pd.DataFrame:
        """Mean, standard deviation over seeds and number of values of every score."""
        return summarise(self.records)

    @property
    def figures(self) -> Figures:
        """Figures by name, each drawn when it is first asked for; what is changed in it stays."""
        if self._figures is None:
            self._figures = Figures(self._drawers())
        return self._figures

    def __getstate__(self) -> dict[str, Any]:
        """State without the figures, which a copy draws for itself."""
        return self.__dict__ | {"_figures": None}

    def _drawers(self) -> dict[str, Callable[[], Any]]:
        """What draws each figure that the result has."""
        return {}

    def save(self, path: Path | str, *, overwrite: bool = False) -> None:
        """Write the result into a new folder, atomically.

        Parameters
        ----------
        path : path-like
        overwrite : bool
            Replace an earlier result of the same study.

        Raises
        ------
        InputError
            If `path` holds anything else, or a result that is not to be replaced.
        """
        path = Path(path)
        self._check_place(path, overwrite=overwrite)
        with staged_folder(path) as staging:
            self.write_into(staging)

    def write_into(self, folder: Path) -> None:
        """Write the files of the result into an existing folder."""
        head = {
            "format": f"latent_nmr.{self.study}",
            "version": FORMAT_VERSION,
            "facts": self.facts,
            "failures": self.failures,
            "records": _as_columns(self.records),
        }
        text = (
            json.dumps(json_value(head, any_key=True), ensure_ascii=False, allow_nan=False) + "\n"
        )
        (folder / RESULT_FILE).write_text(text, "utf-8")
        content = io.BytesIO()
        entries: dict[str, Any] = self.arrays
        np.savez_compressed(content, **entries)
        (folder / ARRAYS_FILE).write_bytes(content.getvalue())

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a result that :meth:`save` wrote; nothing in it is executed.

        Raises
        ------
        InputError
            If there is no result of this study at `path`, or it is damaged.
        """
        path = Path(path)
        for name in (RESULT_FILE, ARRAYS_FILE):
            regular(path / name)
        try:
            head = json.loads((path / RESULT_FILE).read_text("utf-8"))
            found = head["format"], head["version"]
            records = _from_columns(head["records"])
            with np.load(path / ARRAYS_FILE, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            facts, failures = head["facts"], head["failures"]
        except Exception as error:  # each reader has kinds of its own for a damaged file
            raise InputError(
                f"path must be a folder that save wrote, but {path} cannot be read as one "
                f"({type(error).__name__}: {error}). Give the folder of a saved result."
            ) from error
        wanted = f"latent_nmr.{cls.study}", FORMAT_VERSION
        if found != wanted:
            raise InputError(
                f"path must hold a result of the format {wanted[0]!r}, version {wanted[1]}, but "
                f"{path} says {found[0]!r}, version {found[1]!r}. Load it with its own class."
            )
        return cls(records, facts, arrays, failures)

    def own_files(self) -> set[str]:
        """Names of the files that :meth:`save` writes."""
        return {RESULT_FILE, ARRAYS_FILE}

    def _check_place(self, path: Path, *, overwrite: bool) -> None:
        if not path.exists() or (path.is_dir() and not any(path.iterdir())):
            return
        own = self.own_files()
        names = {entry.name for entry in path.iterdir()} if path.is_dir() else set()
        if RESULT_FILE not in names or names - own:
            raise InputError(
                f"path must be a new folder or an earlier result, but {path} holds something "
                "else. Choose another."
            )
        if not overwrite:
            raise InputError(
                f"path must be a new folder, but {path} holds a result. Choose another, or pass "
                "overwrite=True."
            )


def record(study: str, **facts: Any) -> dict[str, Any]:
    """One row of the records, with every column of `RECORD_COLUMNS`; text columns may be empty."""
    row: dict[str, Any] = dict.fromkeys(RECORD_COLUMNS[:5], "")
    return row | {"study": study} | facts


def as_records(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows of `record` as a DataFrame, the common columns first."""
    extra = [name for name in (rows[0] if rows else {}) if name not in RECORD_COLUMNS]
    return pd.DataFrame(list(rows), columns=[*RECORD_COLUMNS, *extra])


def summarise(records: pd.DataFrame) -> pd.DataFrame:
    """Group records by all but seed and value: `mean`, `sd` (sample, over seeds), `n_seeds`."""
    keys = [name for name in records.columns if name not in ("seed", "value")]
    grouped = records.groupby(keys, sort=False, dropna=False)["value"]
    return grouped.agg(mean="mean", sd="std", n_seeds="count").reset_index()


def _as_columns(records: pd.DataFrame) -> dict[str, list[Any]]:
    """Columns as JSON holds them: NaN becomes null."""
    return {
        str(name): [None if value != value else value for value in records[name].tolist()]
        for name in records.columns
    }


def _from_columns(columns: Mapping[str, list[Any]]) -> pd.DataFrame:
    """The records of `_as_columns`."""
    records = pd.DataFrame(dict(columns))
    types: Any = {"value": np.float64}
    if "seed" in records and records["seed"].isna().all():
        types["seed"] = np.float64  # as before saving: JSON holds no NaN
    return records.astype(types)
