"""The table of an evaluation: one row per method and dimension, one value per seed in each cell.

As JSON it is ``{"rows": [{"role", "method", "n_components", "seeds", "scores", ...}, ...]}``, so
that whoever has the file can compute any other summary.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Any

from latent_nmr.analysis.score_names import METHOD_TITLES, by_current_name, in_order

ROLES = ("method", "ceiling", "floor")


@dataclass(frozen=True)
class Cell:
    """Values of one score, one per seed.

    Attributes
    ----------
    values : tuple of float
    """

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean over seeds."""
        return fmean(self.values)

    @property
    def deviation(self) -> float:
        """Sample standard deviation over seeds; 0 for one seed."""
        return stdev(self.values) if len(self.values) > 1 else 0.0

    def text(self, digits: int = 3) -> str:
        """Mean, and after ± the deviation if there are several seeds."""
        spread = f" ± {self.deviation:.{digits}f}" if len(self.values) > 1 else ""
        return f"{self.mean:.{digits}f}{spread}"


@dataclass(frozen=True)
class Row:
    """Scores of one method at one dimension.

    Attributes
    ----------
    method : str
        One of `METHOD_TITLES`.
    n_components : int or None
        Coordinates; None for the ceiling, which sees the curves.
    seeds : tuple of int
    scores : dict of tuple of float
        By the names of `score_names`, one value per seed; a score that a method does not have is
        not there.
    role : str
        One of `ROLES`.
    seconds : tuple of float
        To fit, per seed; empty where unknown.
    """

    method: str
    n_components: int | None
    seeds: tuple[int, ...]
    scores: Mapping[str, tuple[float, ...]]
    role: str = "method"
    seconds: tuple[float, ...] = field(default=())

    def __post_init__(self) -> None:
        for name, values in self.scores.items():
            if len(values) != len(self.seeds):
                raise ValueError(
                    f"scores must have one value per seed, but {name} of {self.method} has "
                    f"{len(values)} for {len(self.seeds)} seeds. Give as many."
                )

    @property
    def title(self) -> str:
        """Method and dimension in words."""
        name = METHOD_TITLES.get(self.method, self.method)
        return name if self.n_components is None else f"{name}, {self.n_components}"

    def cell(self, score: str) -> Cell | None:
        """Values of a score, or None."""
        values = self.scores.get(score)
        return None if not values else Cell(tuple(values))

    def as_json(self) -> dict[str, Any]:
        """The row with plain values."""
        return {
            "role": self.role,
            "method": self.method,
            "n_components": self.n_components,
            "seeds": list(self.seeds),
            "scores": {name: list(values) for name, values in self.scores.items()},
            "seconds": list(self.seconds),
        }

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> "Row":
        """The row of `as_json`, that of an earlier version too."""
        scores = by_current_name(entry["scores"])
        return cls(
            method=entry["method"],
            n_components=entry["n_components"],
            seeds=tuple(entry["seeds"]),
            scores={name: tuple(values) for name, values in scores.items()},
            role=entry["role"],
            seconds=tuple(entry["seconds"]),
        )


def columns_of(rows: Sequence[Row]) -> list[str]:
    """Names of all scores that any row has, in the order of `SCORES`, |ρ| last."""
    return in_order(dict.fromkeys(name for row in rows for name in row.scores))


def find_row(
    rows: Sequence[Row], method: str, n_components: int | None = None, role: str = "method"
) -> Row | None:
    """The row of a method and dimension, or None."""
    for row in rows:
        if (row.method, row.n_components, row.role) == (method, n_components, role):
            return row
    return None
