"""Archives of NumPy: what names hold what, and that nothing pickled is loaded."""

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.data.measured.steps import steps_of
from tests.data.measured.writers import DWELL, echoes, write_npz

SIGNAL = echoes(2, 64)


def saved(tmp_path, **arrays):
    np.savez(tmp_path / "a.npz", **arrays)
    return tmp_path / "a.npz"


def test_parts_may_be_apart_and_the_dwell_alone(tmp_path):
    path = saved(tmp_path, real=SIGNAL.real, imaginary=SIGNAL.imag, dwell=DWELL)
    found = ln.open_measurement(path)
    np.testing.assert_array_equal(found.signal, SIGNAL)
    np.testing.assert_allclose(np.diff(found.time), DWELL)
    assert [step.name for step in steps_of(found)] == ["read", "time_unit"]


@pytest.mark.parametrize(("unit", "factor"), [("ns", 1e-3), ("µs", 1), ("ms", 1e3), ("s", 1e6)])
def test_times_are_in_the_unit_that_is_stated(tmp_path, unit, factor):
    path = saved(tmp_path, signal=SIGNAL, time=np.arange(64) * DWELL / factor)
    found = ln.open_measurement(path, time_unit=unit)
    np.testing.assert_allclose(np.diff(found.time), DWELL)


def test_facts_may_stand_beside_the_signal(tmp_path):
    path = write_npz(tmp_path / "a.npz", SIGNAL, nucleus="209Bi", pulse_separation=100.0)
    found = ln.open_measurement(path)
    assert (found.nucleus, found.pulse_separation) == ("209Bi", 100.0)


@pytest.mark.parametrize(
    ("arrays", "match"),
    [
        ({"time": np.arange(64)}, "there must be signal"),
        ({"signal": SIGNAL}, "time between samples"),
        ({"signal": SIGNAL, "time": np.arange(5)}, "one value per sample"),
        ({"signal": SIGNAL.astype(str), "dwell": 1.0}, "must be numbers"),
        ({"signal": SIGNAL[None], "dwell": 1.0}, r"numbers \(record, time\)"),
        ({"real": np.zeros(9), "imaginary": np.zeros(8), "dwell": 1.0}, "one shape"),
        ({"mx": SIGNAL.real, "my": SIGNAL.imag}, r"ln\.open_echoes"),
    ],
)
def test_other_archives_are_refused(tmp_path, arrays, match):
    with pytest.raises(ln.EchoFileError, match=match):
        ln.open_measurement(saved(tmp_path, **arrays))


def test_pickled_objects_are_not_loaded(tmp_path):
    path = saved(tmp_path, signal=np.array([{}], object), dwell=1.0)
    with pytest.raises(ln.EchoFileError, match="must be readable as npz"):
        ln.open_measurement(path)
