"""Model folders: whole or refused, and the same bits in another process."""

import hashlib
import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy

from latent_nmr.errors import InputError
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.persistence import ModelFileError

WEIGHTS, CARD = "weights.safetensors", "model.json"


@pytest.fixture
def saved(fitted, tmp_path):
    path = tmp_path / "model"
    fitted.save(path, metadata={"window": "echo", "time_us": np.arange(3.0)})
    return path


def edit_card(path, change):
    card = json.loads((path / CARD).read_text("utf-8"))
    change(card)
    (path / CARD).write_text(json.dumps(card), "utf-8")


def replace_weights(path, weights):
    """Other weights under a checksum that agrees with them."""
    raw = safetensors.numpy.save(weights)
    (path / WEIGHTS).write_bytes(raw)
    digest = hashlib.sha256(raw).hexdigest()
    edit_card(path, lambda card: card.update(weights_sha256=digest))


class TestNumpyValues:
    """Parameters and metadata of NumPy's and JAX's types."""

    @pytest.mark.parametrize("sizes", [np.array([16, 8]), jnp.array([16, 8]), (np.int64(16), 8)])
    def test_parameters_load_as_pythons_own(self, curves, tmp_path, sizes):
        given = {
            "n_components": np.int64(2),
            "hidden_layer_sizes": sizes,
            "beta": np.float32(0.5),
            "validation_fraction": np.float32(0.25),
            "max_epochs": np.int16(2),
            "likelihood": np.str_("gaussian"),
            "random_state": np.int64(0),
        }
        plain = {"hidden_layer_sizes": (16, 8)} | {
            name: value.item()
            for name, value in given.items()
            if name not in ("hidden_layer_sizes", "likelihood")
        }
        model = BetaVAE(**given).fit(curves)
        model.save(tmp_path / "a")
        parameters = BetaVAE.load(tmp_path / "a").get_params()
        assert parameters == BetaVAE(**plain).get_params()
        assert type(parameters["n_components"]) is int
        np.testing.assert_array_equal(
            model.transform(curves), BetaVAE(**plain).fit(curves).transform(curves)
        )

    def test_metadata_load_as_lists_and_numbers(self, fitted, tmp_path):
        metadata = {
            "array": jnp.arange(2), "object": np.array([np.int8(1), "a"], object),
            "date": np.datetime64("2020-01-01", "ns"), "nested": [{"x": np.array(["b"])}],
        }  # fmt: skip
        fitted.save(tmp_path / "a", metadata)
        assert BetaVAE.load(tmp_path / "a").metadata_ == {
            "array": [0, 1], "object": [1, "a"],
            "date": "2020-01-01T00:00:00.000000000", "nested": [{"x": ["b"]}],
        }  # fmt: skip


class TestHalfPrecision:
    """Weights in two bytes each."""

    def test_a_loaded_model_is_the_one_with_rounded_weights(self, fitted, curves, tmp_path):
        fitted.save(tmp_path / "half", {"window": "echo"}, precision="half")
        loaded = BetaVAE.load(tmp_path / "half")
        assert loaded.metadata_ == {"window": "echo"}
        for name, weights in fitted.weights_.items():
            assert loaded.weights_[name].dtype == np.float32
            rounded = weights.astype(np.float16) if weights.ndim == 2 else weights
            np.testing.assert_array_equal(loaded.weights_[name], rounded)
        # Eleven binary digits of each kernel's weights: nothing else has changed.
        assert np.abs(loaded.transform(curves) - fitted.transform(curves)).max() < 0.05

    def test_its_kernels_take_half_the_bytes(self, fitted, saved, tmp_path):
        fitted.save(tmp_path / "half", precision="half")
        n_weights = sum(array.size for array in fitted.weights_.values() if array.ndim == 2)
        sizes = [(path / WEIGHTS).stat().st_size for path in (saved, tmp_path / "half")]
        assert sizes[0] - sizes[1] == pytest.approx(2 * n_weights, abs=200)

    def test_weights_beyond_its_range_are_refused_and_nothing_is_written(self, saved, tmp_path):
        model = BetaVAE.load(saved)
        name = next(name for name, array in model.weights_.items() if array.ndim == 2)
        model.weights_[name] = model.weights_[name] + np.float32(1e5)
        with pytest.raises(InputError, match=r"half precision must be at most 65504.*Save in sin"):
            model.save(tmp_path / "half", precision="half")
        assert not (tmp_path / "half").exists()

    @pytest.mark.parametrize("n_dimensions", [1, 2])
    def test_any_other_mixture_of_precisions_is_refused(self, fitted, saved, n_dimensions):
        weights = dict(fitted.weights_)
        name = next(name for name, array in weights.items() if array.ndim == n_dimensions)
        weights[name] = weights[name].astype(np.float16)
        replace_weights(saved, weights)
        with pytest.raises(ModelFileError, match="do not fit its layer sizes"):
            BetaVAE.load(saved)

    def test_another_precision_is_refused(self, fitted, tmp_path):
        with pytest.raises(InputError, match="precision must be one of single, half"):
            fitted.save(tmp_path / "model", precision="double")


class TestRoundTrip:
    """Saved and loaded is the same model."""

    @pytest.mark.slow
    def test_a_new_process_gives_the_same_embedding_to_the_bit(self, saved, fitted, curves):
        np.save(saved.parent / "X.npy", curves)
        code = (
            "import sys, numpy as np; from latent_nmr import BetaVAE\n"
            "model = BetaVAE.load(sys.argv[1]); X = np.load(sys.argv[2])\n"
            "np.savez(sys.argv[3], Z=model.transform(X), sd=model.transform_std(X))"
        )
        paths = [str(saved), str(saved.parent / "X.npy"), str(saved.parent / "out.npz")]
        subprocess.run([sys.executable, "-c", code, *paths], check=True)
        with np.load(paths[2]) as result:
            np.testing.assert_array_equal(result["Z"], fitted.transform(curves))
            np.testing.assert_array_equal(result["sd"], fitted.transform_std(curves))

    def test_everything_learned_comes_back(self, saved, fitted):
        loaded = BetaVAE.load(saved)
        assert loaded.get_params() == fitted.get_params()
        assert loaded.history_ == fitted.history_
        assert (loaded.best_epoch_, loaded.stop_reason_) == (
            fitted.best_epoch_,
            fitted.stop_reason_,
        )
        for name in ("kl_", "axis_variances_", "training_rows_", "validation_rows_"):
            np.testing.assert_array_equal(getattr(loaded, name), getattr(fitted, name))
        assert loaded.metadata_ == {"window": "echo", "time_us": [0.0, 1.0, 2.0]}

    def test_nothing_learned_is_left_behind(self, saved, fitted, curves):
        loaded = BetaVAE.load(saved)
        learned = {name for name in vars(fitted) if name.endswith("_")}
        assert learned <= set(vars(loaded))
        assert loaded.scale_ == fitted.scale_
        assert loaded.score(curves) == fitted.score(curves)

    def test_a_learned_scale_comes_back(self, curves, tmp_path):
        model = BetaVAE(hidden_layer_sizes=(4,), max_epochs=1, scale="learned", random_state=0).fit(
            curves
        )
        model.save(tmp_path / "model")
        loaded = BetaVAE.load(tmp_path / "model")
        assert (loaded.scale, loaded.scale_) == ("learned", model.scale_)
        assert loaded.score(curves) == model.score(curves)

    @pytest.mark.slow
    def test_a_generator_as_seed_is_not_kept_and_the_loaded_model_can_be_fitted(
        self, curves, tmp_path
    ):
        seeded = BetaVAE(
            hidden_layer_sizes=(4,), max_epochs=1, random_state=np.random.RandomState(0)
        ).fit(curves)
        seeded.save(tmp_path / "seeded")
        loaded = BetaVAE.load(tmp_path / "seeded")
        assert loaded.get_params()["random_state"] is None
        assert loaded.fit(curves).n_iter_ == 1

    def test_a_loaded_model_can_be_saved_again_to_the_same_weights(self, saved, tmp_path):
        BetaVAE.load(saved).save(tmp_path / "again")
        assert (tmp_path / "again" / WEIGHTS).read_bytes() == (saved / WEIGHTS).read_bytes()

    def test_weights_in_any_memory_order_are_saved_by_value(self, fitted, curves, tmp_path):
        from copy import copy

        turned = copy(fitted)
        turned.weights_ = {name: np.asfortranarray(a) for name, a in fitted.weights_.items()}
        turned.save(tmp_path / "turned")
        loaded = BetaVAE.load(tmp_path / "turned")
        np.testing.assert_array_equal(loaded.transform(curves), fitted.transform(curves))


class TestOverwriting:
    """Nothing the user had is lost."""

    def test_a_saved_model_is_replaced(self, saved, curves):
        other = BetaVAE(hidden_layer_sizes=(4,), max_epochs=1, random_state=5).fit(curves)
        other.save(saved)
        assert BetaVAE.load(saved).architecture_ == other.architecture_

    def test_a_folder_with_other_things_is_refused_and_left_alone(self, saved, fitted):
        (saved / "notes.txt").write_text("mine")
        before = {path.name: path.read_bytes() for path in saved.iterdir()}
        with pytest.raises(InputError, match=r"model holds other things"):
            fitted.save(saved)
        assert {path.name: path.read_bytes() for path in saved.iterdir()} == before

    def test_a_save_that_fails_leaves_the_old_model_whole(self, saved, fitted):
        class Unprintable:
            def __str__(self):
                raise RuntimeError("no text")

        before = {path.name: path.read_bytes() for path in saved.iterdir()}
        with pytest.raises(RuntimeError, match="no text"):
            fitted.save(saved, metadata={"bad": Unprintable()})
        assert {path.name: path.read_bytes() for path in saved.iterdir()} == before
        assert not list(saved.parent.glob("*staging*"))


class TestDamage:
    """Files that cannot be used give ModelFileError, naming the folder, and nothing else."""

    def refused(self, path, words):
        with pytest.raises(ModelFileError, match=words) as caught:
            BetaVAE.load(path)
        assert str(path) in str(caught.value)

    def test_a_missing_folder(self, tmp_path):
        self.refused(tmp_path / "none", "does not exist")

    @pytest.mark.parametrize("name", [WEIGHTS, CARD])
    def test_a_missing_file(self, saved, name):
        (saved / name).unlink()
        self.refused(saved, f"has no {name}")

    def test_a_flipped_bit_in_the_weights(self, saved):
        raw = bytearray((saved / WEIGHTS).read_bytes())
        raw[-5] ^= 1
        (saved / WEIGHTS).write_bytes(raw)
        self.refused(saved, "differs from its checksum")

    def test_weights_of_the_wrong_shape_under_a_good_checksum(self, saved, fitted):
        weights = fitted.weights_ | {"output.bias": np.zeros(3, np.float32)}
        replace_weights(saved, weights)
        self.refused(saved, "do not fit its layer sizes")

    def test_weights_that_are_not_finite_under_a_good_checksum(self, saved, fitted):
        bias = np.full_like(fitted.weights_["output.bias"], np.nan)
        replace_weights(saved, fitted.weights_ | {"output.bias": bias})
        self.refused(saved, "not finite")

    def test_a_pickle_under_the_right_name(self, saved, fitted):
        raw = pickle.dumps(fitted.weights_)
        (saved / WEIGHTS).write_bytes(raw)
        digest = hashlib.sha256(raw).hexdigest()
        edit_card(saved, lambda card: card.update(weights_sha256=digest))
        self.refused(saved, f"unreadable {WEIGHTS}")

    def test_json_nested_ten_thousand_deep(self, saved):
        (saved / CARD).write_text("[" * 10_000 + "]" * 10_000)
        self.refused(saved, CARD)

    def test_another_format(self, saved):
        edit_card(saved, lambda card: card.update(format_version=99))
        self.refused(saved, "says format and version")

    @pytest.mark.parametrize("key", ["parameters", "fitted", "n_features", "hidden_layer_sizes"])
    def test_a_missing_key(self, saved, key):
        edit_card(saved, lambda card: card.pop(key))
        self.refused(saved, f"damaged {CARD}.*{key}")

    @pytest.mark.parametrize(
        "sizes", [{"n_features": 10**12}, {"hidden_layer_sizes": [10**6] * 4}, {"n_components": -1}]
    )
    def test_absurd_sizes_are_refused_before_memory_is_taken(self, saved, sizes):
        edit_card(saved, lambda card: card.update(sizes))
        self.refused(saved, f"damaged {CARD}")

    def test_random_damage_is_refused_or_harmless(self, saved, curves, tmp_path):
        rng = np.random.default_rng(0)
        for number in range(60):
            path = Path(shutil.copytree(saved, tmp_path / f"damaged{number}"))
            file = path / (WEIGHTS, CARD)[number % 2]
            raw = bytearray(file.read_bytes())
            if number % 3:
                for place in rng.integers(0, len(raw), rng.integers(1, 20)):
                    raw[place] ^= 1 << int(rng.integers(8))
            else:
                raw = raw[: int(rng.integers(len(raw)))]
            file.write_bytes(raw)
            try:
                model = BetaVAE.load(path)
            except ModelFileError:
                continue
            assert np.isfinite(model.transform(curves[:3])).all()
