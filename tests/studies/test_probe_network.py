"""One network for all targets of a probe."""

import numpy as np
import pytest

from latent_nmr.analysis.classification import TASKS
from latent_nmr.models.curve_regressor import CurveRegressor
from latent_nmr.studies.probes.network import (
    classify_by_probability,
    default_network,
    predict_all,
)

KERNELS = np.array(["gaussian", "power", "rkky"])
FITTED, SCORED = np.arange(0, 1200), np.arange(1200, 1500)
# Few weights: compiled once and trained in a second.
SMALL = CurveRegressor((32,), activation="relu", batch_size=64, max_epochs=40, patience=20)


def problem():
    """Rows whose first columns are the targets; the largest of the next three is the kernel's."""
    X = np.random.default_rng(0).standard_normal((1500, 8)).astype(np.float32)
    values = {"W": 0.2 + 0.03 * X[:, 0].astype(float), "L": 10 + 3 * X[:, 1].astype(float)}
    return X, values, KERNELS[np.argmax(X[:, 2:5], axis=1)]


@pytest.fixture(scope="module")
def found():
    return predict_all(SMALL, *problem(), TASKS, FITTED, SCORED, 0)


def test_it_predicts_numbers_and_kernels_that_can_be_predicted(found):
    assert found["regression"]["W"]["r2"] > 0.9
    assert found["regression"]["L"]["r2"] > 0.9
    for task in ("binary", "three-class"):
        # By chance 0.5 and 0.33.
        assert found["classification"][task]["scores"]["f1_macro"] > 0.8
        assert np.sum(found["classification"][task]["confusion"]) == len(SCORED)


def test_errors_are_in_the_unit_of_the_target(found):
    _, values, _ = problem()
    for target, predicted in found["predicted"].items():
        errors = np.abs(np.array(predicted) - values[target][SCORED])
        assert found["regression"][target]["mae"] == pytest.approx(errors.mean())
        assert errors.mean() < 0.5 * values[target].std()


def test_labels_of_the_scored_part_change_nothing_of_what_is_predicted(found):
    X, values, kernels = problem()
    for numbers in values.values():
        numbers[SCORED] = 0.0
    kernels[SCORED] = "power"
    again = predict_all(SMALL, X, values, kernels, TASKS, FITTED, SCORED, 0)
    # Bit for bit: the scored rows took no part in scales, epochs or the choice among them.
    assert again["predicted"] == found["predicted"]


def test_without_kernels_only_numbers_are_predicted():
    X, values, _ = problem()
    alone = predict_all(SMALL, X, values, None, (), FITTED, SCORED, 0)
    assert alone["classification"] == {}
    assert alone["predicted"].keys() == values.keys()


def test_the_network_is_that_of_the_document():
    assert default_network().hidden_layer_sizes == (512, 128, 64)


def test_classes_have_equal_weight_however_many_curves_they_have():
    """One curve in ten is a power law: a probability of a fifth speaks for it."""
    kernels = np.array(["power"] + ["gaussian"] * 6 + ["rkky"] * 3 + ["power", "rkky"])
    fitted, scored = np.arange(10), np.array([10, 11])
    # Gaussian, power, RKKY; shares are 0.6, 0.1, 0.3.
    chances = np.array([[0.5, 0.2, 0.3], [0.56, 0.04, 0.4]])
    found = classify_by_probability(kernels, TASKS, fitted, scored, chances)
    assert found["binary"]["scores"]["accuracy"] == 1
    assert found["three-class"]["scores"]["accuracy"] == 1
