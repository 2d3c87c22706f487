"""The result of a challenge: scores by part, model and seed, predictions, and figures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from latent_nmr.data.submission import SUBMISSION_NAMES, write_submission
from latent_nmr.errors import InputError
from latent_nmr.studies._result import StudyResult
from latent_nmr.studies.challenge import _figures

# Groups of records: parts of the data that models are scored on, beside further sets by name.
TEST_PART, EVALUATION_PART = "test part", "evaluation part"
TIME = "seconds"


class ChallengeResult(StudyResult):
    """Scores of models that read the parameters of one edition off its curves.

    `records` have the part of the data in `group` (`test part`, `evaluation part`, or the name of
    a further set), what the model sees in `features`, and the scores `mse` (of standardised
    targets; target `mean` and `sum` over all), `r2` and, for 2020, `score_2020`. `table` is their
    mean over seeds, one row per part and model. ``facts["part"]`` is `magnitude` where models saw
    |M| only, and ``facts["left_out"]`` says which targets are not predicted, and why.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> from sklearn.linear_model import Ridge
    >>> ds = ln.simulate("challenge2021-gauss", n_curves=40, n_edge=8, scheme="source")
    >>> r = ln.challenge("2021-gauss", ds, models={"ridge": Ridge()}, n_seeds=1)
    >>> r.table.index.tolist()
    [('test part', 'ridge')]
    """

    study = "challenge"

    @property
    def table(self) -> pd.DataFrame:
        """What a model sees, and the mean over seeds of every score.

        One row per part of the data and model.
        """
        records = self.records[self.records["score"] != TIME]
        if "angle_from" in records:
            records = records[records["angle_from"].isna()]
        names = [column_of(*pair) for pair in zip(records["score"], records["target"], strict=True)]
        rows = records.assign(column=names)
        keys = ["group", "model", "features"]
        table = rows.pivot_table("value", keys, "column", "mean", sort=False, observed=True)
        table = table[list(dict.fromkeys(names))].reset_index("features")
        return table.rename_axis(columns=None)

    def by_angle(self) -> dict[str, Any] | None:
        """R² of the couplings in bins of the pulse angle, of the edition spin; else None.

        Over the test parts of all seeds; within a bin, against the mean of the target over it.
        """
        if "angle_from" not in self.records:
            return None
        rows = self.records[self.records["angle_from"].notna()]
        edges = sorted({*rows["angle_from"], *rows["angle_to"]})
        scores: dict[str, dict[str, list[float]]] = {}
        for row in rows.to_dict("records"):
            by_model = scores.setdefault(str(row["target"]), {})
            by_model.setdefault(str(row["model"]), []).append(float(row["value"]))
        return {"edges_deg": edges, "r2": scores}

    def write_submission(self, path: Path | str) -> None:
        """Write the predictions of the evaluation curves as a file for the challenge.

        Those of the model named in ``facts["submitted"]``, first seed, after the checks of
        ``latent-nmr check-submission``.

        Raises
        ------
        InputError
            If there were no evaluation curves, or the edition has no submissions.
        """
        edition = self.facts["edition"]
        if "submission" not in self.arrays or edition not in SUBMISSION_NAMES:
            raise InputError(
                "a submission must be of evaluation curves and of an edition with files, but this "
                f"result of {edition} has none. Pass evaluation= to latent_nmr.challenge."
            )
        write_submission(Path(path), self.arrays["submission"], edition)

    def _drawers(self) -> dict[str, Callable[[], Any]]:
        found: dict[str, Callable[[], Any]] = {
            "curves": lambda: _figures.curves(self.facts, self.arrays),
            "parity": lambda: _figures.parity(self.facts, self.arrays),
        }
        for name in dict.fromkeys(("deep", self.facts["submitted"])):
            if f"saliency {name}" in self.arrays:
                found[f"saliency_{name}"] = lambda name=name: _figures.saliency(
                    self.facts, self.arrays, name
                )
        by_angle = self.by_angle()
        if by_angle is not None:
            found["angle"] = lambda: _figures.angle(self.facts, by_angle)
        return found


def column_of(score: str, target: str) -> str:
    """Name of a score of a target: `mse_alpha`, `score_2020`."""
    return f"{score}_{target}" if target else score
