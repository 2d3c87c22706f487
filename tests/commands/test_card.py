"""`latent-nmr card` and `latent-nmr export-decoder` on a saved model."""

import json

import numpy as np
import pytest

from latent_nmr.commands.main import main
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.curve_regressor import CurveRegressor


@pytest.fixture(scope="module")
def model():
    X = np.random.default_rng(0).uniform(0, 1, (40, 12))
    return BetaVAE(hidden_layer_sizes=(4,), max_epochs=1, random_state=0).fit(X)


@pytest.fixture
def saved(model, tmp_path):
    model.save(tmp_path / "model", metadata={"window": "echo", "note": "\x1b[2Jµ\u202e"})
    return tmp_path / "model"


class TestCard:
    """What a model is, in words and as JSON."""

    def test_the_words_tell_sizes_axes_device_and_metadata(self, saved, model, capsys):
        assert main(["card", str(saved)]) == 0
        text = capsys.readouterr().out
        assert "12 columns, hidden layers 4, 2 latent axes" in text
        assert "34 training and 6 validation rows" in text
        assert f"LA1 {model.card()['axes']['LA1']['state']}" in text
        assert model.device_ in text
        assert 'window "echo"' in text
        assert model.card()["weights_sha256"] in text

    def test_a_file_of_others_does_not_steer_the_terminal(self, saved, capsys):
        assert main(["card", str(saved)]) == 0
        text = capsys.readouterr().out
        assert "µ" in text
        assert all(character.isprintable() for character in text.replace("\n", ""))

    def test_json_is_the_card_of_the_loaded_model(self, saved, capsys):
        assert main(["card", str(saved), "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == BetaVAE.load(saved).card()

    def test_the_weights_are_not_needed(self, saved, capsys):
        (saved / "weights.safetensors").unlink()
        assert main(["card", str(saved)]) == 0
        assert "12 columns" in capsys.readouterr().out

    def test_out_takes_the_same_json_and_is_not_overwritten(self, saved, tmp_path, capsys):
        out = tmp_path / "card.json"
        assert main(["card", str(saved), "--out", str(out)]) == 0
        assert json.loads(out.read_text("utf-8")) == BetaVAE.load(saved).card()
        assert main(["card", str(saved), "--out", str(out)]) == 0
        assert "card.json is already finished" in capsys.readouterr().out
        (tmp_path / "mine.json").write_text("mine")
        assert main(["card", str(saved), "--out", str(tmp_path / "mine.json")]) == 2
        assert "mine.json exists" in capsys.readouterr().err
        assert (tmp_path / "mine.json").read_text() == "mine"
        assert main(["card", str(saved), "--out", str(tmp_path / "mine.json"), "--force"]) == 0
        assert (tmp_path / "mine.json").read_bytes() == out.read_bytes()

    def test_a_missing_model_is_refused_in_one_line(self, tmp_path, capsys):
        assert main(["card", str(tmp_path / "none")]) == 2
        assert "none does not exist" in capsys.readouterr().err


class TestExportDecoder:
    """The decoder for other languages."""

    def test_it_writes_the_decoder_and_says_so(self, saved, tmp_path, capsys):
        out = tmp_path / "decoder.json"
        assert main(["export-decoder", str(saved), "--out", str(out)]) == 0
        assert "decoder of 2 latent axes to 12 values" in capsys.readouterr().out
        values = json.loads(out.read_text("utf-8"))
        assert values["format"] == "latent_nmr.decoder"
        assert values["metadata"]["window"] == "echo"

    def test_an_existing_file_is_kept_without_force(self, saved, tmp_path, capsys):
        out = tmp_path / "decoder.json"
        out.write_text("mine")
        assert main(["export-decoder", str(saved), "--out", str(out)]) == 2
        assert out.read_text() == "mine"
        assert "decoder.json exists" in capsys.readouterr().err
        assert main(["export-decoder", str(saved), "--out", str(out), "--force", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["n_bytes"] == out.stat().st_size


class TestRegressorCard:
    """Networks that read parameters off curves."""

    @pytest.fixture
    def regressor(self, tmp_path):
        draw = np.random.default_rng(0)
        X, y = draw.standard_normal((40, 6)), draw.standard_normal((40, 2))
        model = CurveRegressor((4,), activation="relu", max_epochs=2, random_state=0).fit(X, y)
        model.save(tmp_path / "network", {"edition": "2021-gauss", "note": "\x1b[2J"})
        return tmp_path / "network"

    def test_the_words_tell_what_it_is_without_its_weights(self, regressor, capsys):
        (regressor / "weights.safetensors").unlink()
        assert main(["card", str(regressor)]) == 0
        text = capsys.readouterr().out
        assert "1 network(s) for 2 target(s), 6 columns, hidden layers 4" in text
        assert "36 training and 4 validation rows" in text
        assert 'edition "2021-gauss"' in text
        assert all(character.isprintable() for character in text.replace("\n", ""))

    def test_json_counts_every_weight(self, regressor, capsys):
        assert main(["card", str(regressor), "--json"]) == 0
        values = json.loads(capsys.readouterr().out)
        weights = CurveRegressor.load(regressor).weights_[0]
        assert values["n_weights"] == sum(array.size for array in weights.values())

    def test_a_damaged_one_is_refused_in_one_line(self, regressor, capsys):
        path = regressor / "model.json"
        path.write_text(
            path.read_text("utf-8").replace('"n_targets": 2', '"n_targets": 3'), "utf-8"
        )
        assert main(["card", str(regressor)]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
