"""Models that earlier versions saved load for ever, and give the same numbers."""

import json

import numpy as np
import pytest

from latent_nmr.models import regressor_card, vae_card
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.curve_regressor import CurveRegressor
from tests.models.saved_formats import (
    EXPECTED,
    FIXTURES,
    folders_of,
    format_version,
    make_beta_vae,
    make_curve_regressor,
)


def name_of(folder):
    return folder.relative_to(FIXTURES).as_posix()


def expected_of(folder):
    return json.loads((folder / EXPECTED).read_text("utf-8"))


@pytest.mark.parametrize("folder", folders_of("beta_vae"), ids=name_of)
class TestBetaVAE:
    """One committed folder for every format there has been since the second."""

    def test_it_gives_the_numbers_it_gave_when_it_was_saved(self, folder):
        model, expected = BetaVAE.load(folder / "model"), expected_of(folder)
        curves, points = np.float32(expected["curves"]), np.array(expected["points"])
        for found, name in (
            (model.transform(curves), "means"),
            (model.transform_std(curves), "deviations"),
            (model.inverse_transform(points), "decoded"),
        ):
            np.testing.assert_allclose(found, expected[name], rtol=0, atol=1e-5, err_msg=name)

    def test_it_still_says_what_it_is(self, folder):
        card = BetaVAE.load(folder / "model").card()
        assert card["metadata"]["time_us"] == [n / 2 for n in range(24)]
        assert card["parameters"]["beta"] == 2.0
        assert card["training"]["n_training_rows"] == 170
        assert set(card["packages"]) >= {"jax", "flax", "numpy"}
        assert card["device"]

    def test_it_can_be_saved_again(self, folder, tmp_path):
        old = BetaVAE.load(folder / "model")
        old.save(tmp_path / "new", metadata=old.metadata_)
        new = BetaVAE.load(tmp_path / "new")
        assert new.card() == old.card()
        np.testing.assert_equal(new.weights_, old.weights_)


@pytest.mark.parametrize("folder", folders_of("curve_regressor"), ids=name_of)
class TestCurveRegressor:
    """One committed folder for every format there has been."""

    def test_it_gives_the_numbers_it_gave_when_it_was_saved(self, folder):
        model, expected = CurveRegressor.load(folder / "model"), expected_of(folder)
        curves = np.float32(expected["curves"])
        scale = model.target_scales_
        difference = (model.predict(curves) - np.array(expected["predicted"])) / scale
        np.testing.assert_allclose(difference, 0, rtol=0, atol=1e-5)
        np.testing.assert_allclose(model.saliency(curves), expected["saliency"], atol=1e-5)

    def test_its_parameters_have_the_names_of_today(self, folder):
        parameters = CurveRegressor.load(folder / "model").get_params()
        assert parameters.keys() == CurveRegressor().get_params().keys()
        assert (parameters["activation"], parameters["solver"]) == (("selu", "tanh"), "nadam")
        assert (parameters["hidden_layer_sizes"], parameters["n_networks"]) == ((5, 3), 2)

    def test_it_can_be_saved_again(self, folder, tmp_path):
        old = CurveRegressor.load(folder / "model")
        assert old.metadata_ == {"targets": ["a", "b"], "window": "echo"}
        old.save(tmp_path / "new", metadata=old.metadata_)
        new = CurveRegressor.load(tmp_path / "new")
        assert (new.metadata_, new.history_) == (old.metadata_, old.history_)
        np.testing.assert_equal(new.weights_, old.weights_)


class TestFixtures:
    """None is forgotten, and all are small."""

    def test_the_versions_that_are_written_now_have_one(self):
        versions = {
            name: {format_version(folder) for folder in folders_of(name)}
            for name in ("beta_vae", "curve_regressor")
        }
        assert vae_card.FORMAT.version in versions["beta_vae"]
        assert regressor_card.FORMAT.version in versions["curve_regressor"]

    @pytest.mark.parametrize(
        ("make", "version"),
        [
            (make_beta_vae, vae_card.FORMAT.version),
            (make_curve_regressor, regressor_card.FORMAT.version),
        ],
        ids=["beta_vae", "curve_regressor"],
    )
    def test_the_next_one_can_be_made(self, make, version, tmp_path):
        make(tmp_path / "made")
        assert format_version(tmp_path / "made") == version
        (committed,) = (
            folder
            for folder in folders_of(make.__name__.removeprefix("make_"))
            if format_version(folder) == version
        )
        assert expected_of(tmp_path / "made").keys() == expected_of(committed).keys()

    @pytest.mark.parametrize("version", sorted(FIXTURES.iterdir()), ids=lambda folder: folder.name)
    def test_they_are_small(self, version):
        assert sum(path.stat().st_size for path in version.rglob("*") if path.is_file()) < 120_000
