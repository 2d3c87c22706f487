"""The first guess of a curve's steps."""

import math
from dataclasses import replace

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latent_nmr.physics.guess import RULE, StepRule, first_cut, quiet_times, satellite_offset
from latent_nmr.physics.kernels import kernel_table
from latent_nmr.physics.line import Line, draw_frequencies
from latent_nmr.physics.presets import get_preset
from latent_nmr.physics.sequence import Pulse, Sequence, cpmg, spin_echo
from latent_nmr.physics.steps import LENGTHS, cut_within

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
    spacing=260,
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
        assert guessed(**EASY) == LENGTHS[0].step
        assert guessed(**EASY | hard) < LENGTHS[0].step

    def test_where_nothing_moves_they_are_the_longest(self):
        assert guessed(coupling=0.0, width=0.0) == LENGTHS[0].step

    @given(step=st.floats(1e-4, 40))
    def test_the_longest_length_within_is_chosen_in_steps_of_a_half_at_most(self, step):
        chosen = cut_within(step)
        assert min(step, 16) / 2 < chosen.step <= step or chosen == LENGTHS[-1]
        assert chosen.n == 1 or chosen.stride == 1 or math.gcd(chosen.n, chosen.stride) == 1

    def test_a_second_component_off_the_centre_shortens_them_and_a_tail_does_not(self):
        table, couplings = kernel_table("gaussian", 8.0, 100), np.full(3, 0.1)
        tail = np.asarray(draw_frequencies(jax.random.key(0), 100, Line(0.05, 0.5)), np.float64)
        satellites = np.where(np.arange(100) % 5 == 0, 0.5, 0.0) * np.ones((100, 1))
        cuts = [
            first_cut(nu, table, couplings, 0.0, PAPER, tolerance=1e-3) for nu in (tail, satellites)
        ]
        assert [cut.step for cut in cuts] == [5.0, 1.5]

    @pytest.mark.parametrize("every", [2, 5, 13])  # of which each is a satellite
    def test_satellites_are_found_however_few_and_tails_are_none(self, every):
        tail = np.asarray(draw_frequencies(jax.random.key(0), 100, Line(0.05, 0.5)), np.float64)
        noise = np.random.default_rng(0).normal(0, 0.01, (100, 100))
        lines = np.where(np.arange(10_000).reshape(100, 100) % every == 0, 0.3, 0.0) + noise
        assert satellite_offset(lines) == pytest.approx(0.3, rel=0.07)
        assert satellite_offset(tail) == np.percentile(np.abs(tail), 85)

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


class TestSafety:
    """By what factor errors may exceed what two curves differ by."""

    @pytest.mark.parametrize(
        ("kernel", "parameter", "n_edge", "decay_rate", "roughness"),
        [
            ("gaussian", 20.0, 100, 0.0, 0.0),
            ("power", 4.0, 100, 0.0, 1.0),
            ("gaussian", 20.0, 14, 0.0, 1.0),  # uniform, on few sites
            ("gaussian", 20.0, 100, 0.01, 1.0),
            ("gaussian", 20.0, 100, 0.001, 0.5),
            ("power", 3.0, 100, 0.01, 1.0),
        ],
    )
    def test_rough_kernels_few_sites_and_dephasing_count_as_rough(
        self, kernel, parameter, n_edge, decay_rate, roughness
    ):
        table = kernel_table(kernel, parameter, n_edge)
        assert RULE.how_rough(table, decay_rate) == roughness

    def test_it_is_larger_for_rough_kernels_and_for_tilted_pulses(self):
        smooth, rough = kernel_table("gaussian", 20.0, 100), kernel_table("power", 3.0, 100)
        upright, tilted = (
            [RULE.own_safety(table, 0.0, sequence) for table in (smooth, rough)]
            for sequence in (PAPER, PAPER.flipped_by(1.0))
        )
        assert 1 < upright[0] < upright[1] <= tilted[1]
        assert upright[0] < tilted[0] <= tilted[1]
        assert [RULE.own_safety(smooth, 0.0, PAPER.flipped_by(1.8))] == tilted[:1]

    @given(ratio=st.floats(1.25, 4), order=st.integers(2, 3), safety=st.floats(1, 6))
    def test_the_estimate_is_what_an_error_of_that_order_is_times_the_safety(
        self, ratio, order, safety
    ):
        # Errors of e and e ratio^p differ by e (ratio^p − 1) if they have one sign.
        difference = ratio**order - 1
        assert RULE.error_factor(ratio, order, safety) * difference == pytest.approx(safety)

    @given(excess=st.floats(1.0, 1e6), cut=st.sampled_from(LENGTHS[:-6]), order=st.integers(2, 3))
    def test_steps_are_shortened_by_as_much_as_the_error_asks_and_no_more_than_allowed(
        self, excess, cut, order
    ):
        shorter = RULE.shorter(cut, excess, order)
        factor = cut.step / shorter.step
        assert factor >= min(excess ** (1 / order), RULE.most_division) * (1 - 1e-9)
        assert RULE.least_division <= factor <= 2 * RULE.most_division
        assert shorter.step >= RULE.shorter(cut, 2 * excess, order).step


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
