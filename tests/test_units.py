"""Frequencies with a unit of their own, wherever they enter: NumPy drops the unit."""

from functools import cache

import jax
import numpy as np
import pytest
import xarray as xr

import latent_nmr as ln
from latent_nmr._units import written_quantity
from latent_nmr.physics.lattices import checked_arrays, checked_relaxation

SEQUENCE = ln.spin_echo(dt=0.2, pulse_spacing=10, n_samples=31)
TO_MHZ = {"kHz": 1e-3, "Hz": 1e-6}


class Pint:
    """A quantity as pint has it."""

    def __init__(self, magnitude, unit="kHz"):
        self.magnitude, self.unit = magnitude, unit

    def to(self, unit):
        if unit != "MHz":
            raise TypeError(f"from {self.unit} to {unit or 'dimensionless'}")
        return Pint(self.magnitude * TO_MHZ[self.unit], unit)

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.magnitude, dtype)


class Astropy(np.ndarray):
    """A quantity as astropy has it: an array of NumPy."""

    to = None

    def to_value(self, unit):
        return Pint(np.asarray(self)).to(unit).magnitude


KINDS = {
    "pint": lambda numbers: Pint(1e3 * numbers),
    "astropy": lambda numbers: (1e3 * numbers).view(Astropy),
    "list": lambda numbers: [Pint(1e3 * number) for number in numbers],
    "xarray": lambda numbers: xr.DataArray(1e3 * numbers, attrs={"units": "kHz"}),
}


@cache
def echoes():
    dataset = ln.load_reference(3)
    return dataset.assign(mx=dataset["magnitude"], my=0 * dataset["magnitude"])


def shifted(offset):
    if isinstance(offset, xr.DataArray):
        offset = offset.rename(dim_0="curve")
    return ln.shift_frequency(echoes(), offset).mx.to_numpy()


def lines(edges):
    return np.asarray(ln.MeasuredLine(edges, [1.0, 3.0]).edges)


def lattices(name):
    """What enters lattices, checked, without simulating them."""
    fields = {
        "frequencies": np.zeros((2, 4, 4)),
        "kernel_tables": np.tile(ln.kernel_table("gaussian", 2.0, 4), (2, 1, 1)),
        "couplings": np.full((2, 3), 0.01),
        "decay_rate": np.zeros(2),
    }
    place = [*fields].index(name)
    return lambda given: checked_arrays(**fields | {name: given})[place]


DOORS = {
    "offset": (np.array([0.0, 0.01, 0.02]), shifted),
    "edges": (np.array([-0.1, 0.0, 0.1]), lines),
    "couplings": (
        np.array([0.05, 0.05, 0.1]),
        lambda given: ln.curve_inputs(given, 2.0, SEQUENCE).couplings,
    ),
    "frequencies": (
        np.random.default_rng(0).normal(0, 0.02, (2, 4, 4)),
        lattices("frequencies"),
    ),
    "couplings of lattices": (np.full((2, 3), 0.02), lattices("couplings")),
    "decay_rate": (np.full(2, 0.02), lattices("decay_rate")),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kind", KINDS)
def test_they_are_converted(kind, door):
    numbers, enter = DOORS[door]
    found, expected = enter(KINDS[kind](numbers)), enter(numbers)
    assert np.allclose(found, expected, rtol=1e-6, atol=1e-7)
    assert not np.allclose(found, enter(numbers / 2), rtol=1e-6, atol=1e-7)


def test_a_scale_and_a_lag_have_one_too():
    polar = ln.Polar(lag=np.timedelta64(1500, "ns"), frequency_scale=Pint(50.0))
    assert polar == ln.Polar(lag=1.5, frequency_scale=0.05)


def test_so_has_an_angle():
    dims, by_degrees = "curve", np.array([0.0, 45.0, 90.0])
    expected = ln.rotate_phase(echoes(), np.radians(by_degrees))
    given = xr.DataArray(by_degrees, dims=dims, attrs={"units": "deg"})
    assert np.allclose(ln.rotate_phase(echoes(), given).mx, expected.mx, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "enter"),
    [
        ("snr", lambda given: ln.add_noise(echoes(), given, seed=0)),
        ("phase", lambda given: ln.rotate_phase(echoes(), given)),
        ("kernel_tables", lattices("kernel_tables")),
        ("equilibrium_mz", lambda given: checked_relaxation(0, given, 3)),
    ],
)
@pytest.mark.parametrize("kind", ["pint", "astropy"])
def test_where_no_frequency_is_meant_they_are_refused(kind, name, enter):
    with pytest.raises(ln.InputError, match=rf"^{name} must be .* cannot be converted"):
        enter(KINDS[kind](np.ones(3)))


def test_gradients_flow_through_couplings_as_before():
    slope = jax.jacfwd(lambda c: ln.curve_inputs(c, 2.0, SEQUENCE).couplings)(np.full(3, 0.1))
    assert np.array_equal(slope, np.eye(3))


class TestWrittenQuantities:
    """Times and frequencies on a command line."""

    @pytest.mark.parametrize(
        "text", ["100us", "100", "0.1ms", "100 µs", "1e2μs", "100000ns", "1e-4s", " +100. "]
    )
    def test_times_of_any_unit_are_in_microseconds(self, text):
        assert written_quantity("tau", text, "µs") == pytest.approx(100, rel=1e-12)

    @pytest.mark.parametrize("text", ["50kHz", "0.05", ".05MHz", "50000 Hz", "5e-5GHz"])
    def test_frequencies_of_any_unit_are_in_megahertz(self, text):
        assert written_quantity("fwhm", text, "MHz") == pytest.approx(0.05, rel=1e-12)

    @pytest.mark.parametrize(
        "text", ["", "us", "100mHz", "0,1ms", "1 2us", "100 u s", "nan", "0x1"]
    )
    def test_anything_else_is_refused_with_examples(self, text):
        with pytest.raises(ln.InputError, match=r"tau must be a number and one of.*100us, 0\.1ms"):
            written_quantity("tau", text, "µs")

    def test_a_time_is_no_frequency(self):
        with pytest.raises(ln.InputError, match="fwhm must be a number and one of the units Hz"):
            written_quantity("fwhm", "100us", "MHz")
