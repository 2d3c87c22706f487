"""Points, quantiles and p-values from simulated neighbours, against laws that are known."""

import numpy as np
import pytest
from scipy import stats

from latent_nmr.studies.measurement._distance import NullHypothesis, Seen, principal_directions
from latent_nmr.studies.measurement._neighbours import Cloud, radii, weighted_quantiles

N_POINTS, N_TRIED = 6000, 400


def gaussian(seed, n=N_POINTS, noise=0.3):
    """Clean points of N(0, 1), and the same with noise."""
    rng = np.random.default_rng(seed)
    clean = rng.standard_normal((n, 2))
    return clean, clean + noise * rng.standard_normal((n, 2))


class TestNeighbourhood:
    def test_it_gives_the_posterior_of_a_gaussian(self):
        # Of N(0, 1) seen with noise σ: mean y/(1 + σ²), variance σ²/(1 + σ²).
        noise = 0.3
        clean, noisy = gaussian(0, noise=noise)
        near = Cloud(noisy).around(np.array([0.7, -0.4]))
        found = near.adjusted(clean)
        mean = near.weights @ found
        wanted, sd = np.array([0.7, -0.4]) / (1 + noise**2), noise / np.sqrt(1 + noise**2)
        error = sd / np.sqrt(near.n_effective)
        np.testing.assert_allclose(mean, wanted, atol=4 * error)
        spread = np.sqrt(near.weights @ (found - mean) ** 2)
        np.testing.assert_allclose(spread, sd, rtol=4 / np.sqrt(2 * near.n_effective))

    def test_intervals_and_ellipses_cover_as_often_as_they_say(self):
        clean, noisy = gaussian(1)
        truths, seen = gaussian(2, N_TRIED)
        cloud, inside = Cloud(noisy), []
        for truth, point in zip(truths, seen, strict=True):
            near = cloud.around(point)
            own = near.adjusted(clean)
            low, high = weighted_quantiles(own[:, 0], near.weights, [0.16, 0.84])
            rest = truth - near.weights @ own
            covariance = np.cov(own.T, aweights=near.weights)
            radius = np.sqrt(rest @ np.linalg.solve(covariance, rest))
            inside.append([low < truth[0] < high, radius < radii(own, near.weights, 0.95)])
        shares = np.mean(inside, axis=0)
        for share, part in zip(shares, (0.68, 0.95), strict=True):
            assert share == pytest.approx(part, abs=4 * np.sqrt(part * (1 - part) / N_TRIED))

    def test_what_is_linear_in_the_points_is_exact(self):
        _, noisy = gaussian(3)
        values = 2 + noisy @ [0.5, -3.0]
        point = np.array([0.2, 0.1])
        near = Cloud(noisy).around(point)
        # The ridge holds the slopes back by a thousandth.
        np.testing.assert_allclose(near.adjusted(values), 2 + point @ [0.5, -3], atol=0.02)

    def test_shares_follow_the_classes_about_a_point(self):
        _, noisy = gaussian(4)
        classes = np.where(noisy[:, 0] > 0, "right", "left")
        shares = Cloud(noisy).around(np.array([1.5, 0.0])).shares(classes)
        assert sum(shares.values()) == pytest.approx(1)
        assert shares["right"] > 0.95
        assert shares["left"] > 0  # never certain from a few hundred


def test_quantiles_of_equal_weights_hold_a_further_value_as_often_as_they_say():
    rng = np.random.default_rng(0)
    draws = rng.standard_normal((2000, 31))
    below = [row[0] < weighted_quantiles(row[1:], np.ones(30), 0.9) for row in draws]
    assert np.mean(below) == pytest.approx(0.9, abs=4 * np.sqrt(0.09 / 2000))


class TestNullHypothesis:
    """Rows that a decoder knows up to noise."""

    n_window = 60

    def seen(self, points, seed, noise=0.1):
        steps = np.linspace(-1, 1, self.n_window)
        decoded = 0.5 + 0.1 * points[:, :1] * steps + 0.1 * points[:, 1:] * steps**2
        rng = np.random.default_rng(seed)
        return Seen(points, decoded + noise * rng.standard_normal(decoded.shape), decoded)

    def null(self, n=1500, measured=None):
        known, new = (self.seen(gaussian(seed, n)[0], seed + 100) for seed in (5, 6))
        measured = np.ones(self.n_window, bool) if measured is None else measured
        return NullHypothesis(known, new, measured, principal_directions(known.rows))

    def test_p_values_of_what_it_is_are_uniform(self):
        null = self.null()
        seen = self.seen(gaussian(7, N_TRIED)[0], 8)
        found = [null.distance(seen[n : n + 1]).p_value for n in range(N_TRIED)]
        assert stats.kstest(found, "uniform").pvalue > 0.01
        assert min(found) >= 1 / 1501

    @pytest.mark.parametrize("reason", ["place", "residual", "shape"])
    def test_what_it_is_not_is_far_and_says_why(self, reason):
        points = np.full((1, 2), 6.0 if reason == "place" else 0.1)
        seen = self.seen(points, 10)
        if reason == "residual":
            noise = np.random.default_rng(11).standard_normal(seen.rows.shape)
            seen = seen._replace(rows=seen.rows + 0.3 * noise)
        elif reason == "shape":
            wave = np.sin(np.linspace(0, 2 * np.pi, self.n_window))
            seen = seen._replace(rows=seen.rows + 0.1 * wave)
        found = self.null().distance(seen)
        assert found.p_value < 0.01
        assert found.p_values[reason] < 0.01

    def test_samples_that_were_not_measured_do_not_count(self):
        null = self.null(measured=np.arange(self.n_window) >= 20)
        seen = self.seen(gaussian(12, 1)[0], 13)
        changed = seen.rows.copy()
        changed[:, :20] = 1e6
        assert null.distance(seen) == null.distance(seen._replace(rows=changed))
