"""The result of a probe: records, tables, figures, and what these are drawn from."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from latent_nmr.studies._result import StudyResult
from latent_nmr.studies.probes.data import Material
from latent_nmr.studies.probes.measurements import STUDY
from latent_nmr.studies.probes.tables import held_out_table, tables_of

# Middle half of a class.
BAND = (25, 75)
POWER, OTHERS = "power", "others"


class ProbeResult(StudyResult):
    """What :func:`latent_nmr.probe` measured.

    Attributes
    ----------
    records : DataFrame
        One score per row: `target` and `group` of kernels, `features`, `model`, `seed`, `score`,
        `value`; `table` it belongs to, `protocol` (what is scored), `labels` (`given`, or
        `shuffled` for a negative control); `by` and `bin` of W, `round` and `n_kept` of a feature
        elimination, where these apply.
    table : DataFrame
        Mean and standard deviation over seeds of every score on the held-out part.
    tables : dict of list of dict
        Every table, as `probe.json` holds it.
    facts : dict
        Settings, numbers of curves, `confusions`, `eliminations`, and which of `arrays` hold
        `importances` (n_seeds, n_features) and `predictions` (n_held_out,) of what.
        `constant_labels` says where an R² is left out, because the target has one value only:
        `target`, `group`, `part` (`training` for R² out of bag) and `seeds`.
    failures : list of dict
        `model`, `features`, `target`, `seed` and `reason` of every fit that failed.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> ds = ln.simulate("paper", n_curves=120, seed=0, n_edge=10, step=4)
    >>> result = ln.probe(ds, features="points", targets="W", n_seeds=1)
    >>> list(result.figures)
    ['sections', 'importances_W', 'regression', 'parity']
    >>> result.records.query("labels == 'given'")["score"].unique().tolist()
    ['r2', 'mae', 'r2_out_of_bag', 'mae_out_of_bag']
    """

    study = STUDY

    @property
    def table(self) -> pd.DataFrame:
        """Mean and standard deviation over seeds of every score on the held-out part."""
        return held_out_table(self.records)

    @cached_property
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Every table: classification, regression, resampling, leak and so on."""
        return tables_of(self)

    def _drawers(self) -> dict[str, Callable[[], Any]]:
        from latent_nmr.studies.probes.figures import drawers_of

        return drawers_of(self)


def arrays_to_draw(material: Material) -> dict[str, np.ndarray]:
    """What figures need of curves and labels: mean curves and bands, held-out labels.

    Returns
    -------
    dict of ndarray
        `time`, `mean_curve` and `middle_curve` (n_samples,), the curve in the middle of the order
        by height; `truth/TARGET` of the held-out part of the first seed; `class_names` and
        `class_curves`, (n_classes, 4, n_samples): mean, lower and upper end of the band, variance.
    """
    curves, rows = material.curves, material.split(0).held_out
    order = np.argsort(curves.max(axis=1))
    found: dict[str, np.ndarray] = {
        "time": material.time,
        "mean_curve": curves.mean(axis=0),
        "middle_curve": curves[order[len(order) // 2]],
    }
    found |= {f"truth/{name}": values[rows] for name, values in material.labels.items()}
    if material.kernels is not None and POWER in material.kernels:
        classes = {
            POWER: material.kernels == POWER,
            OTHERS: material.kernels != POWER,
            **{name: material.kernels == name for name in np.unique(material.kernels)},
        }
        classes = {name: members for name, members in classes.items() if members.any()}
        found["class_names"] = np.array(list(classes))
        found["class_curves"] = np.array(
            [_mean_and_band(curves[members]) for members in classes.values()]
        )
    return found


def _mean_and_band(curves: np.ndarray) -> np.ndarray:
    """Mean, ends of the middle half, variance of curves, (4, n_samples)."""
    low, high = np.percentile(curves, BAND, axis=0)
    return np.array([curves.mean(axis=0), low, high, curves.var(axis=0)])
