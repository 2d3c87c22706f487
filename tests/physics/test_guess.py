"""The first guess of a curve's steps."""

import math
from dataclasses import replace

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latent_nmr.physics.guess import GUESSES, RULE, StepRule, first_cut, quiet_times
from latent_nmr.physics.kernels import kernel_table
from latent_nmr.physics.line import Line, draw_frequencies
from latent_nmr.physics.presets import get_preset
from latent_nmr.physics.sequence import Pulse, Sequence, cpmg, spin_echo
from latent_nmr.physics.steps import fixed_cut

N_EDGE = 8
PAPER = get_preset("paper").sequence
EASY = {"kernel": "gaussian", "parameter": 20.0, "coupling": 0.02, "width": 0.01}


def line(width):
    """ν of a lattice, MHz."""
    return width * np.random.default_rng(0).uniform(-1, 1, (N_EDGE, N_EDGE))


def guessed(
    kernel="power",
    parameter=2.0,
    *,
    coupling=0.05,
    width=0.05,
    decay_rate=0.0,
    dt=0.16,
    flip_angle=math.pi / 2,
    tolerance=1e-3,
    spacing=200,
):
    """The guess, in sample intervals."""
    table = kernel_table(kernel, parameter, N_EDGE)
    sequence = spin_echo(dt, spacing, 3 * spacing, flip_angle)
    numbers = line(width), table, np.full(3, coupling), decay_rate, sequence
    return first_cut(*numbers, tolerance=tolerance).step


class TestFirstCut:
    """The longest steps that should do."""

    @settings(max_examples=60)
    @given(
        coupling=st.floats(1e-4, 2.0),
        width=st.floats(1e-4, 2.0),
        decay_rate=st.floats(0.0, 0.1),
        exponent=st.floats(0.5, 5.0),
        factor=st.floats(1.0, 30.0),
        changed=st.sampled_from(["coupling", "width", "decay_rate", "parameter"]),
    )
    def test_nothing_that_makes_a_curve_harder_lengthens_them(
        self, coupling, width, decay_rate, exponent, factor, changed
    ):
        # A steeper power law is a rougher kernel: fewer neighbours make the field.
        numbers = {
            "coupling": coupling,
            "width": width,
            "decay_rate": decay_rate,
            "parameter": exponent,
        }
        harder = numbers | {changed: factor * numbers[changed]}
        assert guessed(**harder) <= guessed(**numbers)

    # Each goes beyond one limit and stays within the others.
    @pytest.mark.parametrize(
        "hard",
        [
            {"coupling": 0.15},
            {"flip_angle": 1.0, "coupling": 0.08},
            {"width": 0.2},
            {"decay_rate": 0.003},
            {"kernel": "power", "parameter": 8.0, "coupling": 0.08},
            {"dt": 0.8},
            {"spacing": 20},
            {"tolerance": 1e-5},
        ],
        ids=["field", "tilted", "line", "decay", "neighbours", "samples", "pulses", "tolerance"],
    )
    def test_every_limit_shortens_them(self, hard):
        assert guessed(**EASY) == GUESSES[0]
        assert guessed(**EASY | hard) < GUESSES[0]

    def test_where_nothing_moves_they_are_the_longest(self):
        assert guessed(coupling=0.0, width=0.0) == GUESSES[0]

    def test_every_guess_is_a_step_and_the_longest_comes_first(self):
        assert all(fixed_cut(guess).step == guess for guess in GUESSES)
        assert list(GUESSES) == sorted(GUESSES, reverse=True)

    def test_a_second_component_off_the_centre_shortens_them_and_a_tail_does_not(self):
        table, couplings = kernel_table("gaussian", 8.0, 100), np.full(3, 0.1)
        tail = np.asarray(draw_frequencies(jax.random.key(0), 100, Line(0.05, 0.5)), np.float64)
        satellites = np.where(np.arange(100) % 5 == 0, 0.5, 0.0) * np.ones((100, 1))
        cuts = [
            first_cut(nu, table, couplings, 0.0, PAPER, tolerance=1e-3) for nu in (tail, satellites)
        ]
        assert [cut.step for cut in cuts] == [6.0, 1.0]

    @given(degrees=st.floats(1, 179))
    def test_only_upright_spins_under_a_smooth_kernel_get_pauses(self, degrees):
        sequence = PAPER.flipped_by(math.radians(degrees))
        for kernel, parameter in (("gaussian", 20.0), ("power", 3.0)):
            table = kernel_table(kernel, parameter, 100)
            cut = first_cut(
                np.zeros((100, 100)), table, np.full(3, 0.1), 0, sequence, tolerance=1e-3
            )
            is_upright = abs(math.cos(math.radians(degrees))) <= 0.01
            assert (cut.pause > 1) == (is_upright and kernel == "gaussian")


class TestPower:
    """How errors are taken to fall with the step."""

    @pytest.mark.parametrize(
        ("kernel", "parameter", "n_edge", "decay_rate", "power"),
        [
            ("gaussian", 20.0, 100, 0.0, 3.0),
            ("power", 3.0, 100, 0.0, 2.0),
            ("gaussian", 20.0, 20, 0.0, 2.0),  # uniform, on few sites
            ("gaussian", 20.0, 100, 0.01, 2.0),
            ("gaussian", 20.0, 100, 0.001, 2.5),
            ("power", 3.0, 100, 0.01, 2.0),
        ],
    )
    def test_it_is_lower_for_rough_kernels_few_sites_and_dephasing(
        self, kernel, parameter, n_edge, decay_rate, power
    ):
        table = kernel_table(kernel, parameter, n_edge)
        assert RULE.power(table, "averaged", decay_rate) == power

    @given(ratio=st.integers(2, 4), power=st.floats(1.5, 3))
    def test_the_estimate_is_at_least_what_an_error_of_that_power_is(self, ratio, power):
        # Errors of e and e ratio^p differ by e (ratio^p − 1) if they have one sign.
        assert RULE.error_factor(ratio, power) * (ratio**power - 1) >= 1

    def test_estimates_of_rough_curves_must_be_the_farther_below_the_tolerance(self):
        shares = [RULE.share(power) for power in (1.5, 2.0, 2.5, 3.0)]
        assert shares == [0.5, 0.5, pytest.approx(0.7), 0.9]

    @given(excess=st.floats(1.0, 1e6))
    def test_steps_are_divided_by_more_where_more_is_needed(self, excess):
        assert 2 <= RULE.division(excess) <= RULE.division(2 * excess) <= RULE.ratio


class TestQuietTimes:
    """Times at which M of uncoupled spins has died away."""

    FIELD = np.asarray(draw_frequencies(jax.random.key(1), 100, Line(0.05, 0.5)), np.float64)

    def uncoupled(self, sequence, frequencies):
        """|M| of spins that only precess, summed one by one."""
        spins = np.zeros((3, frequencies.size))
        spins[2] = 0.5
        signal = np.empty(sequence.n_samples)
        for pulse, count in zip(sequence.pulses, sequence.segments, strict=True):
            spins = pulse.matrix() @ spins
            plus = spins[0] + 1j * spins[1]
            for k in range(count + 1):
                turned = plus * np.exp(-2j * math.pi * sequence.dt * k * frequencies.ravel())
                signal[pulse.sample + k] = abs(turned.mean())
            spins = np.stack([turned.real, turned.imag, spins[2]])
        return signal

    @pytest.mark.parametrize(
        "sequence",
        [
            PAPER,
            PAPER.flipped_by(1.0),
            cpmg(dt=0.16, pulse_spacing=300, n_echoes=2),
            Sequence(0.32, 600, (Pulse(0, 1.5, 0.3), Pulse(150, 0.7, 2.0), Pulse(320, 2.0))),
        ],
        ids=["echo", "tilted", "train", "three pulses"],
    )
    def test_m_is_small_inside_and_they_are_most_of_such_times(self, sequence):
        signal = self.uncoupled(sequence, self.FIELD[::2, ::2])
        inside = np.zeros(sequence.n_samples, bool)
        for first, last in quiet_times(self.FIELD, sequence):
            inside[first : last + 1] = True
        # A quarter of the offsets stands for all: a noise of 1/√2500 beside the limit.
        assert signal[inside].max() < RULE.pause_below / 2 + 0.02
        assert inside.sum() > 0.5 * (signal < RULE.pause_below / 2).sum() > 0

    def test_narrow_lines_and_few_sites_have_none(self):
        assert quiet_times(0.01 * self.FIELD, PAPER) == []
        assert quiet_times(self.FIELD[:20, :20], PAPER) == []
        assert quiet_times(self.FIELD, PAPER, replace(RULE, pause_below=1e-6)) == []

    def test_curves_of_one_line_agree_so_that_they_share_plans(self):
        fields = [
            np.asarray(draw_frequencies(jax.random.key(seed), 100, Line(0.05, 0.5)), np.float64)
            for seed in range(12)
        ]
        assert len({tuple(quiet_times(field, PAPER)) for field in fields}) <= 3


def test_the_rule_is_plain_numbers_for_the_attributes_of_a_store():
    assert all(isinstance(value, float | int) for value in vars(StepRule()).values())
