"""What models of measured echoes lose: rows behind a receiver, and scores of all models on them."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import r2_score
from sklearn.neighbors import KNeighborsRegressor

import latent_nmr as ln
from latent_nmr.studies.measurement.losses import (
    LINEAR,
    M0,
    N_COMPONENTS,
    SCORES,
    behind_receiver,
    loss_scores,
)

N_CURVES, N_SCORED, SNR = 240, 80, 30.0


@pytest.fixture(scope="module")
def dataset():
    return ln.load_reference(N_CURVES)


@pytest.fixture(scope="module")
def rows(dataset):
    return ln.features(dataset, "top", "initial")


@pytest.fixture(scope="module")
def scores(dataset):
    plain = ln.BetaVAE(N_COMPONENTS, max_epochs=2, random_state=0)
    return loss_scores(dataset, n_scored=N_SCORED, levels=[SNR], plain=plain)


class TestBehindReceiver:
    """Rows as models of measured echoes see them."""

    def test_without_the_gain_a_gain_changes_nothing(self, rows):
        one, other = (
            behind_receiver(gain * rows, SNR, knows_gain=False, random_state=1) for gain in (1, 0.3)
        )
        # The lowest echo has 1/20 of |M(0)|: rounding of single precision, twenty times.
        np.testing.assert_allclose(one, other, atol=1e-4)

    def test_with_the_gain_it_is_kept(self, rows):
        one, other = (
            behind_receiver(gain * rows, SNR, knows_gain=True, random_state=1)
            for gain in (0.5, 0.25)
        )
        np.testing.assert_allclose(one, 2 * other, atol=1e-5)

    def test_the_noise_on_a_top_is_one_over_the_ratio(self, rows):
        quiet, loud = (
            behind_receiver(rows, snr, knows_gain=True, random_state=2)[:, 200]
            for snr in (1e5, 100.0)
        )
        height = quiet
        # Noise across M adds to |M| in second order only. The standard error of a deviation of 240
        # values is 5 %; the top that is found moves with noise, too.
        assert np.std((loud - quiet) / height) == pytest.approx(0.01, rel=0.25)


@pytest.mark.slow
class TestLossScores:
    """Every model on the same curves."""

    def test_all_models_are_scored_with_and_without_a_receiver(self, scores):
        kinds = [(row["model"], row["over"]) for row in scores]
        assert [row["snr"] for row in scores] == [None] * 8 + [SNR] * 8
        assert kinds[:8] == kinds[8:]
        assert len(set(kinds)) == 8
        assert all(set(SCORES) <= set(row) for row in scores)

    def test_a_score_is_that_of_neighbours_among_the_first_curves(self, dataset, rows, scores):
        fitted = N_CURVES - N_SCORED
        X = PCA(N_COMPONENTS, random_state=0).fit(rows[:fitted]).transform(rows)
        W = dataset["W"].to_numpy()
        found = KNeighborsRegressor(15).fit(X[:fitted], W[:fitted]).predict(X[fitted:])
        (own,) = (
            row for row in scores if (row["model"], row["over"], row["snr"]) == (LINEAR, M0, None)
        )
        assert own["r2_W"] == pytest.approx(r2_score(W[fitted:], found), abs=1e-6)

    def test_labels_of_other_curves_say_nothing(self, dataset):
        order = np.random.default_rng(0).permutation(N_CURVES)
        moved = {name: ("curve", dataset[name].to_numpy()[order]) for name in ("W", "alpha_x", "L")}
        plain = ln.BetaVAE(N_COMPONENTS, max_epochs=1, random_state=0)
        found = loss_scores(dataset.assign_coords(moved), n_scored=N_SCORED, levels=(), plain=plain)
        # Means of 15 labels vary by 1/15 of their variance; of 80 curves R² errs by about 0.1.
        assert max(row["r2_W"] for row in found) < 0.2


def test_too_few_curves_are_refused(dataset):
    with pytest.raises(ln.InputError, match="more than 15 curves beside the 230"):
        loss_scores(dataset, n_scored=230)
