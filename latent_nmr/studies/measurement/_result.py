"""The result of measured echoes: a table, figures, and a file of JSON that holds all of it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from latent_nmr._files import staged_file
from latent_nmr._json import json_value
from latent_nmr._regular import regular
from latent_nmr.errors import InputError
from latent_nmr.latent_axes import axis_names
from latent_nmr.studies._result import Figures
from latent_nmr.studies.measurement._records import (
    LABELS,
    VERDICTS,
    Estimate,
    FileResult,
    RecordResult,
    ReferenceMap,
)

if TYPE_CHECKING:
    import pandas as pd

FORMAT, VERSION = "latent_nmr.measurement", 1
CURVES = ("time", "measured", "decoded", "nearest")
ENDS = ("low68", "high68", "low95", "high95")


class MeasurementResult:
    """Points, estimates and verdicts of measured echoes.

    `table` has one row per record; `figures` three for each: its curve, its place on the latent map
    where it has one, and its estimates.

    Parameters
    ----------
    files : sequence of FileResult
    model : mapping
        What is known of the model, as JSON holds it; `name` among it.
    reference : ReferenceMap
        Becomes `map`.

    Examples
    --------
    >>> import numpy as np
    >>> import latent_nmr as ln
    >>> noise = np.random.default_rng(0).normal(size=(1500, 2)) @ [1, 1j]
    >>> np.savez("coil.npz", signal=noise, dwell=0.2, time_unit="µs")
    >>> r = ln.measure(["coil.npz", "absent.tnt"], pulse_separation=100)
    >>> r
    <MeasurementResult: 1 NO ECHO, 1 refused; .table, .figures>
    >>> r.refused[0]["cure"]
    "Check the folder and the file's name."
    >>> r.save("r.json")
    >>> list(ln.MeasurementResult.load("r.json").figures)
    ['coil_0_curves']
    """

    def __init__(
        self, files: Sequence[FileResult], model: Mapping[str, Any], reference: ReferenceMap
    ):
        self.files = list(files)
        self.model = dict(model)
        self.map = ReferenceMap(
            np.asarray(reference.points, dtype=np.float64),
            {name: np.asarray(values) for name, values in reference.labels.items()},
        )
        self._figures: Figures | None = None
        n_curves = len(self.map.points)
        odd = {name: v.shape for name, v in self.map.labels.items() if v.shape != (n_curves,)}
        if self.map.points.ndim != 2 or odd:
            raise InputError(
                "reference must have points (n_curves, n_components) and labels (n_curves,), but "
                f"has {self.map.points.shape} and {odd}. Give the labels of the same curves."
            )

    def __repr__(self) -> str:
        counts = dict.fromkeys(VERDICTS, 0)
        for _, record in self.records():
            counts[record.verdict] += 1
        said = [f"{count} {verdict}" for verdict, count in counts.items() if count]
        said += [f"{len(self.refused)} refused"] if self.refused else []
        return f"<MeasurementResult: {', '.join(said) or 'nothing'}; .table, .figures>"

    def records(self) -> Iterator[tuple[FileResult, RecordResult]]:
        """Every record with its file."""
        for file in self.files:
            for record in file.records:
                yield file, record

    @property
    def refused(self) -> list[dict[str, str]]:
        """`path`, `reason` and `cure` of every file that could not be used."""
        return [dict(file.refused) for file in self.files if file.refused is not None]

    @property
    def table(self) -> "pd.DataFrame":
        """One row per record: verdict, point, estimates; frequencies in MHz of the sample.

        Columns `LA1`, `LA1_sd`, …, and for each label its mean, `_sd` and the ends of the 68 and
        95 % intervals; `kernel` is the likeliest, and each kernel has a column of its share.
        """
        import pandas as pd

        return pd.DataFrame([self._row(file, record) for file, record in self.records()])

    @property
    def figures(self) -> Figures:
        """Figures by name, each drawn when it is first asked for."""
        if self._figures is None:
            self._figures = Figures(self._drawers())
        return self._figures

    def __getstate__(self) -> dict[str, Any]:
        """State without the figures, which a copy draws for itself."""
        return self.__dict__ | {"_figures": None}

    def as_json(self, *, arrays: bool = True) -> dict[str, Any]:
        """All of it as JSON holds it; arrays with the digits of single precision.

        Parameters
        ----------
        arrays : bool
            With the curves of records and the latent map, which are most of it.
        """
        content = {
            "format": FORMAT,
            "version": VERSION,
            "model": self.model,
            "files": [_file_json(file, arrays=arrays) for file in self.files],
        }
        if arrays:
            labels = {name: _short(values) for name, values in self.map.labels.items()}
            content["map"] = {"points": _short(self.map.points), "labels": labels}
        return json_value(content)

    def save(self, path: Path | str, *, overwrite: bool = False) -> None:
        """Write the result into a file of JSON, atomically.

        Parameters
        ----------
        path : path-like
        overwrite : bool
            Replace a file that is there.

        Raises
        ------
        InputError
            If there is something at `path` that is not to be replaced.
        """
        path = Path(path)
        if path.exists() and not overwrite:
            raise InputError(
                f"path must be new, but {path} exists. Choose another, or pass overwrite=True."
            )
        with staged_file(path) as staging:
            text = json.dumps(self.as_json(), ensure_ascii=False, allow_nan=False)
            staging.write_text(f"{text}\n", "utf-8")

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a result that :meth:`save` wrote; nothing in it is executed.

        Raises
        ------
        InputError
            If there is none at `path`, or it is damaged.
        """
        path = Path(path)
        regular(path)
        try:
            content = json.loads(path.read_text("utf-8"))
            found = content["format"], content["version"]
            if found != (FORMAT, VERSION):
                raise ValueError(f"it says {found[0]!r}, version {found[1]!r}")
            labels = {name: np.asarray(v) for name, v in content["map"]["labels"].items()}
            known = ReferenceMap(np.asarray(content["map"]["points"]), labels)
            return cls([_file_of(entry) for entry in content["files"]], content["model"], known)
        except Exception as error:  # a damaged file has many ways
            raise InputError(
                f"path must be a file that save wrote, format {FORMAT!r}, version {VERSION}, but "
                f"{path} cannot be read as one ({type(error).__name__}: {error}). Give the file "
                "of a saved result."
            ) from error

    def _row(self, file: FileResult, record: RecordResult) -> dict[str, Any]:
        """One row of the table."""
        n_components = self.map.points.shape[1]
        nothing = np.full(n_components, np.nan)
        point = nothing if record.point is None else record.point
        sd = nothing if record.covariance is None else np.sqrt(np.diag(record.covariance).clip(0))
        row: dict[str, Any] = {"file": file.path, "record": record.record}
        row |= {name: getattr(record, name) for name in ("verdict", "p_value", "echo_p_value")}
        row |= {"echo_time": record.echo_time, "snr": record.snr}
        for name, value, error in zip(axis_names(n_components), point, sd, strict=True):
            row |= {name: float(value), f"{name}_sd": float(error)}
        for label in LABELS:
            found = record.estimates.get(label)
            row[label] = np.nan if found is None else found.mean
            for end in ("sd", *ENDS):
                row[f"{label}_{end}"] = np.nan if found is None else getattr(found, end)
        row["kernel"] = max(record.kernels, key=record.kernels.__getitem__, default="")
        for kernel in sorted({str(name) for name in self.map.labels.get("kernel", ())}):
            row[kernel] = record.kernels.get(kernel, np.nan)
        return row | {"reason": record.reason}

    def _drawers(self) -> dict[str, Callable[[], Any]]:
        """What draws each figure."""
        from latent_nmr.studies.measurement._figures import drawers

        return drawers(self.files, self.map)


def _short(values: npt.NDArray[Any]) -> Any:
    """Values as nested lists, numbers with the digits of single precision, None for NaN."""
    values = np.asarray(values)
    if values.dtype.kind not in "fiu":
        return values.tolist()
    if values.ndim > 1:
        return [_short(row) for row in values]
    return [None if v != v else float(str(v)) for v in values.astype(np.float32)]


def _file_json(file: FileResult, *, arrays: bool) -> dict[str, Any]:
    return {
        "path": file.path,
        "facts": file.facts,
        "steps": list(file.steps),
        "records": [_record_json(record, arrays=arrays) for record in file.records],
        "refused": file.refused,
    }


def _record_json(record: RecordResult, *, arrays: bool) -> dict[str, Any]:
    found: dict[str, Any] = {own.name: getattr(record, own.name) for own in fields(record)}
    curves = {name: found.pop(name) for name in CURVES}
    found["estimates"] = {label: asdict(one) for label, one in record.estimates.items()}
    for name in ("point", "covariance", "radii"):
        found[name] = None if found[name] is None else _short(found[name])
    return found | ({name: _short(values) for name, values in curves.items()} if arrays else {})


def _file_of(entry: Mapping[str, Any]) -> FileResult:
    """The file of :func:`_file_json`."""
    records = [_record_of(own) for own in entry["records"]]
    return FileResult(entry["path"], entry["facts"], entry["steps"], records, entry["refused"])


def _record_of(entry: Mapping[str, Any]) -> RecordResult:
    curves = {name: np.array(entry[name], dtype=np.float64) for name in CURVES}
    estimates = {label: Estimate(**own) for label, own in entry["estimates"].items()}
    return RecordResult(**{**entry, **curves, "estimates": estimates})
