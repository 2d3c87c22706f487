"""Makes the saved models in tests/fixtures/, one for every format version, never to be changed.

After a change of a format, ``python -m tests.models.saved_formats VERSION`` adds the folders of
package version VERSION: small models, and beside them what they give for a few curves.
"""

import json
import sys
from pathlib import Path

import numpy as np

from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.curve_regressor import CurveRegressor
from tests.models.conftest import smooth_curves

FIXTURES = Path(__file__).parents[1] / "fixtures"
EXPECTED = "expected.json"


def folders_of(estimator):
    """Folders with `model` and its expected numbers, of all package versions."""
    return sorted(FIXTURES.glob(f"*/{estimator}"))


def format_version(folder):
    """The version that the card of a fixture states."""
    return json.loads((folder / "model" / "model.json").read_text("utf-8"))["format_version"]


def make_beta_vae(folder):
    """Train a small β-VAE, save it to `folder`, and note what it gives."""
    curves = smooth_curves()
    model = BetaVAE(hidden_layer_sizes=(8,), max_epochs=40, random_state=0).fit(curves)
    save(model, folder, {"window": "echo", "time_us": np.arange(24) / 2})
    points = np.array([[0.0, 0.0], [1.0, -1.0], [-2.0, 0.5], [3.0, 3.0]])
    expected = {
        "curves": curves[:5].tolist(),
        "means": model.transform(curves[:5]).tolist(),
        "deviations": model.transform_std(curves[:5]).tolist(),
        "points": points.tolist(),
        "decoded": model.inverse_transform(points).tolist(),
    }
    (folder / EXPECTED).write_text(json.dumps(expected) + "\n", "utf-8")


def make_curve_regressor(folder):
    """Train two small networks, save them to `folder`, and note what they give."""
    X = np.random.default_rng(0).random((60, 6)).astype(np.float32)
    y = np.stack([1e6 * X[:, 0], 0.1 * np.sin(X[:, 1] + X[:, 2])], axis=1)
    model = CurveRegressor(
        (5, 3), activation=("selu", "tanh"), max_epochs=6, n_networks=2, learning_rate=1e-2,
        batch_size=16, random_state=0,
    ).fit(X, y)  # fmt: skip
    save(model, folder, {"targets": ["a", "b"], "window": "echo"})
    expected = {
        "curves": X[:5].tolist(),
        "predicted": model.predict(X[:5]).tolist(),
        "saliency": [part.tolist() for part in model.saliency(X[:5])],
    }
    (folder / EXPECTED).write_text(json.dumps(expected) + "\n", "utf-8")


def save(model, folder, metadata):
    """Save to a new folder."""
    folder.mkdir(parents=True)
    model.save(folder / "model", metadata)


if __name__ == "__main__":
    make_beta_vae(FIXTURES / sys.argv[1] / "beta_vae")
    make_curve_regressor(FIXTURES / sys.argv[1] / "curve_regressor")
