"""Networks that read parameters off curves."""

import json
import shutil
import warnings
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

from latent_nmr.errors import InputError, NumericalError
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.challenge_models import (
    GAUSS_ACTIVATIONS,
    MODELS,
    RKKY_ACTIVATIONS,
    make_model,
)
from latent_nmr.models.curve_regressor import CurveRegressor
from latent_nmr.models.model_folder import ModelFileError
from latent_nmr.models.parameters import activations_of
from latent_nmr.models.regression_network import (
    NetworkShape,
    apply,
    initial_states,
    weights_of,
)

FIRST_VERSION = Path(__file__).parents[1] / "fixtures" / "0.1.0" / "curve_regressor" / "model"
SMALL = {
    "hidden_layer_sizes": (16, 8),
    "activation": "tanh",
    "learning_rate": 1e-2,
    "max_epochs": 40,
}


def rows_and_targets(n_rows=200, seed=0):
    """Smooth targets of six columns, of very different size."""
    draw = np.random.default_rng(seed)
    X = draw.standard_normal((n_rows, 6))
    y = np.stack([5 + 3 * X[:, 0], 1e3 * np.tanh(X[:, 1] + X[:, 2])], axis=1)
    return X, y


@pytest.fixture(scope="module")
def fitted():
    X, y = rows_and_targets()
    return CurveRegressor(**SMALL, random_state=0).fit(X, y)


def reference_output(shape, weights, x):
    """The network in NumPy, float64, as PHYSICS and Keras have it."""
    activations = {
        "relu": lambda v: np.maximum(v, 0),
        "tanh": np.tanh,
        "selu": lambda v: (
            1.0507009873554805 * np.where(v > 0, v, 1.6732632423543772 * np.expm1(np.minimum(v, 0)))
        ),
    }
    for number in range(len(shape.layers)):
        w = {name: np.asarray(value, np.float64) for name, value in weights.items()}
        if shape.batch_norm:
            norm = f"norms.{number}"
            x = (x - w[f"{norm}.mean"]) / np.sqrt(w[f"{norm}.var"] + 1e-3)
            x = x * w[f"{norm}.scale"] + w[f"{norm}.bias"]
        x = x @ w[f"layers.{number}.kernel"] + w[f"layers.{number}.bias"]
        if number < len(shape.activations):
            x = activations[shape.activations[number]](x)
    return x


class TestNetwork:
    """Layers, batch norm, activations."""

    @pytest.mark.parametrize("batch_norm", [True, False])
    def test_its_output_is_that_of_a_float64_reference(self, batch_norm):
        shape = NetworkShape(6, (9, 7, 5), ("relu", "selu", "tanh"), 2, batch_norm)
        states = initial_states(shape, jax.random.key(0))
        draw = np.random.default_rng(0)
        weights = weights_of(*states)
        rows = draw.standard_normal((10, 6))
        found = apply(*states, jnp.asarray(rows, jnp.float32), shape=shape)
        np.testing.assert_allclose(found, reference_output(shape, weights, rows), atol=1e-5)

    def test_kernels_are_he_normal(self):
        shape = NetworkShape(400, (300,), ("relu",), 1, batch_norm=False)
        weights = weights_of(*initial_states(shape, jax.random.key(0)))
        kernel = weights["layers.0.kernel"]
        # The deviation of 120,000 draws is known to a fifth of a percent; the law is cut at two
        # of its deviations, which its scale makes up for.
        assert kernel.std() == pytest.approx(np.sqrt(2 / 400), rel=0.01)
        assert np.all(weights["layers.0.bias"] == 0)

    def test_shapes_by_arithmetic_are_those_of_the_network(self):
        for batch_norm in (True, False):
            shape = NetworkShape(6, (9, 7), ("relu", "relu"), 2, batch_norm)
            weights = weights_of(*initial_states(shape, jax.random.key(0)))
            assert {n: w.shape for n, w in weights.items()} == shape.weight_shapes()

    def test_batch_norms_running_means_follow_the_rows(self, fitted):
        X, _ = rows_and_targets()
        rows = fitted._scaled_rows(X[fitted.training_rows_])
        weights = fitted.weights_[0]
        steps = fitted.best_epochs_[0] * -(-len(rows) // 32)
        # Means of batches are means of rows up to √(1/32); statistics start at mean 0, variance 1
        # and forget it by 0.99 a step.
        left = 0.99**steps
        wanted = (1 - left) * rows.var(axis=0) + left
        np.testing.assert_allclose(weights["norms.0.var"], wanted, rtol=0.15)
        assert np.abs(weights["norms.0.mean"]).max() < 0.2
        # Those of a hidden layer leave the 0 and 1 that they start from.
        assert np.abs(weights["norms.1.mean"]).max() > 0.01
        assert np.abs(weights["norms.1.var"] - 1).max() > 0.1


class TestFit:
    """What is learned, and from which rows."""

    def test_it_learns_targets_of_very_different_size(self, fitted):
        X, y = rows_and_targets(100, seed=1)
        error = ((fitted.predict(X) - y) / y.std(axis=0)) ** 2
        assert error.mean() < 0.1

    def test_shuffled_targets_are_not_learned(self):
        X, y = rows_and_targets()
        dealt = y[np.random.default_rng(0).permutation(len(y))]
        model = CurveRegressor(**SMALL, random_state=0).fit(X, dealt)
        asked, truth = rows_and_targets(100, seed=1)
        error = ((model.predict(asked) - truth) / truth.std(axis=0)) ** 2
        assert error.mean() > 0.8

    def test_the_epoch_kept_is_that_of_the_smallest_validation_error(self, fitted):
        errors = [record.validation_error for record in fitted.history_[0]]
        assert fitted.best_epochs_ == [int(np.argmin(errors)) + 1]
        X, y = rows_and_targets()
        rows = fitted.validation_rows_
        scaled = (fitted.predict(X[rows]) - y[rows]) / fitted.target_scales_
        assert np.mean(scaled**2) == pytest.approx(min(errors), rel=1e-4)

    def test_scales_come_from_the_training_rows_alone(self):
        X, y = rows_and_targets()
        held_out = np.arange(20)
        wild, wild_y = X.copy(), y.copy()
        wild[held_out], wild_y[held_out] = 50.0, 1e6
        model = CurveRegressor(**{**SMALL, "max_epochs": 1}, random_state=0)
        model.fit(wild, wild_y, validation_rows=held_out)
        np.testing.assert_allclose(model.target_means_, y[20:].mean(axis=0))
        np.testing.assert_allclose(model.target_scales_, y[20:].std(axis=0))
        np.testing.assert_allclose(model.column_means_, X[20:].mean(axis=0))
        assert model.validation_rows_.tolist() == held_out.tolist()
        assert not set(model.training_rows_) & set(held_out)

    def test_a_plateau_lowers_the_learning_rate_and_nothing_else_does(self):
        X, y = rows_and_targets(60)
        dealt = y[np.random.default_rng(0).permutation(len(y))]
        model = CurveRegressor(**SMALL, plateau_patience=3, random_state=0).fit(X, dealt)
        records = model.history_[0]
        best, lowered_at, rate = 0, 0, 1e-2
        for record in records:
            assert record.learning_rate == pytest.approx(rate)
            if not best or record.validation_error < records[best - 1].validation_error:
                best = record.epoch
            if record.epoch - max(best, lowered_at) >= 3:
                rate, lowered_at = 0.75 * rate, record.epoch
        assert lowered_at

    def test_patience_ends_the_training(self):
        X, y = rows_and_targets(60)
        dealt = y[np.random.default_rng(0).permutation(len(y))]
        model = CurveRegressor(**{**SMALL, "max_epochs": 500}, patience=4, random_state=0)
        model.fit(X, dealt)
        assert len(model.history_[0]) == model.best_epochs_[0] + 4

    def test_a_seed_repeats_the_fit_and_another_changes_it(self, fitted):
        X, y = rows_and_targets()
        again = clone(fitted).fit(X, y)
        np.testing.assert_array_equal(again.predict(X), fitted.predict(X))
        other = clone(fitted).set_params(random_state=1).fit(X, y)
        assert not np.array_equal(other.predict(X), fitted.predict(X))

    def test_several_networks_give_their_mean(self):
        X, y = rows_and_targets()
        both = CurveRegressor(**SMALL, n_networks=2, random_state=0).fit(X, y)
        one = CurveRegressor(**SMALL, random_state=0).fit(X, y)
        asked = X[:10]
        single = []
        for weights in both.weights_:
            part = clone(one)
            part.__dict__.update(one.__dict__)
            part.weights_ = [weights]
            single.append(part.predict(asked))
        np.testing.assert_allclose(both.predict(asked), np.mean(single, axis=0))
        np.testing.assert_array_equal(single[0], one.predict(asked))
        assert np.abs(single[0] - single[1]).max() > 0

    def test_one_target_may_come_as_a_vector(self):
        X, y = rows_and_targets()
        model = CurveRegressor(**SMALL, random_state=0).fit(X, y[:, 0])
        assert model.predict(X).shape == (200,)
        column = CurveRegressor(**SMALL, random_state=0).fit(X, y[:, :1]).predict(X)
        np.testing.assert_array_equal(model.predict(X), column[:, 0])


class TestSaliency:
    def test_it_is_the_mean_derivative_by_finite_differences(self, fitted):
        X, _ = rows_and_targets(50)
        mean, mean_absolute = fitted.saliency(X)
        step = 1e-2
        derivatives = []
        for column in range(6):
            up, down = X.copy(), X.copy()
            up[:, column] += step
            down[:, column] -= step
            change = (fitted.predict(up) - fitted.predict(down)) / (2 * step)
            derivatives.append(change / fitted.target_scales_)
        derivatives = np.array(derivatives)  # (column, row, target)
        np.testing.assert_allclose(mean, derivatives.mean(axis=1).T, atol=5e-3)
        np.testing.assert_allclose(mean_absolute, np.abs(derivatives).mean(axis=1).T, atol=5e-3)

    def test_it_finds_the_columns_that_matter(self, fitted):
        mean, _ = fitted.saliency(rows_and_targets(50)[0])
        assert np.argmax(np.abs(mean[0])) == 0
        assert set(np.argsort(np.abs(mean[1]))[-2:]) == {1, 2}


class TestFiles:
    """Saved and loaded."""

    def test_a_loaded_model_predicts_the_same_and_knows_what_it_is(self, fitted, tmp_path):
        fitted.save(tmp_path / "model", {"edition": "2021-gauss", "targets": ["alpha", "d"]})
        loaded = CurveRegressor.load(tmp_path / "model")
        X, _ = rows_and_targets(50)
        np.testing.assert_array_equal(loaded.predict(X), fitted.predict(X))
        assert loaded.metadata_ == {"edition": "2021-gauss", "targets": ["alpha", "d"]}
        assert loaded.history_ == fitted.history_
        assert loaded.get_params() == {**fitted.get_params(), "hidden_layer_sizes": (16, 8)}
        np.testing.assert_array_equal(loaded.training_rows_, fitted.training_rows_)
        for mine, theirs in zip(loaded.saliency(X), fitted.saliency(X), strict=True):
            np.testing.assert_array_equal(mine, theirs)

    def test_it_may_be_saved_again_over_itself_and_over_nothing_else(self, fitted, tmp_path):
        fitted.save(tmp_path / "model")
        fitted.save(tmp_path / "model")
        (tmp_path / "notes").mkdir()
        (tmp_path / "notes" / "mine.txt").write_text("mine")
        with pytest.raises(InputError, match="holds other things"):
            fitted.save(tmp_path / "notes")

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (lambda c: c.update(format="latent_nmr.decoder"), "says format and version"),
            (lambda c: c.update(format_version=3), "Read it with the version of latent-nmr that"),
            (lambda c: c["shape"].update(n_features=7), "damaged model.json"),
            (lambda c: c["shape"].update(hidden_layer_sizes=[10**9]), "damaged model.json"),
            (lambda c: c["shape"].update(activations=["exec", "tanh"]), "damaged model.json"),
            (lambda c: c["scaling"].update(target_scales=[1.0, 0.0]), "damaged model.json"),
            (lambda c: c["parameters"].update(strange=1), "damaged model.json"),
            (lambda c: c["fitted"].update(best_epochs=[99]), "damaged model.json"),
            (lambda c: c.pop("metadata"), "damaged model.json"),
            (lambda c: c.update(weights_sha256="0" * 64), "differs from its checksum"),
        ],
    )
    def test_a_damaged_card_is_refused(self, fitted, tmp_path, change, reason):
        fitted.save(tmp_path / "model")
        path = tmp_path / "model" / "model.json"
        card = json.loads(path.read_text("utf-8"))
        change(card)
        path.write_text(json.dumps(card), "utf-8")
        with pytest.raises(ModelFileError, match=reason):
            CurveRegressor.load(tmp_path / "model")

    @pytest.mark.parametrize(
        "change",
        [
            lambda card: card.update(parameters=[]),
            lambda card: card["parameters"].update(strange=1),
            lambda card: card.update(fitted=None),
            lambda card: card["fitted"].update(history=None),
            lambda card: card["fitted"].update(history=[3, 3]),
            lambda card: card["fitted"]["history"][0].append([2]),
            lambda card: card["fitted"]["history"][1][0].pop(),
        ],
    )
    def test_a_damaged_card_of_the_first_version_is_refused_too(self, tmp_path, change):
        path = Path(shutil.copytree(FIRST_VERSION, tmp_path / "model")) / "model.json"
        card = json.loads(path.read_text("utf-8"))
        assert card["format_version"] == 1
        change(card)
        path.write_text(json.dumps(card), "utf-8")
        with pytest.raises(ModelFileError, match=r"damaged model\.json"):
            CurveRegressor.load(tmp_path / "model")

    def test_half_precision_takes_less_room_and_predicts_nearly_the_same(self, fitted, tmp_path):
        fitted.save(tmp_path / "half", precision="half")
        fitted.save(tmp_path / "single")
        half, single = (tmp_path / name / "weights.safetensors" for name in ("half", "single"))
        assert half.stat().st_size < single.stat().st_size
        X, y = rows_and_targets(50)
        found = CurveRegressor.load(tmp_path / "half").predict(X)
        assert 0 < (np.abs(found - fitted.predict(X)) / y.std(axis=0)).max() < 0.02

    def test_its_card_in_memory_is_that_of_its_folder(self, fitted, tmp_path):
        fitted.save(tmp_path / "model")
        assert CurveRegressor.load(tmp_path / "model").card() == fitted.card()
        assert fitted.card()["n_weights"] == sum(a.size for a in fitted.weights_[0].values())

    def test_a_model_of_another_kind_is_refused(self, fitted, tmp_path):
        fitted.save(tmp_path / "model")
        with pytest.raises(ModelFileError, match=r"must be a β-VAE, but .* is a regressor"):
            BetaVAE.load(tmp_path / "model")

    def test_every_byte_of_the_weights_is_under_the_checksum(self, fitted, tmp_path):
        fitted.save(tmp_path / "model")
        path = tmp_path / "model" / "weights.safetensors"
        raw = bytearray(path.read_bytes())
        raw[-3] ^= 1
        path.write_bytes(raw)
        with pytest.raises(ModelFileError, match="differs from its checksum"):
            CurveRegressor.load(tmp_path / "model")

    def test_a_folder_that_is_none(self, tmp_path):
        with pytest.raises(ModelFileError, match="does not exist"):
            CurveRegressor.load(tmp_path / "nowhere")


class TestBadInput:
    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({"hidden_layer_sizes": ()}, "hidden_layer_sizes must be a sequence"),
            ({"hidden_layer_sizes": (0,), "activation": "relu"}, "at least 1, but is 0"),
            ({"activation": ("relu",)}, r"one name per hidden layer \(2\), but is \('relu',\)"),
            ({"activation": "sine"}, "activation must be one of relu, selu, tanh, gelu"),
            ({"solver": "sgd"}, "solver must be one of"),
            ({"learning_rate": 0}, "learning_rate must be > 0"),
            ({"plateau_factor": 1.5}, "plateau_factor must be > 0 and <= 1"),
            ({"validation_fraction": 1.0}, "validation_fraction must be > 0 and < 1"),
            ({"n_networks": 0}, "n_networks must be a whole number of at least 1"),
        ],
    )
    def test_parameters(self, parameters, message):
        X, y = rows_and_targets(20)
        with pytest.raises(InputError, match=message):
            CurveRegressor(**{**SMALL, **parameters}).fit(X, y)

    def test_a_constant_target_is_named(self):
        X, y = rows_and_targets(20)
        y[:, 1] = 0.1
        with pytest.raises(InputError, match=r"target 1 is 0\.1 in all 18\. Drop it"):
            CurveRegressor(**SMALL).fit(X, y)

    @pytest.mark.parametrize("rows", [[], [-1], [20], list(range(20))])
    def test_validation_rows_that_are_none(self, rows):
        X, y = rows_and_targets(20)
        with pytest.raises(InputError, match="validation_rows must"):
            CurveRegressor(**SMALL).fit(X, y, validation_rows=rows)

    def test_nan_is_refused(self):
        X, y = rows_and_targets(20)
        X[3, 2] = np.nan
        with pytest.raises(ValueError, match="NaN"):
            CurveRegressor(**SMALL).fit(X, y)

    def test_so_is_a_target_that_is_none_in_a_list(self):
        X, y = rows_and_targets(20)
        rows = y.reshape(len(y), -1).tolist()
        rows[5][0] = None
        with pytest.raises(InputError, match=r"y must be finite, but row 5 has nan in column 0"):
            CurveRegressor(hidden_layer_sizes=(4,), max_epochs=1).fit(X, rows)

    def test_an_error_that_is_not_finite_from_the_start(self):
        X, y = rows_and_targets(40)
        with pytest.raises(NumericalError, match="Lower learning_rate"):
            CurveRegressor((8,), activation="relu", batch_norm=False, learning_rate=1e30).fit(X, y)


class TestActivation:
    """One name for all layers, one per layer, or those of the published network."""

    @pytest.mark.slow
    def test_the_default_follows_the_number_of_layers(self):
        X, y = rows_and_targets(40)
        for sizes, expected in (
            ((4,), ("relu",)),
            ((64, 64), ("relu", "relu")),
            ((4,) * 7, GAUSS_ACTIVATIONS),
            ((2,) * 9, (*GAUSS_ACTIVATIONS, "relu", "relu")),
        ):
            model = CurveRegressor(hidden_layer_sizes=sizes, max_epochs=1, random_state=0)
            assert model.fit(X, y).shape_.activations == expected
        assert activations_of(CurveRegressor().get_params()) == GAUSS_ACTIVATIONS

    def test_all_but_the_sizes_are_given_by_name(self):
        with pytest.raises(TypeError, match="positional"):
            CurveRegressor((4,), "relu")


class TestChallengeModels:
    """Those of the challenge, as they are described."""

    def test_the_deep_networks_are_the_public_ones(self):
        gauss = make_model("deep", "2021-gauss", ["alpha", "xi", "d"], 400, 0)
        assert gauss.hidden_layer_sizes == (200,) * 7
        assert gauss.activation == GAUSS_ACTIVATIONS
        assert " ".join(GAUSS_ACTIVATIONS) == "relu relu selu tanh relu selu relu"
        assert gauss.max_epochs == 150
        rkky = make_model("deep", "2021-rkky", ["alpha", "xi", "d"], 400, 0)
        assert rkky.hidden_layer_sizes == (200,) * 6
        assert rkky.activation == RKKY_ACTIVATIONS == ("selu", "relu") * 3
        assert rkky.max_epochs == 200
        for model in (gauss, rkky):
            assert (model.solver, model.batch_size, model.batch_norm) == ("nadam", 32, True)
            assert (model.plateau_factor, model.plateau_patience) == (0.75, 5)

    def test_the_course_baselines_are_those_of_their_years(self):
        sizes = {
            "2020": (400, 200, 24),
            "2021-gauss": (100, 40),
            "2021-rkky": (100, 40),
        }
        for edition, wanted in sizes.items():
            model = make_model("baseline", edition, ["alpha"], 400, 0)
            assert model.hidden_layer_sizes == wanted
            assert not model.batch_norm

    def test_another_name_is_refused(self):
        assert MODELS == ("baseline", "deep", "winners", "best")
        with pytest.raises(InputError, match="model must be one of"):
            make_model("worst", "2020", ["alpha"], 400, 0)


@pytest.mark.slow
def test_it_keeps_the_conventions_of_scikit_learn():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_estimator(
            CurveRegressor(
                (32,), activation="relu", max_epochs=60, learning_rate=1e-2, random_state=0
            )
        )
