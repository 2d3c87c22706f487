"""Latent clouds of several seeds, turned onto one another."""

import numpy as np
import pytest
from scipy.stats import ortho_group

from latent_nmr.analysis.alignment import align, shared_variance
from latent_nmr.errors import InputError

# Largest variance first, as a model orders its axes.
SPREAD = np.array([1.4, 1.0, 0.5])


def cloud(n_curves=300, seed=0):
    """Curved, so that no turn but one lays it onto itself."""
    z = np.random.default_rng(seed).normal(size=(n_curves, 3))
    return SPREAD * (z + 0.3 * z[:, [1, 2, 0]] ** 2)


def turns(n_seeds, seed=0):
    """Random rotations and reflections, one per seed."""
    return ortho_group.rvs(3, size=n_seeds, random_state=seed)


class TestAlign:
    """Rotations and reflections are undone, nothing else is."""

    @pytest.mark.parametrize("n_seeds", [2, 4])
    def test_turned_copies_come_to_lie_on_the_first(self, n_seeds):
        z, given = cloud(), turns(n_seeds)
        found = align([z @ turn + 5 * turn[0] for turn in given], n_permutations=19)
        first = z @ given[0] - (z @ given[0]).mean(axis=0)
        for turned, rotation, turn in zip(found.latents, found.rotations, given, strict=True):
            # Rounding of coordinates of order ten.
            np.testing.assert_allclose(turned, first, rtol=0, atol=1e-12)
            np.testing.assert_allclose(rotation, turn.T @ given[0], rtol=0, atol=1e-12)
        np.testing.assert_allclose(found.stability, 1, rtol=1e-12)
        assert found.overall == pytest.approx(1, rel=1e-12)

    def test_half_of_the_turns_tried_are_reflections(self):
        assert {round(np.linalg.det(turn)) for turn in turns(4)} == {-1, 1}

    def test_rotations_are_orthogonal_and_the_first_is_none(self):
        found = align([cloud(seed=seed) for seed in range(3)], n_permutations=19)
        products = found.rotations @ found.rotations.transpose(0, 2, 1)
        np.testing.assert_allclose(products, np.broadcast_to(np.eye(3), (3, 3, 3)), atol=1e-14)
        np.testing.assert_allclose(found.rotations[0], np.eye(3), atol=1e-14)

    def test_scale_is_kept(self):
        z = cloud()
        turned = align([z, 2 * z], n_permutations=19).latents
        np.testing.assert_allclose(turned[1], 2 * turned[0], rtol=0, atol=1e-12)

    @pytest.mark.parametrize("n_seeds", [2, 5])
    def test_with_noise_the_shared_part_is_what_noise_leaves(self, n_seeds):
        n_curves, noise = 20_000, 0.5
        rng = np.random.default_rng(1)
        z = rng.normal(size=(n_curves, 3)) * SPREAD
        seeds = [
            (z + noise * rng.normal(size=z.shape)) @ turn
            if number
            else z + noise * rng.normal(size=z.shape)
            for number, turn in enumerate(turns(n_seeds))
        ]
        # One cloud has variance s² + σ², the mean of the others s² + σ² / (n - 1), and they share
        # s²: the square of their correlation.
        shared, own = SPREAD**2, noise**2
        expected = shared**2 / ((shared + own) * (shared + own / (n_seeds - 1)))
        found = align(seeds, n_permutations=19)
        # The spread of a squared correlation is 2 r (1 - r²) / √n, at most 0.77 / √n; five of
        # these. The fitted angles, off by about σ / (s √n), enter squared.
        np.testing.assert_allclose(found.stability, expected, rtol=0, atol=5 * 0.77 / n_curves**0.5)

    def test_no_cloud_can_be_turned_to_agree_better_with_the_others(self):
        # At the best turn the product of a cloud with the others is symmetric and has no negative
        # eigenvalue (Schönemann 1966); the first cloud is so noisy that it alone is no target.
        rng = np.random.default_rng(6)
        seeds = [cloud() + noise * rng.normal(size=(300, 3)) for noise in (2.0, 0.5, 0.5, 0.5)]
        turned = np.array(align(seeds, n_permutations=19).latents)
        for one in turned:
            product = one.T @ (turned.sum(axis=0) - one)
            # Sweeps stop where agreement stands to 1e-12: angles do to its square root.
            allowed = 1e-5 * np.abs(product).max()
            np.testing.assert_allclose(product, product.T, rtol=0, atol=allowed)
            assert np.linalg.eigvalsh((product + product.T) / 2).min() > 0

    def test_turning_again_changes_nothing(self):
        rng = np.random.default_rng(2)
        seeds = [cloud() + 0.4 * rng.normal(size=(300, 3)) for _ in range(3)]
        plain = align(seeds, n_permutations=19)
        again = align([seeds[0], *(z @ t for z, t in zip(seeds[1:], turns(2), strict=True))])
        # Sweeps stop where agreement stands to 1e-12, so angles do to its square root.
        np.testing.assert_allclose(again.stability, plain.stability, rtol=0, atol=1e-5)
        for one, other in zip(plain.latents, again.latents, strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-4)

    def test_the_order_of_the_later_seeds_does_not_matter(self):
        rng = np.random.default_rng(3)
        a, b, c = (cloud() + 0.4 * rng.normal(size=(300, 3)) for _ in range(3))
        one, other = align([a, b, c], n_permutations=19), align([a, c, b], n_permutations=19)
        np.testing.assert_allclose(one.stability, other.stability, rtol=0, atol=1e-5)

    def test_independent_clouds_lie_below_the_floor_in_nineteen_of_twenty(self):
        # By exchangeability each share exceeds the 95 % bound of 19 draws with probability 1/20;
        # of 100, more than 13 do with probability 4e-4 (binomial).
        n_above = 0
        for seed in range(100):
            pair = [cloud(60, seed=2 * seed), cloud(60, seed=2 * seed + 1)]
            found = align(pair, n_permutations=19, random_state=seed)
            n_above += found.overall > found.overall_null
        assert 0 < n_above <= 13

    def test_what_is_shared_lies_far_above_the_floor(self):
        rng = np.random.default_rng(4)
        found = align([cloud() + 0.3 * rng.normal(size=(300, 3)) for _ in range(2)])
        assert (found.stability > 5 * found.stability_null).all()
        assert found.overall > 5 * found.overall_null

    def test_before_turning_swapped_axes_share_nothing(self):
        z = np.random.default_rng(5).normal(size=(5000, 2))
        found = align([z, z[:, ::-1]], n_permutations=19)
        np.testing.assert_allclose(found.stability, 1, rtol=1e-12)
        # r of independent columns is 0 ± 1 / √n; five of these, squared.
        assert (found.unaligned < 25 / 5000).all()


class TestSharedVariance:
    """R² of an axis with the mean of the same axis elsewhere."""

    def test_for_two_seeds_it_is_the_squared_correlation(self):
        rng = np.random.default_rng(0)
        a, b = rng.normal(size=(50, 2)), rng.normal(size=(50, 2))
        expected = [np.corrcoef(a[:, k], b[:, k])[0, 1] ** 2 for k in range(2)]
        np.testing.assert_allclose(shared_variance([a, b]), expected, rtol=1e-10)

    def test_an_axis_may_be_scaled_and_shifted(self):
        z = cloud()
        np.testing.assert_allclose(shared_variance([z, 3 * z + 1]), 1, rtol=1e-12)

    def test_a_constant_axis_shares_nothing(self):
        z = cloud()
        z[:, 1] = 0.0
        np.testing.assert_allclose(shared_variance([z, z]), [1, 0, 1], rtol=1e-12)


class TestRefusals:
    """Clouds that cannot be compared."""

    def test_one_cloud_alone(self):
        with pytest.raises(
            InputError, match=r"at least two embeddings to align, but hold 1\. Give"
        ):
            align([cloud()])

    @pytest.mark.parametrize("shape", [(299, 3), (300, 2)])
    def test_other_curves_or_other_axes(self, shape):
        with pytest.raises(InputError, match=rf"array 1 has shape \({shape[0]}, {shape[1]}\)"):
            align([cloud(), np.zeros(shape)])

    def test_a_latent_that_is_not_finite(self):
        z = cloud()
        z[7, 1] = np.nan
        with pytest.raises(InputError, match=r"latents must be finite, but row 7 of array 1"):
            align([cloud(), z])

    def test_too_few_shuffles(self):
        with pytest.raises(InputError, match=r"n_permutations must be .* at least 19, but is 18"):
            align([cloud(), cloud()], n_permutations=18)
