"""The contrast between repeats: its value, its pairs, and a fit with it."""

import jax
import numpy as np
import pytest
import sklearn
from scipy.special import logsumexp
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from latent_nmr.errors import InputError
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.many import fit_many
from latent_nmr.models.repeats import CONTRAST_SCALE, contrast_loss, draw_pairs, repeats_of
from latent_nmr.models.schedule import Schedule, best_epoch
from tests.models.conftest import smooth_curves

GROUPS = np.arange(200) // 2
OPTIONS = {
    "hidden_layer_sizes": (8,),
    "max_epochs": 2,
    "min_epoch_steps": 3,
    "random_state": 0,
    "contrast": 50.0,
}


def repeated(seed=0):
    """Curves of a hundred materials, two of each, which differ by a slope of their own."""
    rng = np.random.default_rng(seed)
    slope = rng.normal(size=(200, 1)) * np.linspace(-0.1, 0.1, 24)
    curves = 0.1 + 0.7 * np.repeat(smooth_curves(100), 2, axis=0)
    return np.clip(curves + slope, 0, 1).astype(np.float32)


@pytest.fixture(scope="module")
def fitted():
    return BetaVAE(**OPTIONS).fit(repeated(), groups=GROUPS)


class TestLoss:
    """The symmetric InfoNCE of squared distances."""

    def test_it_is_the_mean_of_two_cross_entropies(self):
        rng = np.random.default_rng(0)
        a, b = rng.normal(size=(2, 7, 3))
        weights = np.array([1, 1, 0, 1, 0, 1, 1.0])
        squares = np.array([[((p - q) ** 2).sum() for q in b] for p in a]) / CONTRAST_SCALE**2
        terms = [
            squares[k, k] / 2 + (logsumexp(-squares[k] / 2) + logsumexp(-squares[:, k] / 2)) / 2
            for k in range(7)
            if weights[k]
        ]
        found = contrast_loss(*np.float32([a, b]), np.float32(weights))
        assert float(found) == pytest.approx(np.mean(terms), rel=1e-5)

    def test_its_limits_are_the_number_of_materials_and_nought(self):
        ones, far = np.ones((9, 2), np.float32), np.float32(100 * np.eye(9))
        weights = np.ones(9, np.float32)
        assert float(contrast_loss(ones, ones, weights)) == pytest.approx(np.log(9), rel=1e-6)
        assert float(contrast_loss(far, far, weights)) == pytest.approx(0, abs=1e-6)


class TestPairs:
    """Two rows of each material."""

    def test_they_are_two_of_one_material_and_every_two_come_up(self):
        groups = np.array([0, 1, 1, 2, 2, 2, 2, 0, 3])
        repeats = repeats_of(groups, np.arange(9))
        materials = np.tile(np.arange(4), 300)
        first, second, weights = map(np.asarray, draw_pairs(jax.random.key(0), repeats, materials))
        np.testing.assert_array_equal(groups[first], materials)
        np.testing.assert_array_equal(groups[second], materials)
        np.testing.assert_array_equal(first != second, materials != 3)
        np.testing.assert_array_equal(weights, materials != 3)
        pairs = set(zip(first.tolist(), second.tolist(), strict=True))
        assert len(pairs) == 2 + 2 + 4 * 3 + 1

    def test_only_the_rows_asked_for_are_in_it(self):
        repeats = repeats_of(np.array([5, 5, 7, 7, 7]), np.array([0, 2, 3]))
        assert np.asarray(repeats.rows).tolist() == [[0, 0], [2, 3]]
        first, second, _ = repeats.first_two()
        assert (first.tolist(), second.tolist()) == ([2], [3])


class TestFit:
    """A β-VAE that knows which rows are repeats."""

    def test_the_history_has_both_contrasts_and_so_has_its_file(self, fitted, tmp_path):
        assert all(record.contrast > 0 < record.validation_contrast for record in fitted.history_)
        fitted.save(tmp_path / "model")
        model = BetaVAE.load(tmp_path / "model")
        assert model.history_ == fitted.history_
        assert model.contrast == 50.0

    @pytest.mark.parametrize(("contrast", "best"), [(0.0, 2), (10.0, 2), (30.0, 1)])
    def test_the_best_epoch_is_chosen_with_the_weighted_contrast(self, fitted, contrast, best):
        first, second = (record._replace(epoch=n) for n, record in enumerate(fitted.history_, 1))
        first = first._replace(validation_reconstruction=30.0, validation_contrast=1.0)
        second = second._replace(validation_reconstruction=10.0, validation_contrast=1.9)
        plan = Schedule(32, 1, 100, 5, 1e-3, contrast=contrast)
        assert best_epoch([first, second], plan) == best

    def test_no_material_is_torn_apart(self, fitted):
        parts = GROUPS[fitted.training_rows_], GROUPS[fitted.validation_rows_]
        assert not set(parts[0]) & set(parts[1])

    def test_groups_arrive_through_a_pipeline(self, fitted):
        with sklearn.config_context(enable_metadata_routing=True):
            last = BetaVAE(**OPTIONS).set_fit_request(groups=True)
            model = make_pipeline(MinMaxScaler(clip=True), last).fit(repeated(), groups=GROUPS)
        assert set(GROUPS[model[-1].validation_rows_]) == set(GROUPS[fitted.validation_rows_])
        assert model[-1].history_[0].contrast > 0

    @pytest.mark.slow
    def test_repeats_come_closer_to_each_other_than_without(self):
        def ratio(contrast):
            model = BetaVAE(hidden_layer_sizes=(16,), random_state=0, contrast=contrast)
            Z = model.set_params(max_epochs=60).fit(repeated(), groups=GROUPS).transform(X)
            pairs = Z.reshape(-1, 2, 2)
            scatter = ((pairs[:, 0] - pairs[:, 1]) ** 2).sum(axis=1).mean() / 2
            return scatter / pairs.mean(axis=1).var(axis=0).sum()

        X = repeated()
        assert ratio(100.0) < 0.5 * ratio(0.0)

    @pytest.mark.slow
    @pytest.mark.parametrize("way", ["threads", "vmap"])
    def test_many_are_fitted_as_one_is(self, fitted, way):
        template = BetaVAE(**OPTIONS)
        (model,) = fit_many(repeated(), seeds=[0], model=template, way=way, groups=GROUPS)
        for ours, theirs in zip(model.history_, fitted.history_, strict=True):
            assert ours.contrast == pytest.approx(theirs.contrast, rel=1e-4)
            assert ours.validation_contrast == pytest.approx(theirs.validation_contrast, rel=1e-4)

    @pytest.mark.parametrize(
        ("groups", "message"),
        [(None, "there are none"), (np.arange(200), "each of the training part has one row")],
    )
    def test_it_needs_repeats(self, groups, message):
        with pytest.raises(InputError, match=f"groups must say which rows are repeats.*{message}"):
            BetaVAE(**OPTIONS).fit(repeated(), groups=groups)

    def test_a_weight_below_nought_is_refused(self):
        with pytest.raises(InputError, match="contrast must be >= 0"):
            BetaVAE(contrast=-1).fit(repeated(), groups=GROUPS)
