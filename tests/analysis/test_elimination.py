"""Successive feature elimination."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from latent_nmr.analysis.elimination import above_median, eliminate


@given(arrays(float, st.integers(3, 60), elements=st.floats(0, 1)))
def test_at_least_two_and_never_all_are_kept_and_they_are_the_largest(importances):
    kept = above_median(importances)
    assert 2 <= len(kept) < len(importances)
    assert np.all(np.diff(kept) > 0)
    left = np.delete(importances, kept)
    assert importances[kept].min() >= left.max()


def test_distinct_importances_are_halved():
    draw = np.random.default_rng(0)
    for n_columns in (400, 76, 10, 7):
        importances = draw.permutation(n_columns).astype(float)
        kept = above_median(importances)
        assert len(kept) == n_columns // 2
        assert np.all(importances[kept] > np.median(importances))


def test_rounds_go_from_all_columns_to_the_two_that_matter():
    draw = np.random.default_rng(0)
    labels = np.where(draw.uniform(size=300) < 0.5, "power", "others")
    X = draw.standard_normal((300, 12))
    X[labels == "power", 3] += 3
    X[labels == "power", 8] += 3
    rounds = eliminate(X, labels, np.arange(200), np.arange(200, 300), 0)
    assert [len(turn.kept) for turn in rounds] == [12, 6, 3, 2]
    assert rounds[0].kept == list(range(12))
    assert rounds[-1].kept == [3, 8]
    for turn, following in itertools.pairwise(rounds):
        assert set(following.kept) < set(turn.kept)
        assert len(turn.importances) == len(turn.kept)
    assert all(turn.scores["f1_macro"] > 0.9 for turn in rounds)
