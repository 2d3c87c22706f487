"""Scores of the challenge."""

import numpy as np
import pytest

from latent_nmr.analysis.challenge_scores import WIDTHS_2020, challenge_scores

NAMES = ["alpha", "xi", "p", "d"]


def test_errors_are_in_deviations_of_the_training_rows():
    truth, predicted = np.zeros((4, 2)), np.array([[1.0, 6.0]] * 4)
    found = challenge_scores(truth, predicted, np.array([2.0, 3.0]), ["alpha", "d"])
    assert found == {"mse_alpha": 0.25, "mse_d": 4.0, "mse_mean": 2.125, "mse_sum": 4.25}


def test_the_mean_scores_one_and_no_r2():
    draw = np.random.default_rng(0)
    truth = draw.uniform(size=(500, 4))
    mean = np.tile(truth.mean(axis=0), (500, 1))
    found = challenge_scores(truth, mean, truth.std(axis=0), NAMES)
    assert found["mse_mean"] == pytest.approx(1)
    assert found["mse_sum"] == pytest.approx(4)
    assert found["r2_xi"] == pytest.approx(0, abs=1e-12)


def test_the_score_of_2020_weighs_each_error_by_its_width():
    truth = np.zeros((2, 4))
    predicted = np.tile([WIDTHS_2020[name] for name in NAMES], (2, 1))
    found = challenge_scores(truth, predicted, np.ones(4), NAMES)
    assert found["score_2020"] == pytest.approx(1)
    # An unlearnable ξ ~ U(0, 20), predicted by its mean, costs (1/12)/4 of the score.
    draw = np.random.default_rng(1)
    truth = np.tile(predicted[:1], (20000, 1))
    truth[:, 1] = draw.uniform(0, 20, 20000)
    predicted = truth.copy()
    predicted[:, 1] = 10
    found = challenge_scores(truth, predicted, np.ones(4), NAMES)
    assert found["score_2020"] == pytest.approx(1 / 48, rel=0.03)


def test_only_the_parameters_of_2020_have_its_score():
    found = challenge_scores(np.zeros((2, 3)), np.ones((2, 3)), np.ones(3), ["alpha", "xi", "d"])
    assert "score_2020" not in found


@pytest.mark.parametrize("n_curves", [1, 6, 10, 100])
def test_a_target_of_one_value_has_an_error_and_no_r2(n_curves):
    truth = np.column_stack([np.full(n_curves, 0.1), np.linspace(0, 1, n_curves)])
    found = challenge_scores(truth, truth + 0.5, np.ones(2), ["alpha", "d"])
    assert found["mse_alpha"] == pytest.approx(0.25)
    assert "r2_alpha" not in found
    assert ("r2_d" in found) == (n_curves > 1)
