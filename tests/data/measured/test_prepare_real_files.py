"""Files that others measured, prepared; they are no part of the repository."""

import os
from pathlib import Path

import numpy as np
import pytest

import latent_nmr as ln

BESIDE = Path(__file__).parents[3].parent / "shared" / "measured"
FOLDER = Path(os.environ.get("LATENT_NMR_MEASURED", BESIDE))

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no measured files in {FOLDER}")


def prepared(name, **settings):
    return ln.prepare_measurement(ln.open_measurement(FOLDER / name), **settings)


@pytest.mark.parametrize("bandwidth", ["find", 0.04])
def test_an_echo_that_spurs_hide_is_where_its_programme_puts_it(bandwidth):
    found = prepared("nqr/sample_SE.meas", bandwidth=bandwidth)
    assert found.attrs["echo_kind"] == "echo"
    assert 57 <= found.attrs["echo_time"] <= 60
    assert 12 < found.attrs["snr"] < 19
    assert abs(found.attrs["echo_carrier"] - 4.994) < 0.005
    assert found.measured.all()


def test_the_same_coil_without_its_sample_shows_no_echo():
    found = prepared("nqr/no_sample_SE.meas")
    assert found.attrs["echo_kind"] == "none"
    assert found.attrs["echo_sigma"] < 1.7


def test_echoes_under_spinning_are_found_at_the_origin():
    found = prepared("csdm/satRec_raw.csdfe", pulse_separation=41_000)
    assert found.attrs["echo_kind"] == "echo"
    assert abs(found.attrs["echo_time"]) < 250
    # Heights recover; the noise of each record is known to 6 % only.
    assert (np.diff(found.snr * found.noise) > 0).all()
    assert found.measured.all()


@pytest.mark.parametrize("name", ["tnt/fid_1D.tnt", "tnt/Dgly_quadecho_ft.tnt"])
def test_what_begins_at_its_top_is_half_an_echo(name):
    assert prepared(name, pulse_separation=100).attrs["echo_kind"] == "half"


def test_rotor_echoes_are_split_where_that_is_asked_for():
    found = prepared("bruker/207Pb_PbZrO3/1", pulse_separation=40, train="find")
    assert found.sizes["record"] == 7
    assert found.attrs["echo_kind"] == "echo"
