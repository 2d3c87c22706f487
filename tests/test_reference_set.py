"""The committed reference set is what its manifest says and what the simulator makes."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

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


@pytest.mark.slow
def test_curves_simulated_more_finely_are_those_of_the_set_within_its_tolerance(reference):
    names = Simulation.__dataclass_fields__
    # A set that is older than a setting was made with its default.
    known = {name: reference.attrs[name] for name in names if name in reference.attrs}
    # Its steps followed a rule that kept errors below 0.001, but did not estimate them.
    simulation = Simulation(**known, tolerance=5e-5)
    rows = [0, 1, 2, 1500, 2998]
    curves = simulate_curves(simulation, rows)
    labels = label_rows(curves)
    labels.pop("error_estimate")
    for name, values in labels.items():
        np.testing.assert_array_equal(reference[name].to_numpy()[rows], values, err_msg=name)
    made = np.hypot(curves.signal[..., 0], curves.signal[..., 1])
    np.testing.assert_allclose(reference["magnitude"].to_numpy()[rows], made, atol=1e-3)
