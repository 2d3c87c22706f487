"""BetaVAE as a scikit-learn transformer."""

import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator, estimator_checks_generator

from latent_nmr.errors import AxisWarning, InputError, NumericalError, RangeWarning
from latent_nmr.models.beta_vae import BetaVAE
from tests.models import reference


def small(**options):
    return BetaVAE(**({"hidden_layer_sizes": (8,), "max_epochs": 3, "random_state": 0} | options))


# Of scikit-learn's checks of an estimator: all take more than a minute, nearly all of it for
# compiling shapes that nobody uses.
OFTEN_FAILED = (
    "check_parameters_default_constructible",
    "check_no_attributes_set_in_init",
    "check_dict_unchanged",
    "check_dont_overwrite_parameters",
    "check_transformer_preserve_dtypes",
    "check_estimators_nan_inf",
)


class TestContract:
    """What scikit-learn asks of a transformer."""

    @pytest.mark.slow
    def test_checks_that_networks_often_fail_pass(self):
        estimator = small(max_epochs=2, random_state=None)
        asked = set(OFTEN_FAILED)
        for subject, check in estimator_checks_generator(estimator):
            if check.func.__name__ in asked:
                check(subject)
                asked.discard(check.func.__name__)
        assert not asked

    @pytest.mark.slow
    @pytest.mark.filterwarnings("ignore:Skipping check check_array_api_input")
    def test_all_of_check_estimator_passes_with_no_expected_failure(self):
        estimator = small(max_epochs=2, random_state=None)
        # Strict: the list of expected failures is empty, and any failure raises.
        results = check_estimator(estimator, expected_failed_checks={}, on_fail="raise")
        found = dict.fromkeys(("passed", "skipped", "xfail", "failed"), 0)
        for result in results:
            found[result["status"]] += 1
        assert found["failed"] == found["xfail"] == 0
        assert found["passed"] >= 46
        skipped = [r["check_name"] for r in results if r["status"] == "skipped"]
        assert skipped in ([], ["check_array_api_input"])  # needs SCIPY_ARRAY_API=1

    @pytest.mark.slow
    def test_it_works_in_a_pipeline_and_clones(self, curves):
        pipeline = make_pipeline(StandardScaler(), small())
        assert pipeline.fit_transform(curves).shape == (200, 2)
        assert clone(pipeline).get_params()["betavae__hidden_layer_sizes"] == (8,)

    def test_a_pickled_copy_gives_the_same_bits(self, fitted, curves):
        copy = pickle.loads(pickle.dumps(fitted))
        np.testing.assert_array_equal(copy.transform(curves), fitted.transform(curves))

    def test_columns_are_named_after_the_papers_axes(self, fitted, curves):
        assert list(fitted.get_feature_names_out()) == ["LA1", "LA2"]
        framed = clone(fitted).set_params(max_epochs=1).set_output(transform="pandas")
        assert list(framed.fit_transform(curves).columns) == ["LA1", "LA2"]
        with pytest.raises(NotFittedError):
            small().get_feature_names_out()

    @pytest.mark.slow
    def test_it_is_searched_and_cross_validated(self, curves):
        search = GridSearchCV(small(), {"scale": [0.2, 5.0], "n_components": [1, 2]}, cv=2)
        search.fit(curves)
        # Residuals are of order 0.2: a likelihood 5 wide explains such data far worse.
        assert search.best_params_["scale"] == 0.2
        assert np.isfinite(cross_val_score(small(), curves, cv=3)).all()

    @pytest.mark.slow
    def test_its_coordinates_are_features_of_a_regression(self, curves):
        model = make_pipeline(small(max_epochs=30, patience=30), LinearRegression())
        heights = curves.max(axis=1)
        scores = cross_val_score(model, curves, heights, cv=3)
        shuffled = np.random.default_rng(0).permutation(heights)
        assert scores.min() > 0.5
        assert cross_val_score(model, curves, shuffled, cv=3).max() < 0.2


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

    def test_beta_rises_over_the_warm_up(self, curves):
        model = small(beta=3.0, warm_up_epochs=2, max_epochs=4).fit(curves)
        assert [record.beta for record in model.history_] == [1.0, 2.0, 3.0, 3.0]

    def test_beta_lowers_the_kl_it_weighs(self, curves):
        kl = [small(beta=beta, max_epochs=20).fit(curves).kl_.sum() for beta in (0.1, 100.0)]
        assert kl[1] < kl[0] / 2

    def test_a_wide_likelihood_collapses_the_axes_and_a_narrow_one_does_not(self, curves):
        wide, narrow = (
            small(scale=scale, max_epochs=60, patience=60).fit(curves).axis_variances_
            for scale in (10.0, 0.02)
        )
        assert wide.max() < 0.1 < narrow.min()


class TestLearnedScale:
    """`scale="learned"`: σ is a result."""

    @pytest.fixture
    def noisy(self, curves):
        """The two-parameter family under noise of known size."""
        noise = np.random.default_rng(5).normal(0, 0.04, (10, *curves.shape))
        return np.concatenate(curves + noise).astype(np.float32)

    @pytest.mark.slow
    def test_it_finds_the_noise_of_the_data(self, noisy):
        model = BetaVAE(
            hidden_layer_sizes=(16, 8), scale="learned", learning_rate=3e-3, random_state=0
        ).fit(noisy)
        # The network cannot follow noise; what it cannot follow of the curves adds to it.
        assert 0.038 < model.scale_ < 0.055
        fixed = clone(model).set_params(scale=float(model.scale_)).fit(noisy)
        # The same likelihood: learned step by step or known from the start.
        assert model.score(noisy) == pytest.approx(fixed.score(noisy), abs=2.0)

    def test_it_is_the_residual_of_draws_from_the_posterior(self, curves):
        # A heavy β leaves wide posteriors, whose draws miss by more than their means do.
        model = small(scale="learned", beta=6.0, max_epochs=60, patience=60).fit(curves)
        rows = curves[model.training_rows_]
        mean, deviation = model.transform(rows), model.transform_std(rows)
        rng = np.random.default_rng(0)
        draws = [mean + deviation * rng.standard_normal(mean.shape) for _ in range(50)]
        squares = [np.mean((model.inverse_transform(z) - rows) ** 2) for z in draws]
        # Single draws of all rows scatter about their mean.
        assert model.scale_ == pytest.approx(np.sqrt(np.mean(squares)), rel=0.15)
        assert model.scale_ > 1.2 * np.sqrt(np.mean((model.reconstruct(rows) - rows) ** 2))

    def test_a_number_is_taken_as_it_is(self, fitted):
        assert fitted.scale_ == fitted.scale == 0.02


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

    @pytest.mark.slow
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

    def test_posterior_deviations_are_those_of_the_float64_network(self, fitted, curves):
        _, log_variance = reference.encode(fitted.weights_, curves)
        expected = np.exp(0.5 * log_variance)
        np.testing.assert_allclose(fitted.transform_std(curves), expected, rtol=1e-4)

    def test_posterior_deviations_are_positive_and_below_the_priors(self, fitted, curves):
        deviation = fitted.transform_std(curves)
        assert deviation.min() > 0
        assert deviation.mean() < 1

    def test_the_score_prefers_data_like_those_it_was_fitted_on(self, fitted, curves):
        noise = np.random.default_rng(0).random(curves.shape, dtype=np.float32)
        assert fitted.score(curves) > fitted.score(noise)
        assert fitted.score(curves) == fitted.score(curves)

    def test_the_score_is_the_mean_of_its_rows_which_do_not_feel_their_company(
        self, fitted, curves
    ):
        rows = fitted.score_samples(curves)
        assert rows.shape == (200,)
        assert fitted.score(curves) == rows.mean()
        order = np.random.default_rng(1).permutation(200)
        np.testing.assert_array_equal(fitted.score_samples(curves[order]), rows[order])
        np.testing.assert_array_equal(fitted.score_samples(curves[7:8]), rows[7:8])

    def test_the_score_is_a_lower_bound_near_the_evidence(self, fitted, curves):
        # log p(x) = log E_q[p(x, z) / q(z|x)], by 20,000 draws of importance sampling each.
        rng, x = np.random.default_rng(2), curves[:10].astype(np.float64)
        mean, log_variance = reference.encode(fitted.weights_, x)
        bounds = fitted.score_samples(curves[:10])
        for row in range(10):
            deviation = np.exp(log_variance[row] / 2)
            z = mean[row] + deviation * rng.standard_normal((20_000, 2))
            decoded = reference.decode(fitted.weights_, z)
            log_weights = (
                stats.norm.logpdf(x[row], decoded, fitted.scale).sum(axis=1)
                + stats.norm.logpdf(z).sum(axis=1)
                - stats.norm.logpdf(z, mean[row], deviation).sum(axis=1)
            )
            # The bound is the mean of the log weights; 32 points know it to about their spread
            # over √32, a sixth of it.
            spread = log_weights.std()
            assert abs(bounds[row] - log_weights.mean()) < spread
            assert bounds[row] < np.logaddexp.reduce(log_weights) - np.log(20_000) + spread

    def test_many_rows_take_the_same_bits_as_few(self, fitted, curves):
        many = np.tile(curves, (26, 1))  # several pieces at once
        np.testing.assert_array_equal(fitted.transform(many)[-200:], fitted.transform(curves))
        np.testing.assert_array_equal(
            fitted.inverse_transform(np.zeros((5000, 2)))[4999:],
            fitted.inverse_transform(np.zeros((1, 2))),
        )

    def test_the_decoder_alone_is_the_inverse_transform_and_can_be_differentiated(self, fitted):
        decoder = fitted.decoder()
        z = np.array([[0.3, -1.0], [2.0, 0.5]], np.float32)
        np.testing.assert_allclose(decoder(z), fitted.inverse_transform(z), rtol=0, atol=1e-6)
        slope = jax.jacobian(decoder)(jnp.asarray(z[0]))
        assert slope.shape == (24, 2)
        # Central differences of the float64 network: error h² plus that of float32.
        step = 1e-4 * np.eye(2)
        low, high = (reference.decode(fitted.weights_, z[0] + sign * step) for sign in (-1, 1))
        np.testing.assert_allclose(slope.T, (high - low) / 2e-4, rtol=0, atol=1e-4)

    @pytest.mark.filterwarnings("error::RuntimeWarning")
    def test_rows_beyond_float32_are_a_numerical_error_that_names_them(self, fitted, curves):
        far = curves.astype(np.float64)
        far[5] = 1e300
        with pytest.raises(NumericalError, match=r"for row 5, whose largest value is 1e\+300"):
            fitted.transform(far)
        with pytest.raises(NumericalError, match=r"for row 5, whose largest value is 1e\+300"):
            fitted.transform(np.tile(far, (26, 1)))  # several pieces, in threads
        with pytest.raises(NumericalError, match="for row 1"):
            fitted.inverse_transform(np.array([[0.0, 0.0], [1e300, -1e300]]))

    def test_latent_points_of_another_width_are_refused(self, fitted):
        with pytest.raises(InputError, match=r"Z must have one column per latent axis \(2\)"):
            fitted.inverse_transform(np.zeros((4, 3)))


class TestRefit:
    """A second fit of the same object."""

    def test_one_that_ends_early_leaves_nothing_of_the_first(self, curves):
        model = small().fit(curves)

        def interrupt(_):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            model.fit(curves[:, :5], on_epoch=interrupt)
        for call in (model.transform, model.transform_std, model.reconstruct, model.score):
            with pytest.raises(NotFittedError):
                call(curves[:, :5])

    def test_metadata_of_a_loaded_model_are_not_those_of_its_refit(self, fitted, curves, tmp_path):
        fitted.save(tmp_path / "model", metadata={"window": "echo"})
        loaded = BetaVAE.load(tmp_path / "model").set_params(max_epochs=1)
        assert loaded.fit(curves).metadata_ == {}


class TestWarnings:
    """What `fit` says when something is not as it should be."""

    def test_an_axis_out_of_use_is_named_with_the_cure(self, curves):
        with pytest.warns(AxisWarning, match=r"LA2 is collapsed: .*Lower scale or beta"):
            small(scale=10.0, max_epochs=40, patience=40).fit(curves)

    def test_data_that_no_sigmoid_reaches_are_named_with_their_span(self, curves):
        with pytest.warns(RangeWarning, match=r"spans -0\.5 to .* Scale it"):
            small(scale=1.0).fit(curves - 0.5)

    def test_axes_in_use_are_not_mentioned(self, curves, recwarn):
        small(max_epochs=60, patience=60).fit(curves)
        assert not [w for w in recwarn if issubclass(w.category, AxisWarning)]

    def test_a_loss_that_left_the_finite_numbers_is_told_with_what_is_kept(self, curves):
        model = small(learning_rate=10.0, batch_size=170, min_epoch_steps=1, max_epochs=50)
        with pytest.warns(ConvergenceWarning, match=r"not in epoch \d+; the weights of epoch \d+"):
            model.set_params(patience=50).fit(curves)
        assert model.stop_reason_ == "loss not finite"
        assert not model.history_[-1].is_finite()
        assert np.isfinite(model.transform(curves)).all()


class TestRefusals:
    """Arguments that cannot be used, at `fit`."""

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"beta": -1}, "beta must be >= 0, but is -1"),
            ({"beta": np.nan}, "beta must be >= 0, but is nan"),
            ({"scale": 0}, "scale must be > 0, but is 0"),
            ({"scale": "learnt"}, "scale must be > 0, or 'learned' .* but is 'learnt'"),
            (
                {"scale": "learned", "likelihood": "bernoulli"},
                "scale must be > 0, or 'learned' for the Gaussian .* likelihood 'bernoulli'",
            ),
            ({"likelihood": "gauss"}, "likelihood must be one of gaussian, bernoulli"),
            ({"learning_rate": 0}, "learning_rate must be > 0, but is 0"),
            ({"n_components": 0}, "n_components must be a whole number of at least 1, but is 0"),
            ({"batch_size": 2.5}, "batch_size must be a whole number of at least 1, but is 2.5"),
            ({"max_epochs": 0}, "max_epochs must be a whole number"),
            ({"min_epoch_steps": 0}, "min_epoch_steps must be a whole number"),
            ({"patience": 0}, "patience must be a whole number"),
            ({"warm_up_epochs": -1}, "warm_up_epochs must be a whole number of at least 0"),
            ({"warm_up_epochs": 3}, r"warm_up_epochs must be less than max_epochs \(3\), but is 3"),
            ({"validation_fraction": 1.0}, "validation_fraction must be > 0 and < 1, but is 1.0"),
            ({"validation_fraction": 0}, "validation_fraction must be > 0, but is 0"),
            ({"validation_fraction": 0.999}, "must leave rows to train on, but is 0.999 of 200"),
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
