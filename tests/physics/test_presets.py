"""Published data sets as distributions."""

import math
from dataclasses import replace

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latent_nmr.errors import InputError
from latent_nmr.physics.line import Line
from latent_nmr.physics.presets import get_preset
from latent_nmr.physics.simulate import Simulation, draw_parameters

PAPER = get_preset("paper")
RANGES = {"gaussian": (8, 32), "power": (1, 3), "rkky": (13, 52)}

# Drawing compiles on its first call, which would look like a flaky deadline.
seeds_and_indices = settings(max_examples=60, deadline=None)


@pytest.fixture(scope="module")
def many():
    """Parameters of the first 600 curves of one data set."""
    return draw_parameters(Simulation("paper", seed=1), range(600))[1]


def largest_gap(values, cumulative):
    """Kolmogorov's distance between a sample and the law it should follow."""
    expected = cumulative(np.sort(values))
    ranks = np.arange(len(values) + 1) / len(values)
    return max(np.abs(expected - ranks[1:]).max(), np.abs(expected - ranks[:-1]).max())


def allowed_gap(n_values):
    """Gap that one sample in a million exceeds (Dvoretzky, Kiefer and Wolfowitz)."""
    return math.sqrt(math.log(2e6) / (2 * n_values))


class TestPaper:
    """What is the same for all curves of `paper`."""

    def test_the_lattice_and_the_line_are_those_of_the_published_data(self):
        assert PAPER.n_edge == 100
        assert Line(fwhm=0.05, cutoff=0.5, draw="independent") == PAPER.line

    def test_a_record_has_1882_samples_of_159_ns_and_its_echo_at_1256(self):
        sequence = PAPER.sequence
        assert sequence.n_samples == 1882
        assert sequence.dt == pytest.approx(0.159155, abs=5e-7)
        assert [pulse.sample for pulse in sequence.pulses] == [0, 628]
        assert sequence.echo_sample == 1256
        assert sequence.time[628] == pytest.approx(99.95, abs=5e-3)

    def test_its_pulses_are_ninety_about_x_and_a_hundred_and_eighty_about_y(self):
        first, second = PAPER.sequence.pulses
        assert (first.angle, first.phase) == (math.pi / 2, 0.0)
        assert (second.angle, second.phase) == (math.pi, math.pi / 2)


class TestDrawnParameters:
    """What differs from curve to curve."""

    @seeds_and_indices
    @given(seed=st.integers(0, 2**31 - 1), index=st.integers(0, 10**6))
    def test_every_curve_obeys_the_ranges_of_the_paper(self, seed, index):
        _, [curve] = draw_parameters(Simulation("paper", seed=seed), [index])
        in_plane, other, along = curve.couplings
        assert in_plane == other
        assert 0.01 <= in_plane <= 0.1
        assert 0.01 <= along <= 0.1
        assert 0.1 <= sum(curve.couplings) <= 0.3
        lowest, highest = RANGES[curve.kernel]
        assert lowest <= curve.kernel_parameter <= highest
        assert curve.decay_rate == 0.0

    @seeds_and_indices
    @given(index=st.integers(0, 10**9))
    def test_kernels_take_turns(self, index):
        assert PAPER.kernel_of(index) == ("gaussian", "power", "rkky")[index % 3]

    @seeds_and_indices
    @given(
        seed=st.integers(0, 2**31 - 1),
        indices=st.lists(st.integers(0, 1000), min_size=2, max_size=6),
    )
    def test_a_curve_is_the_same_in_whatever_company(self, seed, indices):
        simulation = Simulation("paper", seed=seed)
        together = draw_parameters(simulation, indices)[1]
        alone = [draw_parameters(simulation, [index])[1][0] for index in indices]
        assert together == alone

    def test_curves_and_seeds_differ(self, many):
        assert len(set(many)) == len(many)
        other_seed = draw_parameters(Simulation("paper", seed=2), range(20))[1]
        assert not set(other_seed) & set(many)

    @pytest.mark.parametrize("kernel", RANGES)
    def test_the_kernel_parameter_is_uniform_in_its_range(self, many, kernel):
        lowest, highest = RANGES[kernel]
        drawn = np.array([c.kernel_parameter for c in many if c.kernel == kernel])
        gap = largest_gap(drawn, lambda x: (x - lowest) / (highest - lowest))
        assert gap < allowed_gap(len(drawn))

    def test_the_couplings_are_uniform_over_the_allowed_region(self, many):
        # For a given α_x the strength 2 α_x + α_z ≥ 0.1 MHz leaves α_z a stretch of 2 α_x up to
        # α_x = 0.045 MHz and all of its 0.09 MHz above; the upper bound of 0.3 cuts nothing.
        def area(a):
            low = np.minimum(a, 0.045)
            return low**2 - 0.01**2 + 0.09 * np.maximum(a - 0.045, 0)

        in_plane = np.array([c.couplings[0] for c in many])
        assert largest_gap(in_plane, lambda a: area(a) / area(0.1)) < allowed_gap(len(many))
        along = np.array([c.couplings[2] for c in many])

        # For a given α_z, α_x runs from (0.1 - α_z)/2, at least 0.01, to 0.1 MHz: up to
        # α_z = 0.08 MHz a stretch of 0.05 + α_z/2, and all of its 0.09 MHz above.
        def other_area(z):
            low = np.minimum(z, 0.08)
            stretch = 0.05 * (low - 0.01) + (low**2 - 0.01**2) / 4
            return stretch + 0.09 * np.maximum(z - 0.08, 0)

        assert largest_gap(along, lambda z: other_area(z) / other_area(0.1)) < allowed_gap(
            len(many)
        )

    def test_the_kernel_parameter_knows_nothing_of_the_couplings(self, many):
        scaled = [
            (c.kernel_parameter - RANGES[c.kernel][0]) / np.ptp(RANGES[c.kernel]) for c in many
        ]
        for component in (0, 2):
            drawn = [c.couplings[component] for c in many]
            # Five standard deviations of the correlation of 600 independent pairs.
            assert abs(np.corrcoef(scaled, drawn)[0, 1]) < 5 / math.sqrt(len(many))

    def test_a_strength_that_no_coupling_reaches_is_refused(self):
        impossible = replace(PAPER, strength_range=(0.5, 0.6))
        with pytest.raises(
            InputError, match=r"'paper' must allow some couplings.*\(0\.5, 0\.6\) MHz\. Widen"
        ):
            impossible.draw_parameters(jax.random.key(0), 0)


class TestGetPreset:
    """Presets by name."""

    def test_an_unknown_name_is_refused_with_the_nearest_one(self):
        with pytest.raises(InputError, match=r"preset must be one of paper.*'papers'.*'paper'\?"):
            get_preset("papers")

    def test_a_preset_is_found_under_its_own_name(self):
        assert get_preset("paper").name == "paper"
