"""Models that earlier versions saved load for ever, and give the same numbers."""

import json

import numpy as np
import pytest

from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.model_card import FORMAT_VERSION
from tests.models.saved_formats import EXPECTED, FIXTURES, folder_of, make

FOLDERS = sorted(FIXTURES.glob("model-format-*"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
class TestSavedModels:
    """One committed folder for every format there has been since the second."""

    def test_it_gives_the_numbers_it_gave_when_it_was_saved(self, folder):
        model = BetaVAE.load(folder / "model")
        expected = json.loads((folder / EXPECTED).read_text("utf-8"))
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

    def test_it_can_be_saved_anew(self, folder, tmp_path):
        old = BetaVAE.load(folder / "model")
        old.save(tmp_path / "new", metadata=old.metadata_)
        new = BetaVAE.load(tmp_path / "new")
        assert new.card() == old.card()
        np.testing.assert_equal(new.weights_, old.weights_)

    def test_it_is_small(self, folder):
        assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 60_000


class TestFixtures:
    """None is forgotten."""

    def test_the_version_that_is_written_now_has_one(self):
        assert folder_of(FORMAT_VERSION) in FOLDERS

    def test_the_next_one_can_be_made(self, tmp_path):
        make(tmp_path)
        card = json.loads((tmp_path / "model" / "model.json").read_text("utf-8"))
        assert card["format_version"] == FORMAT_VERSION
        assert json.loads((tmp_path / EXPECTED).read_text("utf-8")).keys() == {
            "curves",
            "means",
            "deviations",
            "points",
            "decoded",
        }
