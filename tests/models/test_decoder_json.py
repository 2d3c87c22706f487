"""The decoder in another language gives the same curves."""

import base64
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

import latent_nmr
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.decoder_json import save_decoder
from latent_nmr.models.networks import Architecture, layer_sizes, weight_shapes
from tests.models import reference

READER = Path(latent_nmr.__file__).parent / "report" / "explorer" / "decoder.mjs"
DECODE = """
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
const [reader, decoder, points] = process.argv.slice(2);
const { readDecoder } = await import(pathToFileURL(reader));
const parse = (path) => JSON.parse(readFileSync(path, "utf8"));
const { decode, metadata, nFeatures } = readDecoder(parse(decoder));
const curves = parse(points).map((point) => Array.from(decode(point)));
process.stdout.write(JSON.stringify({ curves, metadata, nFeatures }));
"""


def in_javascript(decoder, points, folder):
    """What decoder.mjs makes of points."""
    (folder / "decode.mjs").write_text(DECODE, "utf-8")
    (folder / "points.json").write_text(json.dumps(points.tolist()), "utf-8")
    command = ["node", folder / "decode.mjs", READER, decoder, folder / "points.json"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def with_random_weights(fitted, n_features, activation="leaky_relu"):
    """A model of the published size for so many columns, with weights that all matter."""
    hidden = layer_sizes(n_features, None)
    model = BetaVAE()
    vars(model).update({**vars(fitted), "hidden_layer_sizes": None, "n_features_in_": n_features})
    model.architecture_ = Architecture(n_features, hidden, 2, activation)
    weights = reference.random_weights(weight_shapes(model.architecture_))
    model.weights_ = {name: array.astype(np.float32) for name, array in weights.items()}
    model.metadata_ = {"time_us": [0.0, 0.5], "unit": "µs"}
    return model


class TestSaveDecoder:
    """The file: all that a reader needs, nothing else."""

    def test_the_weights_are_little_endian_float32_row_by_row(self, fitted, tmp_path):
        save_decoder(fitted, tmp_path / "decoder.json")
        values = json.loads((tmp_path / "decoder.json").read_text("utf-8"))
        shapes = [(layer["n_inputs"], layer["n_outputs"]) for layer in values["layers"]]
        assert shapes == [(2, 8), (8, 16), (16, 24)]
        kernel = base64.b64decode(values["layers"][1]["kernel"])
        expected = fitted.weights_["decoder.layers.1.kernel"]
        np.testing.assert_array_equal(np.frombuffer(kernel, "<f4").reshape(8, 16), expected)
        assert [layer["activation"] for layer in values["layers"]] == [
            "leaky_relu",
            "leaky_relu",
            "sigmoid",
        ]
        assert values["negative_slope"] == 0.01
        assert values["axes"]["LA1"]["state"] in ("active", "weak", "collapsed")

    def test_a_model_that_is_not_fitted_leaves_the_old_file(self, tmp_path):
        (tmp_path / "decoder.json").write_text("old")
        with pytest.raises(NotFittedError, match="not fitted"):
            save_decoder(BetaVAE(), tmp_path / "decoder.json")
        assert (tmp_path / "decoder.json").read_text() == "old"


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
class TestJavaScript:
    """decoder.mjs under Node."""

    @pytest.mark.parametrize(
        ("n_features", "activation"), [(400, "leaky_relu"), (1882, "leaky_relu"), (24, "gelu")]
    )
    def test_it_decodes_as_inverse_transform_does(self, fitted, n_features, activation, tmp_path):
        model = with_random_weights(fitted, n_features, activation)
        save_decoder(model, tmp_path / "decoder.json")
        points = np.random.default_rng(0).normal(size=(8, 2)) * 2
        result = in_javascript(tmp_path / "decoder.json", points, tmp_path)
        curves = model.inverse_transform(points)
        assert np.ptp(curves, axis=0).min() > 1e-3  # every value depends on the point
        np.testing.assert_allclose(result["curves"], curves, rtol=0, atol=1e-5)
        assert result["metadata"] == model.metadata_
        assert result["nFeatures"] == n_features

    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            ({"format": "other"}, "must be a latent_nmr.decoder"),
            ({"format_version": 2}, "must be a latent_nmr.decoder"),
            ({"n_components": 3}, "a point must have 3 numbers, but has 2"),
            ({"layers": [{"activation": "swish"}]}, "does not know the activation swish"),
        ],
    )
    def test_it_refuses_what_it_cannot_read(self, fitted, tmp_path, change, complaint):
        path = tmp_path / "decoder.json"
        save_decoder(fitted, path)
        path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change), "utf-8")
        with pytest.raises(AssertionError, match=complaint):
            in_javascript(path, np.zeros((1, 2)), tmp_path)

    def test_it_refuses_weights_that_are_cut_short(self, fitted, tmp_path):
        path = tmp_path / "decoder.json"
        save_decoder(fitted, path)
        values = json.loads(path.read_text("utf-8"))
        values["layers"][0]["bias"] = values["layers"][0]["bias"][:8]
        path.write_text(json.dumps(values), "utf-8")
        with pytest.raises(AssertionError, match="an array must hold 8 numbers, but has 6 bytes"):
            in_javascript(path, np.zeros((1, 2)), tmp_path)
