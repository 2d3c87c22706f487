"""Interpretation of latent axes: which label each orders, and which it depends on.

Notation: ρ is Spearman's coefficient of an axis with a label, I their mutual information in
nats. An axis *orders* a label if |ρ| exceeds chance in every seed, and *depends* on it if I does;
chance is the 95 % quantile of the largest over all labels, permuted (see
`latent_nmr.analysis.strength`). There is no correction for the number of axes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state

from latent_nmr.analysis._clouds import check_clouds
from latent_nmr.analysis.dependence import is_nominal
from latent_nmr.analysis.labels import is_missing, plain_label
from latent_nmr.analysis.strength import FEWEST_PERMUTATIONS, Labels, LabelStrength, measure, pool
from latent_nmr.errors import InputError, check_count
from latent_nmr.latent_axes import axis_names

# With fewer, chance reaches |ρ| = 0.4 and three neighbours are a good part of the data.
FEWEST_CURVES = 20


@dataclass(frozen=True)
class AxisName:
    """What a latent axis orders and depends on.

    Attributes
    ----------
    axis : str
        LA1, LA2, ….
    orders : str or None
        Of the labels ordered in every seed, the one with the largest mean |ρ|.
    depends_on : str or None
        Of the labels depended on in every seed, the one with the largest mean I.
    labels : tuple of LabelStrength
        In the order given; empty if the axis cannot be named.
    problem : str
        Why it cannot be named; empty if it can.
    left_out : dict
        Labels that could not be used, with the reason.
    n_curves : tuple of int
        Per seed.
    n_permutations, n_information_permutations : int
        Shuffles behind the nulls of |ρ| and of I, over all seeds.
    """

    axis: str
    orders: str | None
    depends_on: str | None
    labels: tuple[LabelStrength, ...]
    problem: str
    left_out: dict[str, str]
    n_curves: tuple[int, ...]
    n_permutations: int
    n_information_permutations: int


def name_axes(
    latents: npt.NDArray[np.floating] | Sequence[npt.NDArray[np.floating]],
    labels: Labels,
    *,
    rows: Sequence[npt.NDArray[np.integer]] | None = None,
    n_permutations: int = 999,
    n_information_permutations: int = 99,
    random_state: int | np.random.RandomState | None = 0,
    on_step: Callable[[], object] | None = None,
) -> list[AxisName]:
    """Say of each latent axis which label it orders and which it depends on.

    Parameters
    ----------
    latents : ndarray, shape (n_curves, n_components), or a sequence of these
        The same curves embedded by one model, or by one model per seed.
    labels : mapping of ndarray, shape (n_curves,)
        Numbers, or anything else for a nominal label. One that is constant or missing (NaN, None,
        empty) for any of the curves used is left out, with the reason; so is a nominal one with
        more classes than half of the curves, such as their names.
    rows : sequence of ndarray of int, optional
        Per seed, the curves to use, such as those that the model was not trained on.
    n_permutations, n_information_permutations : int
        Shuffles for the null of |ρ| and, as these take milliseconds each, fewer for that of I;
        at least 19 in all, shared evenly by the seeds (rounded up).
    random_state : int, RandomState or None
        Draws the shuffles.
    on_step : callable, optional
        Called after each axis of each seed.

    Raises
    ------
    InputError
        If latents, labels and rows do not fit together or a latent is not finite.
    """
    clouds = check_clouds(latents)
    columns = _check_labels(labels, len(clouds[0]))
    chosen = _check_rows(rows, clouds)
    for name, count in (
        ("n_permutations", n_permutations),
        ("n_information_permutations", n_information_permutations),
    ):
        check_count(name, count, at_least=FEWEST_PERMUTATIONS)
    left_out = _left_out(columns, chosen)
    usable = {name: values for name, values in columns.items() if name not in left_out}
    random = check_random_state(random_state)
    n_ranks, n_scores = (-(-n // len(clouds)) for n in (n_permutations, n_information_permutations))
    result = []
    for number, axis in enumerate(axis_names(clouds[0].shape[1])):
        values = [cloud[place, number] for cloud, place in zip(clouds, chosen, strict=True)]
        problem = _problem(values, usable, left_out)
        samples = []
        for seed_values, place in zip([] if problem else values, chosen, strict=False):
            seed_labels = {name: column[place] for name, column in usable.items()}
            samples.append(measure(seed_values, seed_labels, n_ranks, n_scores, random))
            if on_step is not None:
                on_step()
        strengths = pool(usable, samples) if samples else ()
        orders, depends_on = (label and label.label for label in _strongest(strengths))
        result.append(
            AxisName(
                axis,
                orders,
                depends_on,
                strengths,
                problem,
                left_out,
                tuple(map(len, chosen)),
                n_ranks * len(samples),
                n_scores * len(samples),
            )
        )
    return result


def _strongest(
    labels: Sequence[LabelStrength],
) -> tuple[LabelStrength | None, LabelStrength | None]:
    """Labels that an axis orders and depends on the most, above chance in every seed."""
    ordered = [label for label in labels if label.order and label.order.is_above]
    known = [label for label in labels if label.information.is_above]
    return (
        max(ordered, key=lambda label: label.mean_order, default=None),
        max(known, key=lambda label: label.information.mean, default=None),
    )


def _problem(
    columns: Sequence[npt.NDArray[np.floating]], usable: Labels, left_out: dict[str, str]
) -> str:
    """Why an axis cannot be named; empty if it can."""
    fewest = min(map(len, columns))
    if fewest < FEWEST_CURVES:
        return f"it takes {FEWEST_CURVES} curves, and there are {fewest}"
    n_constant = sum(np.ptp(column) == 0 for column in columns)
    if n_constant:
        where = f" in {n_constant} of {len(columns)} seeds" if len(columns) > 1 else ""
        return f"it is constant{where}"
    if not usable:
        reasons = ", ".join(f"{name} {reason}" for name, reason in left_out.items())
        return f"there is no label to name it by{f' ({reasons})' if reasons else ''}"
    return ""


def _left_out(labels: Labels, rows: Sequence[npt.NDArray[np.integer]]) -> dict[str, str]:
    """Labels that cannot be used, with the reason."""
    reasons = {}
    for name, values in labels.items():
        used = np.unique(np.concatenate(rows))
        n_missing = int(is_missing(values)[used].sum())
        counts = [len(np.unique(values[chosen])) for chosen in rows]
        if n_missing:
            unit = "curve" if n_missing == 1 else "curves"
            reasons[name] = f"is unknown for {n_missing} {unit}"
        elif min(counts) < 2:
            reasons[name] = "is constant"
        elif is_nominal(values) and any(
            2 * count > len(chosen) for count, chosen in zip(counts, rows, strict=True)
        ):
            reasons[name] = "has a class of its own for most curves"
    return reasons


def _check_labels(labels: Labels, n_curves: int) -> dict[str, npt.NDArray[np.generic]]:
    """Return the labels as arrays of numbers or strings, or raise if their shape is wrong."""
    columns = {}
    for name, values in labels.items():
        column = plain_label(name, values)
        if column.shape != (n_curves,):
            raise InputError(
                f"label {name} must have shape (n_curves,) = ({n_curves},), one value per row of "
                f"the latents, but has shape {column.shape}. Give the labels of the same curves."
            )
        columns[name] = column
    return columns


def _check_rows(
    rows: Sequence[npt.NDArray[np.integer]] | None, clouds: Sequence[npt.NDArray[np.floating]]
) -> list[npt.NDArray[np.integer]]:
    """Return the rows of each seed as index arrays: all, or those chosen."""
    if rows is None:
        return [np.arange(len(cloud)) for cloud in clouds]
    if len(rows) != len(clouds):
        raise InputError(
            f"rows must have one index array per latent array, {len(clouds)}, but has {len(rows)}. "
            "Give the rows of each seed."
        )
    return [np.arange(len(cloud))[chosen] for cloud, chosen in zip(clouds, rows, strict=True)]
