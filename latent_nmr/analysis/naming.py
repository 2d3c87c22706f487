"""Axes that name themselves: which label each latent axis orders, and which it depends on.

Notation: ρ is Spearman's coefficient of an axis with a label, I their mutual information in
nats. An axis *orders* a label if |ρ| exceeds chance in every seed, and *depends* on it if I does;
chance is the 95 % quantile of the largest over all labels, shuffled (see
`latent_nmr.analysis.strength`). This is the null that the sentences quote. Axes are not
corrected for: each has its own sentence.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state

from latent_nmr.analysis._clouds import check_clouds
from latent_nmr.analysis.strength import FEWEST_PERMUTATIONS, Labels, LabelStrength, measure, pool
from latent_nmr.errors import InputError, check_count
from latent_nmr.latent_axes import axis_names

# With fewer, chance reaches |ρ| = 0.4 and three neighbours are a good part of the data.
FEWEST_CURVES = 20


@dataclass(frozen=True)
class AxisName:
    """What a latent axis does, in one sentence and in numbers.

    Attributes
    ----------
    axis : str
        LA1, LA2, ….
    sentence : str
        "LA1 orders W (|ρ| 0.86 ± 0.01, null 95 % 0.12)".
    orders : str or None
        Of the labels ordered in every seed, the one with the largest mean |ρ|.
    depends_on : str or None
        Of the labels depended on in every seed, the one with the largest mean I.
    labels : tuple of LabelStrength
        In the order given; empty if the axis cannot be named.
    left_out : dict
        Labels that could not be used, with the reason.
    n_curves : tuple of int
        Per seed.
    n_permutations, n_information_permutations : int
        Shuffles behind the nulls of |ρ| and of I, over all seeds.
    """

    axis: str
    sentence: str
    orders: str | None
    depends_on: str | None
    labels: tuple[LabelStrength, ...]
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
        Numbers, or strings for a nominal label. One that is constant or has missing values is
        left out, with the reason.
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
        words = f"is not named: {problem}" if problem else _predicate(strengths)
        result.append(
            AxisName(
                axis,
                f"{axis} {words}",
                orders,
                depends_on,
                strengths,
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
        max(ordered, key=_mean_order, default=None),
        max(known, key=lambda label: label.information.mean, default=None),
    )


def _predicate(labels: Sequence[LabelStrength]) -> str:
    """Say what an axis does."""
    orders, depends_on = _strongest(labels)
    if orders is not None:
        return _ordering(orders, depends_on, labels)
    return _nothing(labels) if depends_on is None else _dependence(depends_on)


def _ordering(
    orders: LabelStrength, depends_on: LabelStrength | None, labels: Sequence[LabelStrength]
) -> str:
    """Words for an axis that orders a label; another that it tells more of is not kept quiet."""
    order = orders.order
    assert order is not None
    text = f"orders {orders.label} (|ρ| {order}, null 95 % {order.null_of_largest:.2f})"
    rivals = np.array([label.order.values for label in labels if label.order])
    n_largest = int((rivals.max(axis=0) == order.values).sum())
    if n_largest < len(order.values):
        text += f", the largest |ρ| in {n_largest} of {len(order.values)} seeds"
    others = [label for label in labels if label.order and label.order.is_above]
    others = sorted((label for label in others if label is not orders), key=_mean_order)[::-1]
    if others:
        text += ", then " + ", ".join(f"{label.label} {label.order}" for label in others)
    if depends_on is not None and _tells_more(depends_on, orders):
        text += (
            f", but tells more of {depends_on.label} ({_information(depends_on)}, against "
            f"{orders.information} of {orders.label})"
        )
    return text


def _tells_more(one: LabelStrength, other: LabelStrength) -> bool:
    """Whether I with one label is the larger in every seed, by more than chance.

    Chance is the null at I = 0, the least that two estimates can differ by without meaning.
    """
    gain = np.subtract(one.information.values, other.information.values)
    return bool((gain > one.information.null_of_largest).all())


def _dependence(label: LabelStrength) -> str:
    """Words for an axis that depends on a label without ordering any."""
    if label.order is None:
        return f"depends on {label.label}, which has no order ({_information(label)})"
    if label.order.n_above:
        where = f"orders it in {label.order.n_above} of {len(label.rho)} seeds only"
    else:
        where = "does not order it"
    return (
        f"depends on {label.label} but {where} ({_information(label)}; |ρ| {label.order}, "
        f"null 95 % {label.order.null_of_largest:.2f})"
    )


def _nothing(labels: Sequence[LabelStrength]) -> str:
    """Words for an axis with no label above chance in every seed."""
    numeric = [label for label in labels if label.order]
    names = ", ".join(label.label for label in numeric or labels)
    if not numeric:
        largest = max(labels, key=lambda label: label.information.mean)
        return f"depends on nothing among {names} ({_information(largest)})"
    largest = max(numeric, key=_mean_order)
    order = largest.order
    assert order is not None
    where = " in every seed" if order.n_above else ""
    text = f"orders nothing{where} among {names} (largest |ρ| {order} with {largest.label}, "
    if order.n_above:
        text += f"above the null in {order.n_above} of {len(order.values)} seeds, "
    return text + f"null 95 % {order.null_of_largest:.2f})"


def _information(label: LabelStrength) -> str:
    known = label.information
    return f"MI {known} nats, null 95 % {known.null_of_largest:.2f}"


def _mean_order(label: LabelStrength) -> float:
    return label.order.mean if label.order else 0.0


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
        is_missing = values != values if values.dtype.kind in "fc" else np.zeros(len(values), bool)
        n_missing = int(is_missing[np.unique(np.concatenate(rows))].sum())
        if n_missing:
            reasons[name] = f"has {n_missing} missing values"
        elif any(len(np.unique(values[chosen])) < 2 for chosen in rows):
            reasons[name] = "is constant"
    return reasons


def _check_labels(labels: Labels, n_curves: int) -> dict[str, npt.NDArray[np.generic]]:
    """Return the labels as arrays of numbers or strings, or raise if their shape is wrong."""
    columns = {}
    for name, values in labels.items():
        column = np.asarray(values)
        if column.shape != (n_curves,):
            raise InputError(
                f"label {name} must have shape (n_curves,) = ({n_curves},), one value per row of "
                f"the latents, but has shape {column.shape}. Give the labels of the same curves."
            )
        if column.dtype.kind == "O":
            column = column.astype(str)
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
