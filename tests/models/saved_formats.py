"""Makes the saved models in fixtures/, one for every format version, never to be changed again.

After a change of the format, ``python -m tests.models.saved_formats`` adds the folder of the new
version: a small model, and beside it what it gave for a few curves and latent points.
"""

import json
from pathlib import Path

import numpy as np

from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.model_card import FORMAT_VERSION
from latent_nmr.models.persistence import write_files
from tests.models.conftest import smooth_curves

FIXTURES = Path(__file__).parent / "fixtures"
EXPECTED = "expected.json"


def folder_of(format_version):
    """Folder with `model` and its expected numbers."""
    return FIXTURES / f"model-format-{format_version}"


def make(folder):
    """Train a small model, save it to `folder`, and note what it gives."""
    curves = smooth_curves()
    model = BetaVAE((8,), max_epochs=40, random_state=0).fit(curves)
    (folder / "model").mkdir(parents=True)
    write_files(model, folder / "model", {"window": "echo", "time_us": np.arange(24) / 2})
    points = np.array([[0.0, 0.0], [1.0, -1.0], [-2.0, 0.5], [3.0, 3.0]])
    expected = {
        "curves": curves[:5].tolist(),
        "means": model.transform(curves[:5]).tolist(),
        "deviations": model.transform_std(curves[:5]).tolist(),
        "points": points.tolist(),
        "decoded": model.inverse_transform(points).tolist(),
    }
    (folder / EXPECTED).write_text(json.dumps(expected) + "\n", "utf-8")


if __name__ == "__main__":
    make(folder_of(FORMAT_VERSION))
