"""BetaVAE as a scikit-learn transformer."""

import pickle

import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from latent_nmr.errors import InputError
from latent_nmr.models.beta_vae import BetaVAE


def small(**options):
    return BetaVAE(**({"hidden_layer_sizes": (8,), "max_epochs": 3, "random_state": 0} | options))


class TestContract:
    """What scikit-learn asks of a transformer."""

    @pytest.mark.filterwarnings("ignore:Skipping check check_array_api_input")
    def test_all_of_check_estimator_passes_with_no_expected_failure(self):
        results = check_estimator(small(max_epochs=2, random_state=None), on_fail=None)
        failed = [r["check_name"] for r in results if r["status"] not in ("passed", "skipped")]
        assert failed == []
        assert sum(r["status"] == "passed" for r in results) >= 46

    def test_it_works_in_a_pipeline_and_clones(self, curves):
        pipeline = make_pipeline(StandardScaler(), small())
        assert pipeline.fit_transform(curves).shape == (200, 2)
        assert clone(pipeline).get_params()["betavae__hidden_layer_sizes"] == (8,)

    def test_a_pickled_copy_gives_the_same_bits(self, fitted, curves):
        copy = pickle.loads(pickle.dumps(fitted))
        np.testing.assert_array_equal(copy.transform(curves), fitted.transform(curves))

    def test_columns_of_a_data_frame_are_named(self, fitted, curves):
        assert list(fitted.get_feature_names_out()) == ["betavae0", "betavae1"]
        framed = clone(fitted).set_params(max_epochs=1).set_output(transform="pandas")
        assert list(framed.fit_transform(curves).columns) == ["betavae0", "betavae1"]


class TestFit:
    """Fitting: repeatable, split by seed, best weights."""

    def test_the_same_seed_gives_the_same_weights_to_the_bit(self, curves):
        one, two = small().fit(curves), small().fit(curves)
        assert all((one.weights_[name] == two.weights_[name]).all() for name in one.weights_)

    def test_another_seed_gives_another_split_and_other_weights(self, curves):
        one, two = small().fit(curves), small(random_state=1).fit(curves)
        assert set(one.validation_rows_) != set(two.validation_rows_)
        assert (one.weights_["output.kernel"] != two.weights_["output.kernel"]).any()

    def test_every_row_is_in_one_part_and_the_fraction_is_kept(self, curves):
        model = small(validation_fraction=0.25).fit(curves)
        parts = model.training_rows_, model.validation_rows_
        assert sorted(np.concatenate(parts).tolist()) == list(range(200))
        assert len(parts[1]) == 50

    def test_beta_lowers_the_kl_it_weighs(self, curves):
        kl = [small(beta=beta, max_epochs=20).fit(curves).kl_.sum() for beta in (0.1, 100.0)]
        assert kl[1] < kl[0] / 2

    def test_a_wide_likelihood_collapses_the_axes_and_a_narrow_one_does_not(self, curves):
        wide, narrow = (
            small(scale=scale, max_epochs=60, patience=60).fit(curves).axis_variances_
            for scale in (10.0, 0.02)
        )
        assert wide.max() < 0.1 < narrow.min()


class TestTransform:
    """Curves to coordinates and back."""

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_shapes_and_dtypes_are_kept(self, fitted, curves, dtype):
        X = curves.astype(dtype)
        Z = fitted.transform(X)
        assert (Z.shape, Z.dtype) == ((200, 2), dtype)
        assert fitted.transform_std(X).dtype == fitted.inverse_transform(Z).dtype == dtype
        assert fitted.inverse_transform(Z).shape == X.shape

    def test_transform_draws_nothing(self, fitted, curves):
        np.testing.assert_array_equal(fitted.transform(curves), fitted.transform(curves))

    def test_a_rows_embedding_does_not_depend_on_its_batch(self, fitted, curves):
        whole = fitted.transform(np.tile(curves, (4, 1)))
        alone = np.concatenate([fitted.transform(row[None]) for row in curves[:5]])
        np.testing.assert_array_equal(whole[:5], alone)
        np.testing.assert_array_equal(whole[600:605], alone)

    def test_the_same_holds_for_the_full_curve(self):
        X = np.random.default_rng(0).random((600, 1882), dtype=np.float32)
        model = BetaVAE(max_epochs=1, min_epoch_steps=1, random_state=0).fit(X[:40])
        np.testing.assert_allclose(
            model.transform(X)[[0, 599]], model.transform(X[[0, 599]]), rtol=0, atol=1e-5
        )

    def test_a_trained_model_reconstructs_better_than_the_mean_curve(self, fitted, curves):
        rows = curves[fitted.validation_rows_]
        misfit = np.mean((fitted.reconstruct(rows) - rows) ** 2)
        assert misfit < 0.2 * np.mean((curves.mean(axis=0) - rows) ** 2)

    def test_samples_are_decoded_draws_from_the_prior(self, fitted):
        decoded, Z = fitted.sample(2000, random_state=0)
        np.testing.assert_array_equal(decoded, fitted.inverse_transform(Z))
        assert stats.kstest(Z.ravel(), "norm").pvalue > 1e-3

    def test_posterior_deviations_are_positive_and_below_the_priors(self, fitted, curves):
        deviation = fitted.transform_std(curves)
        assert deviation.min() > 0
        assert deviation.mean() < 1

    def test_the_score_prefers_data_like_those_it_was_fitted_on(self, fitted, curves):
        noise = np.random.default_rng(0).random(curves.shape, dtype=np.float32)
        assert fitted.score(curves) > fitted.score(noise)
        assert fitted.score(curves) == fitted.score(curves)

    def test_latent_points_of_another_width_are_refused(self, fitted):
        with pytest.raises(InputError, match=r"Z must have one column per latent axis \(2\)"):
            fitted.inverse_transform(np.zeros((4, 3)))


class TestRefusals:
    """Arguments that cannot be used, at `fit`."""

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"beta": -1}, "beta must be >= 0, but is -1"),
            ({"beta": np.nan}, "beta must be >= 0, but is nan"),
            ({"scale": 0}, "scale must be > 0, but is 0"),
            ({"likelihood": "gauss"}, "likelihood must be one of gaussian, bernoulli"),
            ({"learning_rate": 0}, "learning_rate must be > 0, but is 0"),
            ({"n_components": 0}, "n_components must be a whole number of at least 1, but is 0"),
            ({"batch_size": 2.5}, "batch_size must be a whole number of at least 1, but is 2.5"),
            ({"max_epochs": 0}, "max_epochs must be a whole number"),
            ({"min_epoch_steps": 0}, "min_epoch_steps must be a whole number"),
            ({"patience": 0}, "patience must be a whole number"),
            ({"validation_fraction": 1.0}, "validation_fraction must be > 0 and < 1, but is 1.0"),
            ({"validation_fraction": 0}, "validation_fraction must be > 0, but is 0"),
            ({"hidden_layer_sizes": (8, 0)}, "every entry of hidden_layer_sizes"),
            ({"hidden_layer_sizes": 5}, "hidden_layer_sizes must be None or a sequence.* but is 5"),
            ({"hidden_layer_sizes": 0}, "hidden_layer_sizes must be None or a sequence.* but is 0"),
            ({"hidden_layer_sizes": ()}, "hidden_layer_sizes must be None or a sequence"),
        ],
    )
    def test_a_bad_argument_is_named_with_its_value(self, curves, options, words):
        with pytest.raises(InputError, match=words):
            small(**options).fit(curves)

    @pytest.mark.parametrize("value", [-0.1, 1.1])
    def test_bernoulli_needs_the_unit_interval(self, curves, value):
        X = curves.copy()
        X[3, 3] = value
        with pytest.raises(InputError, match=rf"X must lie in \[0, 1\].*but holds {value}"):
            small(likelihood="bernoulli").fit(X)

    def test_gaussian_takes_any_finite_number(self, curves):
        assert small(scale=10.0).fit(100 * curves - 50).n_iter_ == 3
