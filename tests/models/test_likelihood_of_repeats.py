"""The law of one repeat around what is decoded from another: its value, its file, and a fit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given
from hypothesis import strategies as st

from latent_nmr.errors import InputError
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.epochs import Objective, objective_parts
from latent_nmr.models.losses import log_normaliser, reconstruction_loss
from latent_nmr.models.many import fit_many
from latent_nmr.models.networks import Architecture, graph_of, initial_state
from latent_nmr.models.principal import PrincipalFilter
from latent_nmr.models.scatter import N_DIRECTIONS, Scatter, scatter_of
from latent_nmr.models.vae_fit import problem_of
from tests.models.test_contrast import GROUPS, repeated

OPTIONS = {"hidden_layer_sizes": (8,), "max_epochs": 2, "min_epoch_steps": 3, "random_state": 0}


def of_repeats(**options):
    return BetaVAE.of_repeats(**OPTIONS, **options)


@pytest.fixture(scope="module")
def fitted():
    return of_repeats().fit(repeated(), groups=GROUPS)


class TestScatter:
    """The covariance of rows about the mean of their material."""

    @given(
        st.lists(st.integers(1, 4), min_size=2, max_size=9).filter(lambda sizes: max(sizes) > 1),
        st.integers(0, 99),
        st.floats(0.005, 0.5),
    )
    def test_the_loss_is_that_of_the_dense_covariance(self, sizes, seed, scale):
        rng = np.random.default_rng(seed)
        materials = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
        X, residuals = rng.normal(0, 0.1, (len(materials), 7)), rng.normal(0, 0.1, (5, 7))
        own = np.stack(
            [row - X[materials == m].mean(0) for row, m in zip(X, materials, strict=True)]
        )
        covariance = own.T @ own / (len(X) - len(sizes)) + scale**2 * np.eye(7)
        expected = 0.5 * np.einsum("ij,ji->i", residuals, np.linalg.solve(covariance, residuals.T))
        scatter = scatter_of(X, materials)
        # Decoded rows are 1/2 where the logits are nought.
        rows = np.float32(0.5 + residuals)
        found = reconstruction_loss(rows, np.zeros_like(rows), "repeats", scale, scatter)
        # Rounding of float32 in r and along the directions, over the smallest variance.
        atol = 2e-6 * (residuals**2).sum(axis=1).max() / scale**2
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=atol)
        constant = log_normaliser(7, "repeats", scale, scatter)
        assert constant == pytest.approx(
            0.5 * np.linalg.slogdet(2 * np.pi * covariance)[1], rel=1e-4, abs=1e-4
        )

    def test_of_many_columns_the_largest_variances_are_kept_and_the_others_shared_out(self):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(200, 90)) * np.geomspace(1, 1e-3, 90)
        scatter = scatter_of(X, GROUPS)
        differences = X[::2] - X[1::2]
        covariance = differences.T @ differences / 200
        np.testing.assert_allclose(
            scatter.directions @ scatter.directions.T, np.eye(N_DIRECTIONS), atol=1e-6
        )
        largest = np.linalg.eigvalsh(covariance)[::-1][:N_DIRECTIONS]
        np.testing.assert_allclose(scatter.variances, largest, rtol=1e-5)
        total = scatter.variances.sum() + (90 - N_DIRECTIONS) * scatter.rest[0]
        assert total == pytest.approx(np.trace(covariance), rel=1e-6)

    def test_without_scatter_it_is_the_plain_gaussian(self):
        nought = Scatter(np.eye(4, 9, dtype=np.float32), np.zeros(4), np.zeros(1))
        rng = np.random.default_rng(0)
        x, logits = rng.random((3, 9)), rng.normal(size=(3, 9))
        plain = reconstruction_loss(jnp.asarray(x), jnp.asarray(logits), "gaussian", 0.1)
        found = reconstruction_loss(jnp.asarray(x), jnp.asarray(logits), "repeats", 0.1, nought)
        np.testing.assert_allclose(found, plain, rtol=1e-5)
        assert log_normaliser(9, "repeats", 0.1, nought) == pytest.approx(
            log_normaliser(9, "gaussian", 0.1)
        )


class TestObjective:
    """Every row of a pair is decoded from the other."""

    def test_the_misfit_is_that_of_the_other_repeat(self):
        architecture, rng = Architecture(24, (8,), 2), np.random.default_rng(0)
        model = nnx.merge(graph_of(architecture), initial_state(architecture, jax.random.key(0)))
        rows, noise = repeated()[:6], rng.normal(size=(6, 2)).astype(np.float32)
        scatter = scatter_of(repeated(), GROUPS)
        parts = objective_parts(model, rows, noise, Objective(1.0, 0.02, 0.0, scatter), "repeats")
        mean, log_variance = model.encode(rows)
        logits = model.decode_logits(mean + np.exp(0.5 * log_variance) * noise)
        others = rows[[3, 4, 5, 0, 1, 2]]
        expected = reconstruction_loss(others, logits, "repeats", 0.02, scatter).mean()
        assert float(parts.reconstruction) == pytest.approx(float(expected), rel=1e-6)


class TestFit:
    """A β-VAE of that likelihood."""

    def test_its_scatter_is_that_of_the_training_rows(self, fitted):
        rows = fitted.training_rows_
        filtered = PrincipalFilter.of(repeated(), fitted.principal_components).filtered(repeated())
        expected = scatter_of(filtered[rows], GROUPS[rows])
        for found, wanted in zip(fitted.scatter_, expected, strict=True):
            np.testing.assert_array_equal(found, wanted)

    @pytest.mark.parametrize("precision", ["single", "half"])
    def test_a_file_gives_back_scores_and_coordinates(self, fitted, precision, tmp_path):
        X = repeated(1)
        fitted.save(tmp_path / "model", precision=precision)
        model = BetaVAE.load(tmp_path / "model")
        rtol = 0 if precision == "single" else 0.02
        np.testing.assert_allclose(model.score_samples(X), fitted.score_samples(X), rtol=rtol)
        np.testing.assert_allclose(model.transform(X), fitted.transform(X), rtol=rtol, atol=rtol)
        assert (model.likelihood, model.beta) == ("repeats", 1.0)

    def test_a_saved_model_without_its_scatter_is_refused(self, tmp_path):
        plain = BetaVAE(**OPTIONS).fit(repeated())
        plain.parameters_["likelihood"] = "repeats"
        plain.save(tmp_path / "model")
        with pytest.raises(InputError, match="must hold a whole weights"):
            BetaVAE.load(tmp_path / "model")

    @pytest.mark.slow
    def test_what_is_chance_in_a_curve_moves_it_less_than_under_the_gaussian(self):
        def ratio(model):
            Z = model.set_params(max_epochs=100).fit(repeated(), groups=GROUPS).transform(X)
            pairs = Z.reshape(-1, 2, 2)
            scatter = ((pairs[:, 0] - pairs[:, 1]) ** 2).mean() / 2
            return scatter / pairs.mean(axis=1).var(axis=0).mean()

        X, options = repeated(), OPTIONS | {"hidden_layer_sizes": (16,), "min_epoch_steps": 20}
        thorough = BetaVAE.thorough(**options, beta=1.0)
        assert ratio(BetaVAE.of_repeats(**options)) < 0.5 * ratio(thorough)

    def test_materials_of_one_row_take_part(self):
        groups = np.where(np.arange(200) < 150, GROUPS, np.arange(200))
        problem = problem_of(of_repeats().get_params(), repeated(), groups)
        first, second, weights = problem.validation_pairs
        held_out = groups[problem.validation_rows]
        assert sorted(groups[first]) == sorted(set(held_out))
        counts = np.array([(held_out == material).sum() for material in groups[first]])
        assert set(counts) == {1, 2}
        np.testing.assert_array_equal(first != second, counts == 2)
        np.testing.assert_array_equal(weights, counts == 2)

    @pytest.mark.slow
    def test_the_threads_of_many_and_the_model_axis_give_what_one_fit_does(self, fitted):
        for way, rel in (("threads", 0), ("vmap", 1e-3)):
            model = of_repeats()
            (found,) = fit_many(repeated(), seeds=[0], model=model, way=way, groups=GROUPS)
            for ours, theirs in zip(found.history_, fitted.history_, strict=True):
                assert ours.reconstruction == pytest.approx(theirs.reconstruction, rel=rel)
                assert ours.validation_reconstruction == pytest.approx(
                    theirs.validation_reconstruction, rel=rel
                )

    @pytest.mark.parametrize(
        ("groups", "message"),
        [(None, "there are none"), (np.arange(200), "each of the training part has one row")],
    )
    def test_it_needs_repeats(self, groups, message):
        rule = f"groups must say .*likelihood is 'repeats', but {message}.*likelihood='gaussian'"
        with pytest.raises(InputError, match=rule):
            of_repeats().fit(repeated(), groups=groups)

    def test_equal_repeats_have_no_law(self):
        X = np.repeat(repeated()[::2], 2, axis=0)
        with pytest.raises(InputError, match="repeats of a material must differ"):
            of_repeats().fit(X, groups=GROUPS)
