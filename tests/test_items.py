"""Labels, groups and targets of mixed kinds: taken as text, or refused in one line."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

import latent_nmr as ln
from latent_nmr._splits import as_groups
from latent_nmr.analysis.labels import is_missing, plain_label
from latent_nmr.data._texts import as_plain_text
from latent_nmr.studies._labels import labels_by_name

N_ROWS = 20


def cycle(*items):
    """An array of objects, whatever they are."""
    values = np.empty(N_ROWS, object)
    values[:] = [items[row % len(items)] for row in range(N_ROWS)]
    return values


MIXED = {
    "text and a number": cycle("a", 1),
    "text and bytes": cycle("a", b"b"),
    "tuples": cycle((1, 2), "a"),
    "lists of unequal length": cycle([1], [1, 2]),
    "arrays": cycle(np.zeros(2), np.ones(2)),
    "mappings": cycle({"a": 1}, {"b": 2}),
    "a date and text": cycle(pd.Timestamp("2020-01-01"), "a"),
    "intervals": cycle(*pd.interval_range(0, 2)),
    "a time and text": cycle(np.timedelta64(1, "s"), "a"),
}


@pytest.mark.parametrize("kind", MIXED)
def test_two_kinds_are_two_classes_and_two_groups(kind):
    values = MIXED[kind]
    label = labels_by_name({"sample": values}, N_ROWS)["sample"]
    assert len(set(label.tolist())) == 2
    assert not is_missing(label).any()
    assert as_groups(values, N_ROWS).tolist() == [0, 1] * (N_ROWS // 2)


@pytest.mark.parametrize("kind", [*MIXED, "complex", "complex objects", "times", "beyond", "text"])
def test_they_are_no_targets(kind):
    own = {
        "complex": np.arange(N_ROWS) * 1j,
        "complex objects": cycle(1j, 2),
        "times": np.arange(N_ROWS).astype("m8[s]"),
        "beyond": cycle(10**400, 1),
        "text": ["a", *range(1, N_ROWS)],
    }
    y = {**MIXED, **own}[kind]
    rule = r"^y must be numbers, but row \d has .*\. (Convert|Complex)"
    with pytest.raises(ln.InputError, match=rule) as e:
        ln.CurveRegressor(hidden_layer_sizes=(4,)).fit(np.eye(N_ROWS), y)
    assert "\n" not in str(e.value)


def test_rows_of_targets_have_one_length():
    with pytest.raises(ln.InputError, match=r"^y must have rows of equal length"):
        ln.CurveRegressor().fit(np.eye(N_ROWS), [[1.0]] + [[1.0, 2.0]] * (N_ROWS - 1))


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT, float("nan")])
@pytest.mark.parametrize("kind", [list, cycle], ids=["a list", "objects"])
def test_what_is_missing_among_text_is_no_word(kind, missing):
    values = kind(cycle("a", missing, 1)) if kind is list else kind("a", missing, 1)
    expected = (np.arange(N_ROWS) % 3 == 1).tolist()
    assert is_missing(plain_label("sample", values)).tolist() == expected
    if missing is not pd.NA:  # which counts as masked
        assert is_missing(labels_by_name({"s": values}, N_ROWS)["s"]).tolist() == expected
    rule = r"that of row 1 is missing" if missing is not pd.NA else r"the first at \[1\]"
    with pytest.raises(ln.InputError, match=rule):
        as_groups(values, N_ROWS)


def test_times_of_groups_may_be_missing_too():
    days = np.arange(N_ROWS).astype("M8[D]")
    assert as_groups(days, N_ROWS).tolist() == [*range(N_ROWS)]
    days[3] = "NaT"
    with pytest.raises(ln.InputError, match="that of row 3 is missing"):
        as_groups(days, N_ROWS)


def test_numbers_of_any_kind_are_numbers():
    found = plain_label("sample", cycle(Decimal("1.5"), Fraction(1, 4), 10**400, None))
    assert found[:2].tolist() == [1.5, 0.25]
    assert is_missing(found).tolist() == [False, False, True, True] * (N_ROWS // 4)


def test_bytes_that_are_no_text_are_refused_by_writers_and_kept_apart_by_labels():
    values = np.array([b"\xff", b"a"] * (N_ROWS // 2))
    with pytest.raises(ln.InputError, match=r"^text must be UTF-8, but holds b'\\xff'"):
        as_plain_text(values)
    assert plain_label("sample", values)[:2].tolist() == [r"\xff", "a"]
