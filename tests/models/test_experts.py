"""Repeats of a material as one point of the map: the product of their posteriors."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from latent_nmr import BetaVAE
from latent_nmr.errors import InputError
from latent_nmr.models.experts import checked_scale, product_of_experts, repeat_scale
from latent_nmr.models.model_folder import ModelFileError

POSITIVE = st.floats(0.01, 2.0)
SMALL = {"hidden_layer_sizes": (16,), "max_epochs": 6, "batch_size": 32, "random_state": 0}


def rows(n_rows, values):
    return arrays(np.float64, (n_rows, 2), elements=values)


class TestProduct:
    """Gaussians multiplied."""

    @given(rows(4, st.floats(-3, 3)), rows(4, POSITIVE))
    def test_one_repeat_is_itself(self, mean, std):
        combined = product_of_experts(mean, std, np.arange(4))
        np.testing.assert_allclose(combined.mean, mean, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(combined.std, std, rtol=1e-12)

    @given(rows(6, st.floats(-3, 3)), rows(6, POSITIVE), st.permutations(range(6)))
    def test_neither_order_nor_grouping_in_steps_matters(self, mean, std, order):
        whole = product_of_experts(mean, std, np.zeros(6, int))
        turned = product_of_experts(mean[order], std[order], np.zeros(6, int))
        halves = product_of_experts(mean, std, np.array([0, 0, 1, 1, 1, 1]))
        again = product_of_experts(halves.mean, halves.std, np.zeros(2, int))
        for other in (turned, again):
            np.testing.assert_allclose(other.mean, whole.mean, rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(other.std, whole.std, rtol=1e-9)

    def test_it_is_the_product_of_densities(self):
        mean, std = np.array([[0.3], [1.1], [-0.2]]), np.array([[0.5], [0.2], [0.9]])
        combined = product_of_experts(mean, std, np.zeros(3, int), scale=1.5)
        z = np.linspace(-4, 4, 20001)
        density = np.prod(np.exp(-0.5 * ((z - mean) / (1.5 * std)) ** 2), axis=0)
        density /= density.sum()
        centre = np.sum(z * density)
        # The sum over a grid of 4e-4 is exact to far below 1e-6 for widths above 0.1.
        assert combined.mean[0, 0] == pytest.approx(centre, abs=1e-6)
        variance = np.sum((z - centre) ** 2 * density)
        assert combined.std[0, 0] == pytest.approx(variance**0.5, rel=1e-6)

    def test_materials_come_in_order_with_their_counts(self):
        combined = product_of_experts(np.zeros((5, 1)), np.ones((5, 1)), np.array(list("babba")))
        assert combined.groups.tolist() == ["a", "b"]
        assert combined.counts.tolist() == [2, 3]


class TestCalibration:
    """The factor of an axis makes widths those of repeats."""

    N, SPREAD = 4000, np.array([0.3, 0.05])

    def repeats(self, k, seed=0):
        """True points, and k noisy ones of each; the widths said are 3 and ½ times too small."""
        rng = np.random.default_rng(seed)
        truth = rng.normal(size=(self.N, 2))
        relative = rng.uniform(0.5, 1.5, (k, self.N, 2))
        means = truth + relative * self.SPREAD * rng.normal(size=(k, self.N, 2))
        return truth, means, relative * self.SPREAD / np.array([3.0, 0.5])

    def test_the_factor_is_what_widths_are_short_of(self):
        _, means, stds = self.repeats(2)
        found = repeat_scale((means[0], stds[0]), (means[1], stds[1]))
        # Of N squared normal differences 2/N: four standard errors of a root.
        np.testing.assert_allclose(found, [3.0, 0.5], rtol=4 * 0.5 * (2 / self.N) ** 0.5)

    def test_a_few_wide_posteriors_do_not_make_the_others_too_sure(self):
        rng = np.random.default_rng(2)
        means = 0.1 * rng.normal(size=(2, self.N, 1))
        stds = np.full((2, self.N, 1), 0.1)
        stds[:, :40] = 5.0
        scale = repeat_scale((means[0], stds[0]), (means[1], stds[1]))
        z = (means[0] - means[1]) / (scale * np.hypot(*stds))
        assert np.sqrt(np.mean(z[40:] ** 2)) < 1.05

    @pytest.mark.parametrize("k", [1, 2, 5])
    def test_intervals_cover_the_true_point_as_often_as_they_say(self, k):
        _, first, first_std = self.repeats(2)
        scale = repeat_scale((first[0], first_std[0]), (first[1], first_std[1]))
        truth, means, stds = self.repeats(k, seed=1)
        groups = np.tile(np.arange(self.N), k)
        combined = product_of_experts(means.reshape(-1, 2), stds.reshape(-1, 2), groups, scale)
        inside = abs(combined.mean - truth) < combined.std
        # Four standard errors of a share of 0.68, and what the factor's own error of 2 % brings.
        np.testing.assert_allclose(inside.mean(axis=0), 0.6827, atol=4 * 0.0074 + 0.01)


class TestModel:
    """What a fitted model does with repeats."""

    @pytest.fixture(scope="class")
    @classmethod
    def data(cls):
        rng = np.random.default_rng(0)
        places, t = np.repeat(rng.uniform(-0.5, 0.5, 60), 3), np.linspace(-1, 1, 24)
        X = 0.1 + 0.8 * np.exp(-((t - places[:, None]) ** 2) / 0.1)
        return X + 0.02 * rng.standard_normal(X.shape), np.repeat(np.arange(60), 3)

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, data):
        return BetaVAE(contrast=1.0, **SMALL).fit(data[0], groups=data[1])

    def test_a_fit_to_repeats_knows_its_factors_and_keeps_them(self, model, data, tmp_path):
        X, groups = data
        assert model.repeat_scale_.shape == (2,)
        held_out = np.unique(groups[model.validation_rows_])
        rows = [3 * held_out + k for k in range(3)]
        points = [(model.transform(X[own]), model.transform_std(X[own])) for own in rows]
        squares = [repeat_scale(points[a], points[b]) ** 2 for a, b in ((0, 1), (0, 2), (1, 2))]
        np.testing.assert_allclose(model.repeat_scale_, np.sqrt(np.mean(squares, 0)), rtol=1e-4)
        model.save(tmp_path / "model")
        again = BetaVAE.load(tmp_path / "model")
        np.testing.assert_array_equal(again.repeat_scale_, model.repeat_scale_)
        np.testing.assert_array_equal(
            again.transform_repeats(X, groups).std, model.transform_repeats(X, groups).std
        )

    def test_without_repeats_there_are_none_but_those_of_the_rows(self, data):
        X, groups = data
        plain = BetaVAE(**SMALL).fit(X)
        assert not hasattr(plain, "repeat_scale_")
        own = plain.transform_repeats(X, groups)
        given = plain.transform_repeats(X, groups, scale=1.0)
        parts = [(plain.transform(X[k::3]), plain.transform_std(X[k::3])) for k in range(3)]
        pairs = ((0, 1), (0, 2), (1, 2))
        squares = [repeat_scale(parts[a], parts[b]) ** 2 for a, b in pairs]
        wanted = np.sqrt(np.mean(squares, axis=0))
        np.testing.assert_allclose(own.std / given.std, [wanted] * 60, rtol=1e-5)
        order = np.random.default_rng(0).permutation(180)
        turned = plain.transform_repeats(X[order], groups[order])
        np.testing.assert_allclose(turned.std, own.std, rtol=1e-5)
        with pytest.raises(InputError, match=r"scale must be given .* each material has one row"):
            plain.transform_repeats(X, np.arange(180))

    def test_a_second_fit_without_repeats_forgets_them(self, data):
        X, groups = data
        model = BetaVAE(contrast=1.0, **SMALL).fit(X, groups=groups)
        assert not hasattr(model.set_params(contrast=0.0).fit(X), "repeat_scale_")

    @pytest.mark.parametrize("scale", [0, -1.0, [1.0, 2.0, 3.0], [1.0, np.nan], "wide", []])
    def test_a_scale_that_is_none_is_refused(self, model, data, scale):
        with pytest.raises(InputError, match=r"scale must be a number > 0, or one for each of 2"):
            model.transform_repeats(*data, scale=scale)

    def test_materials_may_be_numbers_and_texts(self, model, data):
        X, groups = data
        mixed = [group if group % 2 else f"sample {group}" for group in groups.tolist()]
        found = model.transform_repeats(X, mixed)
        assert len(found.mean) == 60
        assert set(found.groups) == set(map(str, mixed))

    def test_rows_without_their_material_are_refused(self, model, data):
        with pytest.raises(InputError, match=r"groups must say the material of each row"):
            model.transform_repeats(data[0], None)
        with pytest.raises(InputError, match=r"groups must have one value per row"):
            model.transform_repeats(data[0], data[1][:5])

    @pytest.mark.parametrize("factors", [[1.0], [0.0, 1.0], [1.0, -2.0], [1.0, "2"], "ab", None])
    def test_factors_of_a_damaged_file_are_refused(self, model, tmp_path, factors):
        model.save(tmp_path / "model")
        path = tmp_path / "model" / "model.json"
        card = json.loads(path.read_text("utf-8"))
        assert card["fitted"]["repeat_scale"] == model.repeat_scale_.tolist()
        card["fitted"]["repeat_scale"] = factors
        path.write_text(json.dumps(card), "utf-8")
        with pytest.raises(ModelFileError, match="repeat_scale"):
            BetaVAE.load(tmp_path / "model")


def test_one_factor_holds_for_all_axes():
    np.testing.assert_array_equal(checked_scale(2, 3), [2.0, 2.0, 2.0])
