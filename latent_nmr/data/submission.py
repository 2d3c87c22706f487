"""Submission files of the challenge [H]: one row of parameters per evaluation curve.

A file holds n rows of the edition's parameters in their physical units, separated by tabs. One
public entry sent standardised numbers; :func:`check_submission` refuses such a table.
[H]: the NMR challenge of the ML4SCI hackathon, 2020 and 2021.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from latent_nmr._files import staged_file
from latent_nmr.data._text import data_lines, read_table, read_text, split_lines
from latent_nmr.data.challenge_files import CHALLENGES
from latent_nmr.errors import InputError, check_choice, check_count

FloatArray = npt.NDArray[np.float64]

SUBMISSION_NAMES = {
    "2020": "submitted_mat_info.txt",
    "2021-gauss": "gauss_mat_info_eval.txt",
    "2021-rkky": "RKKY_mat_info_eval.txt",
}
# All significant digits of float32.
NUMBER = "%.7g"
# Limits of mean and standard deviation for standardised targets, also those a model shrinks.
LARGEST_MEAN, LARGEST_DEVIATION = 0.5, 1.5


def write_submission(path: Path, values: FloatArray, kind: str) -> FloatArray:
    """Write predictions as a submission, after the checks of :func:`check_submission`.

    Predictions outside the range of a parameter are moved to its bound: a network knows none.

    Parameters
    ----------
    path : Path
    values : ndarray, shape (n_curves, n_parameters)
        In physical units, in the order of the edition's columns.
    kind : {"2020", "2021-gauss", "2021-rkky"}

    Returns
    -------
    ndarray
        The values written.
    """
    kept = values.copy()
    for column, (rule, _) in enumerate(_rules(kind).values()):
        least = 0.0 if rule == ">= 0" else 1e-3
        kept[:, column] = np.maximum(kept[:, column], least)
    with staged_file(path) as staging:
        np.savetxt(staging, kept, fmt=NUMBER, delimiter="\t", encoding="utf-8")
        check_submission(staging, kind, n_rows=len(values))
    return kept


def check_submission(path: Path, kind: str, n_rows: int | None = None) -> FloatArray:
    """Read a submission file and check it.

    Parameters
    ----------
    path : Path
    kind : {"2020", "2021-gauss", "2021-rkky"}
    n_rows : int, optional
        Curves of the evaluation set.

    Returns
    -------
    ndarray, shape (n_rows, n_parameters)

    Raises
    ------
    InputError
        For another number of rows or columns, other separators than tabs, a number that is not
        finite or cannot be that parameter, and for standardised numbers.
    """
    if n_rows is not None:
        check_count("n_rows", n_rows)
    rules = _rules(kind)
    found = read_table(path, len(rules))
    for number, line in zip(*data_lines(split_lines(read_text(path))), strict=True):
        if line.count("\t") != len(rules) - 1 or " " in line.strip():
            raise InputError(
                f"{path}, line {number}: numbers must be separated by one tab each, but the "
                f"line is {line[:60]!r}. Write them with tabs between them only."
            )
    table = found.values
    if n_rows is not None and len(table) != n_rows:
        raise InputError(
            f"{path} must have one row per evaluation curve ({n_rows}), but has {len(table)}. "
            "Predict all curves, in their order."
        )
    _refuse_standardised(path, table)
    for column, (name, (rule, holds)) in enumerate(rules.items()):
        found.check_column(name, table[:, column], holds(table[:, column]), rule)
    return table


def _refuse_standardised(path: Path, table: FloatArray) -> None:
    """Raise if all columns have a mean of about 0 and a standard deviation of at most about 1."""
    centred = np.abs(table.mean(axis=0)) < LARGEST_MEAN
    if np.all(centred & (table.std(axis=0) < LARGEST_DEVIATION)) and np.any(table < 0):
        raise InputError(
            f"{path} must hold physical units, but every column has a mean near 0 and negative "
            f"numbers (first row {table[0].round(3).tolist()}): are they standardised? Undo the "
            "scaling."
        )


def _rules(kind: str):
    check_choice("edition", kind, SUBMISSION_NAMES)
    return CHALLENGES[kind].rules
