"""What is read off rows does not depend on what a receiver does to all samples alike."""

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latent_nmr.models.posterior.receiver import (
    RECORD,
    SNR_RANGES,
    SPECTROMETER,
    Conditions,
    disturbed,
    draw_conditions,
    n_read_off,
    read_off,
)
from tests.models.posterior.conftest import rows_of_a_formula

ROWS = rows_of_a_formula(5).X


def turned(rows, factors):
    """Rows of complex records multiplied by `factors`, shape (n_rows or 1, n_samples or 1)."""
    real, imaginary = np.split(rows, 2, axis=1)
    signal = (real + 1j * imaginary) * factors
    return np.concatenate([signal.real, signal.imag], axis=1).astype(np.float32)


class TestReadOff:
    @given(st.floats(0.01, 100), st.floats(0, 2 * np.pi))
    def test_neither_gain_nor_phase_of_the_receiver_is_seen(self, gain, phase):
        expected = read_off(ROWS, RECORD)
        found = read_off(turned(ROWS, gain * np.exp(1j * phase)), RECORD)
        for own, other in zip(found, expected, strict=True):
            # Angles of small products lose digits of single precision.
            np.testing.assert_allclose(own, other, atol=2e-3)

    def test_amplitudes_do_not_see_how_the_phase_goes(self):
        t = np.linspace(0, 1, ROWS.shape[1] // 2)[None]
        found = read_off(turned(ROWS, np.exp(1j * (3 * t + 5 * t**2))), RECORD)
        expected = read_off(ROWS, RECORD)
        np.testing.assert_allclose(found[0], expected[0], atol=1e-5)
        assert np.abs(np.asarray(found[1] - expected[1])).max() > 0.1

    @pytest.mark.parametrize("receiver", [RECORD, SPECTROMETER])
    def test_its_widths_are_those_that_are_said(self, receiver):
        widths = tuple(part.shape[1] for part in read_off(ROWS, receiver))
        assert widths == n_read_off(ROWS.shape[1], receiver)

    def test_a_record_of_nought_gives_finite_numbers(self):
        assert all(np.isfinite(part).all() for part in read_off(np.zeros_like(ROWS), RECORD))


class TestConditions:
    def test_ratios_are_drawn_over_their_whole_range_and_phases_in_their_share(self):
        drawn = draw_conditions(jax.random.key(0), np.ones(4000, np.float32), RECORD, 0.25)
        low, high = SNR_RANGES[RECORD]
        assert low <= float(drawn.snr.min()) < 1.05 * low
        assert 0.95 * high < float(drawn.snr.max()) <= high
        assert float(drawn.phase.mean()) == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / 4000))

    def test_noise_has_the_size_that_was_asked_for(self):
        rows = np.zeros((50, 400), np.float32)
        given_ = Conditions(np.ones(50), np.ones(50), np.full(50, 20.0))
        noise = disturbed(jax.random.key(0), rows, given_, RECORD, 0.0)
        # The relative error of a deviation of n values is 1/√(2 n).
        assert float(noise.std()) == pytest.approx(1 / 20, rel=4 / np.sqrt(2 * rows.size))

    def test_an_error_of_the_carrier_turns_and_leaves_amplitudes(self):
        given_ = Conditions(np.ones(5), np.ones(5), np.full(5, np.inf))
        found = disturbed(jax.random.key(0), ROWS, given_, RECORD, 0.05)
        np.testing.assert_allclose(read_off(found, RECORD)[0], read_off(ROWS, RECORD)[0], atol=1e-5)
        assert np.abs(np.asarray(found) - ROWS).max() > 0.1
