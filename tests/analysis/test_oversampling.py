"""Balancing classes: repeated rows stay in the part they came from."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from latent_nmr.analysis.oversampling import leaky_split, oversample
from latent_nmr.analysis.split import hold_out


@given(
    counts=st.lists(st.integers(2, 40), min_size=2, max_size=4),
    seed=st.integers(0, 1000),
)
def test_no_row_is_in_both_parts_and_classes_are_equally_many(counts, seed):
    labels = np.repeat([f"class{i}" for i in range(len(counts))], counts)
    order = np.random.default_rng(seed).permutation(len(labels))
    fitted, scored = order[: len(order) // 2], order[len(order) // 2 :]
    rows = oversample(labels, fitted, seed)
    assert not set(rows) & set(scored)
    assert set(rows) == set(fitted)  # nobody is lost either
    np.testing.assert_array_equal(rows[: len(fitted)], fitted)
    names, found = np.unique(labels[rows], return_counts=True)
    assert set(names) == set(labels[fitted])
    assert len(set(found)) == 1
    assert found[0] == np.unique(labels[fitted], return_counts=True)[1].max()


def test_the_largest_class_is_not_repeated():
    labels = np.array(["a"] * 5 + ["b"] * 2)
    rows = oversample(labels, np.arange(7), 0)
    assert sorted(rows[labels[rows] == "a"]) == [0, 1, 2, 3, 4]


def test_a_seed_repeats_the_choice_and_another_changes_it():
    labels = np.array(["a"] * 50 + ["b"] * 10)
    first, again, other = (oversample(labels, np.arange(60), seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_published_order_puts_rows_into_both_parts():
    labels = np.array(["power"] * 100 + ["others"] * 200)
    fitted, scored = leaky_split(labels, np.arange(300), fraction=0.2, random_state=0)
    shared = np.isin(scored, fitted)
    assert shared[labels[scored] == "power"].mean() > 0.5
    assert not shared[labels[scored] == "others"].any()  # the larger class has no copies
    split = hold_out(300, labels, random_state=0)
    assert not np.isin(split.held_out, oversample(labels, split.fitted, 0)).any()
