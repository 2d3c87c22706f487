"""CSDM data sets: values beside them, axes of frequency, and nothing from a network."""

import json

import csdmpy
import numpy as np
import pytest

import latent_nmr as ln
from tests.data.measured.writers import DWELL, echoes, write_csdm


def test_values_may_be_in_a_file_beside_it(tmp_path):
    signal = echoes(3)
    path = write_csdm(tmp_path / "echo.csdfe", signal)
    assert len(list(tmp_path.iterdir())) == 2
    np.testing.assert_array_equal(ln.open_measurement(path).signal, signal)


def test_a_missing_file_of_values_is_named(tmp_path):
    path = write_csdm(tmp_path / "echo.csdfe", echoes())
    (other,) = set(tmp_path.iterdir()) - {path}
    other.unlink()
    with pytest.raises(ln.EchoFileError, match=f"{other.name} beside it, but there is no"):
        ln.open_measurement(path)


@pytest.mark.parametrize("address", ["https://example.org/a.dat", "file:../a.dat", "ftp://x/y"])
def test_nothing_is_fetched_from_elsewhere(tmp_path, address):
    path = write_csdm(tmp_path / "echo.csdfe", echoes())
    content = json.loads(path.read_text())
    content["csdm"]["dependent_variables"][0]["components_url"] = address
    path.write_text(json.dumps(content))
    with pytest.raises(ln.EchoFileError, match="must be in a file beside it"):
        ln.open_measurement(path)


@pytest.mark.parametrize(
    ("quantity", "match"),
    [
        ("9**9**9 µs", "a quantity must be a number"),  # csdmpy would compute it
        ("9 **9**9 µs", "a quantity must be a number"),
        ("1 furlong", "must be readable as CSDM"),
        ("0 µs", "must be readable|time between samples"),
    ],
)
def test_other_quantities_are_refused(tmp_path, quantity, match):
    path = write_csdm(tmp_path / "echo.csdf", echoes())
    content = json.loads(path.read_text())
    axis = content["csdm"]["dimensions"][0]
    axis.pop("coordinates_offset")
    axis.pop("quantity_name")
    axis["increment"] = quantity
    path.write_text(json.dumps(content))
    with pytest.raises(ln.EchoFileError, match=match):
        ln.open_measurement(path)


def test_nucleus_and_carrier_stand_beside_the_axis(tmp_path):
    found = ln.open_measurement(write_csdm(tmp_path / "echo.csdf", echoes()))
    assert (found.nucleus, found.carrier_frequency) == ("29Si", 83.56)


def test_an_axis_of_frequency_is_a_spectrum(tmp_path):
    record = echoes(1, 256, echo_time=0.0)
    spectrum = np.fft.fftshift(np.fft.fft(record, 512), axes=1)[0]
    axis = csdmpy.LinearDimension(count=512, increment=f"{1 / (512 * DWELL)} MHz")
    values = csdmpy.as_dependent_variable(spectrum)
    csdmpy.CSDM(dimensions=[axis], dependent_variables=[values]).save(str(tmp_path / "a.csdf"))
    found = ln.open_measurement(tmp_path / "a.csdf")
    np.testing.assert_allclose(found.signal, record, atol=2**-24 * np.abs(spectrum).max())
    np.testing.assert_allclose(np.diff(found.time), DWELL)


def test_the_record_may_be_the_second_dimension(tmp_path):
    signal = echoes(3)
    axes = [
        csdmpy.MonotonicDimension(coordinates=["1 s", "2 s", "4 s"]),
        csdmpy.LinearDimension(count=256, increment=f"{DWELL} µs"),
    ]
    values = csdmpy.as_dependent_variable(np.ascontiguousarray(signal.T))
    csdmpy.CSDM(dimensions=axes, dependent_variables=[values]).save(str(tmp_path / "a.csdf"))
    np.testing.assert_array_equal(ln.open_measurement(tmp_path / "a.csdf").signal, signal)


def test_a_data_set_without_time_is_refused(tmp_path):
    axis = csdmpy.LinearDimension(count=64, increment="1 m")
    values = csdmpy.as_dependent_variable(echoes(1, 64)[0])
    csdmpy.CSDM(dimensions=[axis], dependent_variables=[values]).save(str(tmp_path / "a.csdf"))
    with pytest.raises(ln.EchoFileError, match="linear in time or frequency"):
        ln.open_measurement(tmp_path / "a.csdf")
