"""Files that others measured; they are no part of the repository, and tests skip without them."""

import os
from pathlib import Path

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.data.measured.steps import steps_of

BESIDE = Path(__file__).parents[3].parent / "shared" / "measured"
FOLDER = Path(os.environ.get("LATENT_NMR_MEASURED", BESIDE))

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no measured files in {FOLDER}")


def opened(name):
    dataset = ln.open_measurement(FOLDER / name)
    return dataset, {step.name: step.values for step in steps_of(dataset)}


def top(dataset, record=0):
    """Time of the largest |M|, µs."""
    return float(dataset.time[np.abs(dataset.signal[record].values).argmax()])


@pytest.mark.parametrize("name", ["sample_SE.meas", "no_sample_SE.meas"])
def test_nqr_records_have_their_frequencies_and_the_echo_of_their_programme(name):
    found, steps = opened(f"nqr/{name}")
    assert dict(found.sizes) == {"record": 1, "time": 4608}
    assert float(found.time[1]) == pytest.approx(1 / 30.72)  # µs, of 30.72 MHz
    assert (found.carrier_frequency, found.intermediate_frequency) == (83.56, 5.0)
    assert steps["pulse_programme"] == pytest.approx({"pulse_separation": 124, "echo_time": 58})


@pytest.mark.parametrize("name", ["satRec.csdf", "satRec_raw.csdfe"])
def test_hahn_echoes_under_spinning_have_their_top_near_the_origin(name):
    found, _ = opened(f"csdm/{name}")
    assert dict(found.sizes) == {"record": 6, "time": 1024}
    assert float(found.time[1] - found.time[0]) == pytest.approx(80)
    assert (found.nucleus, round(found.carrier_frequency, 3)) == ("29Si", 79.579)
    assert abs(top(found, record=5)) < 1000


def test_both_copies_of_the_hahn_echoes_hold_the_same_values():
    one, other = opened("csdm/satRec.csdf")[0], opened("csdm/satRec_raw.csdfe")[0]
    np.testing.assert_array_equal(one.signal.values, other.signal.values)


def test_a_quadrupole_echo_that_is_stored_as_a_spectrum_comes_back_as_half_an_echo():
    found, steps = opened("tnt/Dgly_quadecho_ft.tnt")
    assert dict(found.sizes) == {"record": 1, "time": 1024}
    assert steps["domain"]["found"] == "spectrum"
    assert steps["interrupted"] == {"scans_done": 388, "scans_asked": 4096}
    assert top(found) <= 2.0  # it begins at the top
    power = np.abs(found.signal[0].values) ** 2
    assert power[:128].sum() > 0.99 * power.sum()


def test_a_train_in_time_whose_flag_says_spectrum_is_512_echoes():
    found, steps = opened("tnt/cpmg1_HT2_H2O.tnt")
    assert dict(found.sizes) == {"record": 512, "time": 128}
    assert steps["domain"]["found"] == "time"
    heights = np.abs(found.signal.values).max(axis=1)
    assert heights[0] < heights[1]
    assert heights[500] < 0.5 * heights[1]


def test_rows_of_redor_are_two_records_with_blanked_ends():
    found, steps = opened("tnt/redor_2k10.tnt")
    assert dict(found.sizes) == {"record": 2, "time": 512}
    assert steps["blanked"]["ranges"][0]["last"] == 511


def test_free_induction_decays_begin_at_their_top():
    found, _ = opened("tnt/fid_1D.tnt")
    assert dict(found.sizes) == {"record": 3, "time": 1024}
    assert all(top(found, record) <= 400 for record in range(3))


def test_the_digital_filter_of_topspin_is_taken_off():
    found, steps = opened("bruker/207Pb_PbZrO3/1")
    assert dict(found.sizes) == {"record": 1, "time": 1500 - 68}
    assert steps["digital_filter"]["microseconds"] == pytest.approx(27.2)
    assert (found.nucleus, found.scans_done) == ("207Pb", 26112)


def test_zeros_behind_td_are_no_record():
    found, steps = opened("bruker/14N_glycine/9510131")
    assert steps["longer"] == {"TD": 1100, "stored": 50400}
    assert dict(found.sizes) == {"record": 1, "time": 550 - 68}
    assert not (found.signal == 0).any()


def test_what_is_no_measurement_is_refused():
    for name in ("README.md", "nqr/SE.quack", "bruker/14N_glycine", "csdm/satRec_raw_0.dat"):
        with pytest.raises(ln.EchoFileError):
            ln.open_measurement(FOLDER / name)
