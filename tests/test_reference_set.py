"""The committed reference set is what its manifest says and what the simulator makes."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from latent_nmr.data.compact import STEP
from latent_nmr.data.echoes import label_rows
from latent_nmr.data.reference import load_reference
from latent_nmr.physics.simulate import Simulation, simulate_curves
from latent_nmr.shipped import shipped_path

TABLE = Path(__file__).parents[1] / "artifacts" / "tables" / "reference-set.json"
MANIFEST = json.loads(TABLE.read_text("utf-8"))


@pytest.fixture(scope="module")
def reference():
    return load_reference()


def test_the_file_is_the_one_that_the_manifest_describes(reference):
    path = shipped_path("data", "reference")
    assert path.name == MANIFEST["compact"]["file"]
    content = path.read_bytes()
    assert hashlib.sha256(content).hexdigest() == MANIFEST["compact"]["sha256"]
    assert dict(reference.sizes) == {"curve": 3000, "time": 1882}
    assert reference.attrs == MANIFEST["stores"]["stratified"]["settings"]


def test_curves_simulated_anew_are_those_of_the_set(reference):
    names = Simulation.__dataclass_fields__
    # A set that is older than a setting was made with its default.
    known = {name: reference.attrs[name] for name in names if name in reference.attrs}
    simulation = Simulation(**known)
    rows = [0, 1, 2, 1500, 2998]
    curves = simulate_curves(simulation, rows)
    for name, values in label_rows(curves).items():
        np.testing.assert_array_equal(reference[name].to_numpy()[rows], values, err_msg=name)
    made = np.hypot(curves.signal[..., 0], curves.signal[..., 1])
    # Other machines compile other code: 1e-6 beside the rounding to half a step.
    np.testing.assert_allclose(reference["magnitude"].to_numpy()[rows], made, atol=STEP / 2 + 1e-6)
