"""Kernels told apart within bins of W."""

import numpy as np
import pytest

from latent_nmr.analysis.screening import BIN_EDGES, bins_of, screen, smallest_class
from latent_nmr.studies.probes.names import bin_title


def test_bins_are_those_of_the_paper_and_closed_outside():
    assert BIN_EDGES == (0.1, 0.17, 0.23, 0.3)
    strength = np.array([0.05, 0.1, 0.1699, 0.17, 0.2299, 0.23, 0.3, 0.4])
    assert bins_of(strength).tolist() == [0, 0, 0, 1, 1, 2, 2, 2]
    assert bin_title(1) == "W 0.17 to 0.23 MHz"


@pytest.fixture(scope="module")
def cloud():
    draw = np.random.default_rng(0)
    strength = draw.uniform(0.1, 0.3, 600)
    labels = np.where(draw.uniform(size=600) < 0.4, "power", "others")
    X = draw.standard_normal((600, 3))
    # Only strong couplings tell the kernels apart.
    X[(labels == "power") & (strength > 0.23), 0] += 8
    return X, labels, strength


def test_each_bin_is_fitted_and_scored_by_itself(cloud):
    X, labels, strength = cloud
    fitted, scored = np.arange(450), np.arange(450, 600)
    found = screen(X, labels, strength, fitted, scored, 0)
    assert [one["n_curves"] for one in found] == np.bincount(bins_of(strength[scored])).tolist()
    assert found[2]["scores"]["f1_macro"] > 0.95
    assert max(one["scores"]["f1_macro"] for one in found[:2]) < 0.7
    assert all(np.sum(one["confusion"]) == one["n_curves"] for one in found)


def test_a_bin_with_too_few_curves_is_left_out(cloud):
    X, labels, strength = cloud
    rows = np.flatnonzero(strength < 0.23)
    found = screen(X, labels, strength, rows[:200], rows[200:], 0)
    assert found[2] is None
    assert found[0] is not None


def test_the_smallest_class_may_be_empty():
    labels = np.array(["power", "others", "others"])
    assert smallest_class(labels, np.array([1, 2])) == 0
    assert smallest_class(labels, np.arange(3)) == 1
