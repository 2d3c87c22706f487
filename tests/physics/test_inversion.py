"""From L back to the parameter of a kernel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latent_nmr.errors import InputError
from latent_nmr.physics.inversion import parameter_of_length
from latent_nmr.physics.kernels import coupling_length, kernel_table
from latent_nmr.physics.presets import get_preset

RANGES = get_preset("paper").law.kernel_ranges
N_EDGE = 100


def length_of(kernel, parameter, n_edge=N_EDGE):
    return coupling_length(kernel_table(kernel, parameter, n_edge))


class TestInverse:
    """The parameter at which a kernel has a given L."""

    @pytest.mark.parametrize("kernel", RANGES)
    @given(fraction=st.floats(0.0, 1.0))
    def test_parameter_to_length_and_back_is_the_identity(self, kernel, fraction):
        low, high = RANGES[kernel]
        parameter = low + fraction * (high - low)
        found = parameter_of_length(kernel, length_of(kernel, parameter), N_EDGE, (low, high))
        # L is a sum of 10⁴ terms: rounding of 1e-13, over the least slope of L, 0.1 relative.
        assert found.value == pytest.approx(parameter, rel=1e-9)
        assert not found.is_clipped or found.value in (low, high)

    @pytest.mark.parametrize("kernel", RANGES)
    @given(fraction=st.floats(0.01, 0.99))
    def test_the_parameter_found_has_the_length_asked_for(self, kernel, fraction):
        ends = [length_of(kernel, end) for end in RANGES[kernel]]
        length = ends[0] + fraction * (ends[1] - ends[0])
        found = parameter_of_length(kernel, length, N_EDGE, RANGES[kernel])
        assert not found.is_clipped
        assert length_of(kernel, found.value) == pytest.approx(length, rel=1e-10)

    @pytest.mark.parametrize("kernel", RANGES)
    @pytest.mark.parametrize("n_edge", [12, N_EDGE])
    def test_length_is_monotonic_over_the_published_range(self, kernel, n_edge):
        lengths = [length_of(kernel, p, n_edge) for p in np.linspace(*RANGES[kernel], 60)]
        assert len(set(np.sign(np.diff(lengths)))) == 1

    @pytest.mark.parametrize("kernel", RANGES)
    def test_out_of_reach_the_nearer_end_is_taken_and_said(self, kernel):
        ends = {end: length_of(kernel, end) for end in RANGES[kernel]}
        shortest, longest = sorted(ends, key=lambda end: ends[end])
        below = parameter_of_length(kernel, 0.5 * ends[shortest], N_EDGE, RANGES[kernel])
        above = parameter_of_length(kernel, 1.5 * ends[longest], N_EDGE, RANGES[kernel])
        assert below == (shortest, True)
        assert above == (longest, True)

    def test_the_lattice_decides_the_length(self):
        length = length_of("gaussian", 12.0, 20)
        found = parameter_of_length("gaussian", length, 20, RANGES["gaussian"])
        assert found.value == pytest.approx(12.0, rel=1e-9)
        larger = parameter_of_length("gaussian", length, 100, RANGES["gaussian"])
        assert larger.value != pytest.approx(12.0, rel=0.1)


class TestRefusals:
    """What cannot be inverted."""

    @pytest.mark.parametrize("length", [0.0, -3.0, float("nan")])
    def test_a_length_that_is_no_positive_number(self, length):
        with pytest.raises(InputError, match="L must be > 0 lattice constants"):
            parameter_of_length("gaussian", length, N_EDGE, (8.0, 32.0))

    def test_a_range_without_width(self):
        with pytest.raises(InputError, match=r"must change L, but gaussian has L = .* at both 9"):
            parameter_of_length("gaussian", 9.0, N_EDGE, (9.0, 9.0))
