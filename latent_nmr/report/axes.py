"""Words for latent axes: which label each orders, and which it depends on."""

from collections.abc import Sequence
from operator import attrgetter

import numpy as np

from latent_nmr.studies.axes import AxisName, LabelStrength


def axis_sentence(name: AxisName) -> str:
    """Say what an axis orders or depends on: "LA1 orders W (|ρ| 0.86 ± 0.01, null 95 % 0.12)"."""
    return f"{name.axis} {_words(name)}"


def _words(name: AxisName) -> str:
    if name.problem:
        return f"is not named: {name.problem}"
    by_name = {label.label: label for label in name.labels}
    orders = by_name[name.orders] if name.orders is not None else None
    depends_on = by_name[name.depends_on] if name.depends_on is not None else None
    if orders is not None:
        return _ordering(orders, depends_on, name.labels)
    return _nothing(name.labels) if depends_on is None else _dependence(depends_on)


def _ordering(
    orders: LabelStrength, depends_on: LabelStrength | None, labels: Sequence[LabelStrength]
) -> str:
    """Words for an axis that orders a label, and for one that it is more informative about."""
    order = orders.order
    assert order is not None
    text = f"orders {orders.label} (|ρ| {order}, null 95 % {order.null_of_largest:.2f})"
    rivals = np.array([label.order.values for label in labels if label.order])
    n_largest = int((rivals.max(axis=0) == order.values).sum())
    if n_largest < len(order.values):
        text += f", the largest |ρ| in {n_largest} of {len(order.values)} seeds"
    others = [label for label in labels if label.order and label.order.is_above]
    others = sorted(
        (label for label in others if label is not orders), key=attrgetter("mean_order")
    )[::-1]
    if others:
        text += ", then " + ", ".join(f"{label.label} {label.order}" for label in others)
    if depends_on is not None and _is_more_informative(depends_on, orders):
        text += (
            f", but is more informative about {depends_on.label} ({_information(depends_on)}, "
            f"against {orders.information} for {orders.label})"
        )
    return text


def _is_more_informative(one: LabelStrength, other: LabelStrength) -> bool:
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
    largest = max(numeric, key=attrgetter("mean_order"))
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
