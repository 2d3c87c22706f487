"""Model cards: what they tell, what they hold, and what a reader of JSON must refuse."""

import json
import math
from dataclasses import fields

import numpy as np
import pytest

from latent_nmr.errors import InputError
from latent_nmr.latent_axes import axis_state
from latent_nmr.models import card_checks, networks, vae_card
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.card_checks import check_rows, strict_json
from latent_nmr.models.card_summary import read_summary
from latent_nmr.models.fitted import OPTIONAL, FittedVAE
from latent_nmr.models.schedule import EpochRecord
from latent_nmr.models.vae_card import check_history
from latent_nmr.report.model_card import card_lines

CARD = "model.json"


@pytest.fixture
def saved(fitted, tmp_path):
    fitted.save(tmp_path / "model", metadata={"window": "echo"})
    return tmp_path / "model"


@pytest.fixture
def entries(saved):
    """What model.json holds, as Python values that a test may change."""
    return json.loads((saved / CARD).read_text("utf-8"))


class TestDescription:
    """`BetaVAE.card()` and the words of `describe`."""

    def test_a_fitted_model_describes_itself(self, fitted):
        card = fitted.card()
        assert card["parameters"] == {**fitted.get_params(), "hidden_layer_sizes": [16, 8]}
        assert (card["n_features"], card["hidden_layer_sizes"]) == (24, [16, 8])
        assert card["n_weights"] == sum(array.size for array in fitted.weights_.values())
        best = fitted.history_[fitted.best_epoch_ - 1]
        assert card["training"]["best"]["validation_kl"] == best.validation_kl
        assert card["training"]["n_epochs"] == fitted.n_iter_
        assert card["training"]["n_training_rows"] == len(fitted.training_rows_)
        for axis, kl, variance in zip(
            card["axes"].values(), fitted.kl_, fitted.axis_variances_, strict=True
        ):
            assert axis == {"kl": kl, "variance": variance, "state": axis_state(variance)}
        assert card["device"] == fitted.device_
        assert card["packages"]["numpy"] == np.__version__

    def test_it_is_the_same_after_a_round_trip(self, fitted, saved):
        card = BetaVAE.load(saved).card()
        assert card == fitted.card() | {"metadata": {"window": "echo"}}
        assert json.loads(json.dumps(card, allow_nan=False)) == card

    def test_its_hash_is_that_of_the_weights_file(self, fitted, entries):
        assert fitted.card()["weights_sha256"] == entries["weights_sha256"]

    def test_device_and_packages_stay_those_of_the_fit(self, saved, entries, tmp_path):
        entries["fitted"]["device"] = "abacus (10 beads)"
        entries["packages"] = {"jax": "0.0.1"}
        (saved / CARD).write_text(json.dumps(entries), "utf-8")
        BetaVAE.load(saved).save(tmp_path / "again")
        card = BetaVAE.load(tmp_path / "again").card()
        assert (card["device"], card["packages"]) == ("abacus (10 beads)", {"jax": "0.0.1"})

    def test_the_words_need_no_weights(self, saved):
        (saved / "weights.safetensors").unlink()
        lines = card_lines(read_summary(saved))
        assert any("24 columns, hidden layers 16-8" in line for line in lines)
        assert any("LA1" in line and "variance" in line for line in lines)

    def test_long_metadata_make_no_long_description(self, saved, entries):
        entries["metadata"] = {f"name {n}": [1.5] * 1000 for n in range(1000)}
        (saved / CARD).write_text(json.dumps(entries), "utf-8")
        text = "\n".join(card_lines(read_summary(saved)))
        assert "name 0 [1000 entries]" in text
        assert "960 more" in text
        assert len(text) < 5000


class TestHistory:
    """Losses that left the finite numbers survive; anything else that is strange does not."""

    def test_losses_that_are_not_finite_come_back_as_nan(self, fitted, tmp_path):
        from copy import copy

        failed = copy(fitted)
        kl = (math.nan, math.inf)
        last = fitted.history_[-1]._replace(kl=math.nan, reconstruction=-math.inf, kl_per_axis=kl)
        failed.history_ = [*fitted.history_[:-1], last]
        failed.save(tmp_path / "model")
        text = (tmp_path / "model" / CARD).read_text("utf-8")
        json.loads(text, parse_constant=pytest.fail)
        loaded = BetaVAE.load(tmp_path / "model")
        assert loaded.history_[:-1] == failed.history_[:-1]
        assert math.isnan(loaded.history_[-1].kl)
        assert math.isnan(loaded.history_[-1].reconstruction)
        assert all(map(math.isnan, loaded.history_[-1].kl_per_axis))
        json.dumps(loaded.card(), allow_nan=False)

    def test_every_field_of_an_epoch_is_kept(self, entries):
        assert all(set(epoch) == set(EpochRecord._fields) for epoch in entries["fitted"]["history"])

    @pytest.mark.parametrize("name", EpochRecord._fields)
    def test_no_field_of_an_epoch_may_be_missing_or_strange(self, entries, name):
        history = entries["fitted"]["history"]
        check_history(history, 2)
        for value in ("1", True, [[1.0], 2.0], [1.0], [1.0, 2.0, 3.0], {}, 10**400):
            with pytest.raises(ValueError, match=r"must be|must count"):
                check_history([{**history[0], name: value}, *history[1:]], 2)
        del history[0][name]
        if name in EpochRecord._field_defaults:  # earlier versions had none
            assert getattr(check_history(history, 2)[0], name) == 0
            return
        with pytest.raises(ValueError, match=f"an epoch lacks or should not have.*{name}"):
            check_history(history, 2)

    def test_an_unknown_field_is_refused(self, entries):
        history = entries["fitted"]["history"]
        with pytest.raises(ValueError, match=r"should not have.*'colour'"):
            check_history([{**history[0], "colour": 1.0}, *history[1:]], 2)

    @pytest.mark.parametrize("change", [lambda h: h[1:], lambda h: h[::-1], lambda h: h + h[-1:]])
    def test_epochs_are_counted_from_one(self, entries, change):
        with pytest.raises(ValueError, match="count its epochs from 1"):
            check_history(change(entries["fitted"]["history"]), 2)

    def test_there_is_at_least_one_epoch(self):
        with pytest.raises(ValueError, match="must be a list of epochs"):
            check_history([], 2)

    @pytest.mark.parametrize("best_epoch", [0, -1, 1000, 1.0, True, None])
    def test_the_best_epoch_is_one_of_them(self, entries, best_epoch):
        entries["fitted"]["best_epoch"] = best_epoch
        with pytest.raises(ValueError, match="best_epoch must be a whole number of at least 1"):
            vae_card.FORMAT.check(entries)


class TestRows:
    """Row numbers count from 0, and no row is used twice."""

    @pytest.mark.parametrize("rows", [[-1], [1.0], [True], ["1"], [None], [[1]], {}, 3])
    def test_rows_are_whole_numbers(self, rows):
        with pytest.raises(ValueError, match="whole numbers of at least 0"):
            check_rows([0], rows)

    @pytest.mark.parametrize(("training", "validation"), [([1, 2], [2, 3]), ([1, 1], [2])])
    def test_no_row_is_used_twice(self, training, validation):
        with pytest.raises(ValueError, match="a row must be used once"):
            check_rows(training, validation)

    @pytest.mark.slow
    def test_three_million_rows_fit_a_card(self, fitted, tmp_path):
        from copy import copy

        large = copy(fitted)
        rows = np.random.default_rng(0).permutation(3_000_000)
        large.training_rows_, large.validation_rows_ = np.sort(rows[450_000:]), rows[:450_000]
        large.save(tmp_path / "model")
        loaded = BetaVAE.load(tmp_path / "model")
        np.testing.assert_array_equal(loaded.training_rows_, large.training_rows_)
        np.testing.assert_array_equal(loaded.validation_rows_, large.validation_rows_)

    def test_rows_with_gaps_are_kept_too(self, fitted, tmp_path):
        from copy import copy

        gaps = copy(fitted)
        gaps.training_rows_, gaps.validation_rows_ = np.array([0, 4, 7]), np.array([2, 3])
        gaps.save(tmp_path / "model")
        assert BetaVAE.load(tmp_path / "model").training_rows_.tolist() == [0, 4, 7]

    @pytest.mark.parametrize("n_rows", [0, -1, 2, 10**12, 5.0, None])
    def test_packed_rows_hold_those_for_validation_and_no_absurd_number(self, n_rows):
        assert check_rows({card_checks.OTHERS: 4}, [2])[0].tolist() == [0, 1, 3]
        with pytest.raises(ValueError, match=r"whole number of at least 1|must lie below 2"):
            check_rows({card_checks.OTHERS: n_rows}, [2])

    def test_rows_beyond_64_bits_are_refused(self):
        with pytest.raises(OverflowError):
            check_rows([0], [2**64])


class TestParameters:
    """They agree with the layers, and are numbers and words."""

    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            ({"n_components": 3}, "another n_components"),
            ({"hidden_layer_sizes": [16, 9]}, "other hidden_layer_sizes"),
            ({"hidden_layer_sizes": 16}, "must be null or a list"),
            ({"random_state": -1}, "random_state must be a whole number"),
            ({"random_state": {"a": 1}}, "'random_state' must be a number, a word or a list"),
            ({"verbose": [1]}, "'verbose' must be a number or a word"),
            ({"likelihood": "x" * 1000}, "likelihood must be a short text"),
        ],
    )
    def test_others_are_refused(self, entries, change, complaint):
        entries["parameters"] |= change
        with pytest.raises((ValueError, TypeError), match=complaint):
            vae_card.FORMAT.check(entries)


class TestStrictJson:
    """JSON as its standard says, and no more of it than a card needs."""

    @pytest.mark.parametrize("text", ["[NaN]", "[Infinity]", "[-Infinity]", "[1e999]", "[-1e999]"])
    def test_there_are_no_infinite_numbers(self, text):
        with pytest.raises(ValueError, match=r"is no JSON|not a finite number"):
            strict_json(text.encode())

    def test_no_key_occurs_twice_at_any_depth(self):
        with pytest.raises(ValueError, match="a key twice"):
            strict_json(b'{"a": [{"b": 1, "c": 2, "b": 1}]}')

    def test_half_a_character_is_refused_and_a_whole_one_is_read(self):
        with pytest.raises(UnicodeEncodeError):
            strict_json(rb'["\ud83d"]')
        assert strict_json(rb'["\ud83d\ude00 \\ud83d"]') == ["😀 \\ud83d"]

    def test_more_objects_than_a_card_can_need_are_refused(self):
        strict_json(b"[" + b"[]," * (card_checks.MAX_BRACKETS - 2) + b"1]")
        with pytest.raises(ValueError, match="too many lists and objects"):
            strict_json(b"[" + b"[]," * card_checks.MAX_BRACKETS + b"1]")


class TestSaving:
    """What a reader would refuse is not written."""

    @pytest.mark.parametrize(
        "metadata",
        [{"x": math.nan}, {"x": np.float32(math.inf)}, {"x": "\ud83d"}, {"x": "y" * 2**23}],
    )
    def test_metadata_that_json_cannot_hold_are_refused(self, fitted, tmp_path, metadata):
        with pytest.raises(InputError, match=r"metadata must fit a model file.*Leave that out"):
            fitted.save(tmp_path / "model", metadata=metadata)
        assert not (tmp_path / "model").exists()

    def test_metadata_that_hold_themselves_are_refused(self, fitted, tmp_path):
        metadata = {}
        metadata["self"] = metadata
        with pytest.raises(InputError, match="RecursionError"):
            fitted.save(tmp_path / "model", metadata=metadata)
        assert not (tmp_path / "model").exists()

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("n_components", 5),
            ("likelihood", "bernoulli"),
            ("scale", 0.5),
            ("beta", 9.0),
            ("hidden_layer_sizes", (4,)),
            ("random_state", 99),
        ],
    )
    def test_parameters_changed_after_the_fit_change_nothing_of_it(
        self, fitted, tmp_path, name, value
    ):
        from copy import copy

        X = np.random.default_rng(0).random((5, fitted.n_features_in_))
        changed = copy(fitted).set_params(**{name: value})
        assert changed.get_params()[name] == value  # of the next fit
        assert changed.card() == fitted.card()
        assert changed.score(X) == fitted.score(X)
        np.testing.assert_array_equal(changed.transform(X), fitted.transform(X))
        changed.save(tmp_path / "model")
        loaded = type(fitted).load(tmp_path / "model")
        assert loaded.card() == fitted.card()
        assert loaded.get_params() == fitted.get_params()
        assert loaded.score(X) == fitted.score(X)

    @pytest.mark.parametrize("value", [1.1e12, -1e38, np.nan, np.inf])
    def test_weights_that_no_training_makes_are_refused(self, fitted, tmp_path, value):
        from copy import copy

        changed = copy(fitted)
        bias = np.full(24, value, np.float32)
        changed.weights_ = fitted.weights_ | {"output.bias": bias}
        with pytest.raises(InputError, match=r"weights of at most 1e\+12.*output\.bias"):
            changed.save(tmp_path / "model")


class TestShapes:
    """Arithmetic instead of a trace of the network."""

    @pytest.mark.parametrize("hidden", [(1,), (8,), (16, 8), (128, 32, 16), (3, 5, 4, 2)])
    @pytest.mark.parametrize("n_components", [1, 2, 5])
    def test_they_are_those_of_the_network(self, hidden, n_components):
        architecture = networks.Architecture(24, hidden, n_components)
        assert architecture.weight_shapes() == networks.weight_shapes(architecture)

    def test_a_card_has_an_entry_for_every_field_of_a_fitted_model(self, entries):
        names = {field.name for field in fields(FittedVAE)} - {"architecture", "weights", "scatter"}
        names -= {*OPTIONAL}  # only of models that were fitted to something with names
        assert names <= {*entries, *entries["fitted"]}
