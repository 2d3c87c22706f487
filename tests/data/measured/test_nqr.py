"""JSON of open NQR spectrometers, with the pulse programme beside it."""

import json

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.data.measured.steps import steps_of
from tests.data.measured.writers import echoes, write_nqr


def event(duration, *, transmits=0.0, receives=False):
    """An event of a pulse programme, its duration in µs."""
    channels = {"TX": ("Numeric", transmits), "RX": ("Boolean", receives)}
    parameters = [
        {"name": name, "value": [{"name": name, "value": value, "type": kind}]}
        for name, (kind, value) in channels.items()
    ]
    return {"name": "", "duration": f"{duration * 1e-6:.9f}", "parameters": parameters}


ECHO = [
    event(16, transmits=1.0),
    event(100),
    event(32, transmits=1.0),
    event(50),
    event(150, receives=True),
    event(15000),
]


def with_programme(tmp_path, events, name="SE"):
    (tmp_path / f"{name}.quack").write_text(json.dumps({"name": name, "events": events}))
    return ln.open_measurement(write_nqr(tmp_path / "sample_SE.meas", echoes()))


def test_frequencies_are_in_mhz(tmp_path):
    found = ln.open_measurement(write_nqr(tmp_path / "a.meas", echoes(), intermediate=5.0))
    assert (found.carrier_frequency, found.intermediate_frequency) == (83.56, 5.0)
    assert [step.name for step in steps_of(found)] == ["read", "intermediate_frequency"]


def test_the_programme_says_tau_and_when_the_echo_is_due(tmp_path):
    found = with_programme(tmp_path, ECHO)
    # Middles at 8 and 132 µs, so that the echo is at 256, and the receiver opens at 198.
    assert found.pulse_separation == pytest.approx(124.0)
    assert found.echo_time == pytest.approx(58.0)


@pytest.mark.parametrize(
    ("events", "name"),
    [(ECHO, "other"), (ECHO[2:], "SE"), ([*ECHO[:2], *ECHO], "SE"), ([{"odd": 1}], "SE")],
)
def test_other_programmes_say_nothing(tmp_path, events, name):
    found = with_programme(tmp_path, events, name)
    assert "pulse_separation" not in found.attrs
    assert "echo_time" not in found.attrs


def test_several_records_are_read(tmp_path):
    signal = echoes(2).astype(complex)
    pairs = np.stack([signal.real, signal.imag], axis=-1).tolist()
    path = write_nqr(tmp_path / "a.meas", signal, tdy=pairs)
    np.testing.assert_array_equal(ln.open_measurement(path).signal, signal)


@pytest.mark.parametrize(
    ("entries", "match"),
    [
        ({"tdx": [0.0, 0.5]}, "as many samples"),
        ({"tdx": [0.0] * 256}, "times must rise"),
        ({"tdy": [0.0] * 256}, "pairs of real and imaginary"),
        ({"tdy": [[0.0, "a"]] * 256}, "must be readable"),
        ({"tdy": [[0.0, float("nan")]] * 256}, "finite"),
    ],
)
def test_other_contents_are_refused(tmp_path, entries, match):
    path = write_nqr(tmp_path / "a.meas", echoes(), **entries)
    with pytest.raises(ln.EchoFileError, match=match):
        ln.open_measurement(path)
