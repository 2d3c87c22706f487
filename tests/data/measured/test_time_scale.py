"""Echoes of another τ: the law of scaling, and the line that a model knows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import latent_nmr as ln
from latent_nmr.data.measured.time_scale import FWHM_TOLERANCE, check_fwhm, time_factor
from latent_nmr.errors import InputError


@pytest.mark.parametrize("scale", [0.3, 2.5])
def test_frequencies_times_s_and_times_over_s_give_the_same_curve(scale):
    rng = np.random.default_rng(0)
    offsets = 0.025 * np.tan((2 * rng.random((1, 8, 8)) - 1) * np.arctan(20))
    table = ln.tabulate(lambda r: np.exp(-((r / 3) ** 2)), 8)[None]

    def curve(s):
        sequence = ln.spin_echo(dt=0.16 / s, pulse_spacing=20, n_samples=60)
        couplings = s * np.array([[0.06, 0.06, 0.05]])
        return np.asarray(
            ln.simulate_lattices(
                s * offsets, table, couplings, sequence, decay_rate=[0.002 * s], dtype="float64"
            )
        )

    # Products of frequency and time differ by rounding, of 60 steps of rotations.
    np.testing.assert_allclose(curve(scale), curve(1.0), atol=1e-12)


@given(st.floats(1, 1e5), st.floats(1, 1e5))
def test_a_time_of_the_record_becomes_one_of_the_model(tau, model_tau):
    assert 2 * tau * time_factor(tau, model_tau) == pytest.approx(2 * model_tau)


@given(st.floats(1, 1e4), st.floats(-FWHM_TOLERANCE * 0.99, FWHM_TOLERANCE * 0.99))
def test_a_line_of_the_same_product_is_the_models(tau, off):
    fwhm = 0.05 * 100 / tau * (1 + off)
    assert check_fwhm(fwhm, tau, 0.05, 100) == pytest.approx(0.05 * (1 + off))


@pytest.mark.parametrize("fwhm", [0.04, 0.06, 5e-5])
def test_another_line_is_refused_with_what_to_simulate(fwhm):
    with pytest.raises(InputError, match=rf"is {fwhm * 100:.3g}\. Train .*fwhm={fwhm:g}\)"):
        check_fwhm(fwhm, 100, 0.05, 100)


def test_a_pulse_separation_of_zero_is_refused():
    with pytest.raises(InputError, match="pulse_separation must be > 0 µs, but is 0"):
        time_factor(0, 100)
