"""Phase and offset of records."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latent_nmr.data.measured.echo_search import FoundEcho
from latent_nmr.data.measured.phasing import echo_phase
from tests.data.measured.records import echo_of, noise_of

TIME = 0.16 * np.arange(1000)
ECHO = FoundEcho(80.0, 0.1, 6.0, 4.0, 0.0, 1 + 0j, 1e-9, "echo")


class TestPhase:
    @given(st.floats(-10, 10), st.integers(0, 99))
    def test_the_echo_is_brought_along_y(self, angle, seed):
        signal = 20 * echo_of(TIME, angle=angle) + noise_of(1000, seed)
        turned = signal * np.exp(1j * echo_phase(signal[None], TIME, ECHO))
        top = turned[np.abs(TIME - 80) < 2].sum()
        # 25 samples of 20: noise turns their sum by 1/(20 √25).
        assert abs(np.angle(top) - np.pi / 2) < 5 / 100

    def test_lobes_of_the_other_sign_do_not_turn_it(self):
        signal = echo_of(TIME) - 3 * echo_of(TIME, at=62, rise=3, decay=3)
        assert np.sin(echo_phase(signal[None], TIME, ECHO)) == pytest.approx(1, abs=1e-6)

    def test_each_record_has_its_own(self):
        signal = np.stack([echo_of(TIME, angle=angle) for angle in (0.0, 1.0)])
        angles = echo_phase(signal, TIME, ECHO)
        np.testing.assert_allclose(angles, [np.pi / 2, np.pi / 2 - 1], atol=1e-9)
