"""Corrections of p-values and ellipses by simulated measurements."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latent_nmr import InputError
from latent_nmr.shipped import shipped_path
from latent_nmr.studies.measurement._correction import CORRECTION_FILE, LEAST_RECORDS, Correction

EDGES, PARTS = (3.0, 10.0, 30.0), (0.68, 0.95)


def correction_of(rng, n_records=400, sharpness=1.0, width=1.0):
    """Of records whose p-values crowd at nought, and whose ellipses are `width` times too small."""
    p_values = rng.uniform(size=n_records) ** sharpness
    snr = np.exp(rng.uniform(np.log(EDGES[0]), np.log(EDGES[-1]), n_records))
    # Radii of a standard normal in two dimensions over those that hold 68 and 95 % of it.
    radius = np.sqrt(rng.chisquare(2, (n_records, 2)))
    ends = np.sqrt(-2 * np.log(1 - np.array(PARTS)))
    ratios = width * radius[:, :, None] / ends
    return Correction.of(p_values, snr, ratios, PARTS, EDGES, rng.uniform(2, 200, n_records))


@given(st.floats(1, 3), st.integers(0, 2**20))
@settings(max_examples=20, deadline=None)
def test_corrected_p_values_are_ranks_whatever_they_were(sharpness, seed):
    rng = np.random.default_rng(seed)
    correction = correction_of(rng, 999, sharpness)
    found = [correction.p_value(own) for own in rng.uniform(size=2000) ** sharpness]
    # The smallest of the 1,000 that count: never nought.
    assert min(found) >= 1 / 1000
    # Standard error of a part of .05 among 999, and among 2,000: .007 and .005; four of both.
    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=0.034)


def test_a_lower_p_value_never_becomes_higher():
    correction = correction_of(np.random.default_rng(0))
    found = [correction.p_value(own) for own in np.linspace(0, 1, 200)]
    assert np.all(np.diff(found) >= 0)
    assert found[-1] == 1


@pytest.mark.parametrize("width", [0.7, 1.0, 1.5])
def test_ellipses_that_are_too_small_are_widened_by_as_much(width):
    factors = correction_of(np.random.default_rng(1), 4000, width=width).radius_factors
    assert factors.shape == (2, 2, 2)
    # Relative standard errors of these quantiles among about 1,000 records: 1.7 and 2.6 %.
    np.testing.assert_allclose(factors, width, rtol=0.12)


def test_factors_are_those_of_the_nearest_signal_to_noise():
    correction = correction_of(np.random.default_rng(2))
    low, high = correction.radius_factors
    for snr, factors in ((0.1, low), (9.9, low), (10.0, high), (1e9, high)):
        np.testing.assert_array_equal(correction.factors(snr), factors)


def test_a_correction_says_the_same_after_it_was_saved(tmp_path):
    correction = correction_of(np.random.default_rng(3))
    correction.save(tmp_path / CORRECTION_FILE)
    again = Correction.load(tmp_path / CORRECTION_FILE)
    # p-values are kept to 1e-6.
    assert again.p_value(0.3) == correction.p_value(0.3)
    np.testing.assert_allclose(again.factors(5.0), correction.factors(5.0), atol=1e-4)
    assert again.widths == pytest.approx(correction.widths, abs=1e-3)


def test_few_records_are_refused():
    rng = np.random.default_rng(4)
    with pytest.raises(InputError, match=f"needs {LEAST_RECORDS} records of SNR 3 to 10"):
        correction_of(rng, LEAST_RECORDS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("format", "other"),
        ("version", 9),
        ("snr_edges", [1.0]),
        ("p_values", [float("nan")]),
        ("widths", [1.0]),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path, name, value):
    path = tmp_path / CORRECTION_FILE
    correction_of(np.random.default_rng(5)).save(path)
    kept = json.loads(path.read_text())
    path.write_text(json.dumps({**kept, name: value}))
    with pytest.raises(InputError, match="must be as it was written"):
        Correction.load(path)


@pytest.mark.parametrize("name", ["measured-echo", "measured-echo-m0"])
def test_models_of_the_package_have_one(name):
    correction = Correction.load(shipped_path("models", name) / CORRECTION_FILE)
    assert len(correction.p_values) >= 300
    assert np.all((correction.radius_factors > 0.8) & (correction.radius_factors < 1.6))
