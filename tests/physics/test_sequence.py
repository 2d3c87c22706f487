"""Pulses and sequences."""

import math

import numpy as np
import pytest
from scipy.linalg import expm

from latent_nmr.errors import InputError
from latent_nmr.physics.kernels import kernel_table
from latent_nmr.physics.lattices import simulate_lattices
from latent_nmr.physics.sequence import Pulse, Sequence, cpmg, spin_echo

ANGLES = [0.0, 0.3, math.pi / 2, 2.0, math.pi, 5.0]
PHASES = [0.0, 0.7, math.pi / 2, math.pi, -2.1]

# A 3 × 3 rotation holds sines and cosines of size 1, good to a few roundings.
ROUNDING = 1e-15


class TestPulse:
    """An ideal rotation about an axis in the transverse plane."""

    @pytest.mark.parametrize("phase", PHASES)
    @pytest.mark.parametrize("angle", ANGLES)
    def test_it_is_a_rotation(self, angle, phase):
        matrix = Pulse(0, angle, phase).matrix()
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=ROUNDING)
        assert np.linalg.det(matrix) == pytest.approx(1.0, abs=ROUNDING)

    @pytest.mark.parametrize("phase", PHASES)
    @pytest.mark.parametrize("angle", ANGLES)
    def test_it_solves_the_equation_of_motion_about_its_axis(self, angle, phase):
        axis = [math.cos(phase), math.sin(phase), 0.0]
        # ds/dt = s × b: row d of the generator is what each component gives to ds_d/dt.
        generator = np.cross(np.eye(3), axis).T
        np.testing.assert_allclose(
            Pulse(0, angle, phase).matrix(), expm(angle * generator), atol=5 * ROUNDING
        )

    def test_ninety_degrees_about_x_takes_plus_z_to_plus_y(self):
        turned = Pulse(0, math.pi / 2).matrix() @ [0, 0, 1]
        np.testing.assert_allclose(turned, [0, 1, 0], atol=ROUNDING)

    def test_ninety_degrees_about_y_takes_plus_z_to_minus_x(self):
        turned = Pulse(0, math.pi / 2, math.pi / 2).matrix() @ [0, 0, 1]
        np.testing.assert_allclose(turned, [-1, 0, 0], atol=ROUNDING)

    @pytest.mark.parametrize("phase", PHASES)
    def test_its_axis_stays(self, phase):
        axis = np.array([math.cos(phase), math.sin(phase), 0.0])
        np.testing.assert_allclose(Pulse(0, 1.1, phase).matrix() @ axis, axis, atol=ROUNDING)

    @pytest.mark.parametrize("phase", PHASES)
    def test_angles_of_two_pulses_add(self, phase):
        both = Pulse(0, 0.4, phase).matrix() @ Pulse(0, 1.3, phase).matrix()
        np.testing.assert_allclose(both, Pulse(0, 1.7, phase).matrix(), atol=ROUNDING)


class TestSpinEcho:
    """θ about x at t = 0, 2θ about y at τ."""

    @pytest.mark.parametrize("flip_angle", [math.pi / 2, 1.2, 0.4])
    def test_the_second_pulse_is_twice_the_first_and_about_y(self, flip_angle):
        first, second = spin_echo(0.1, 7, 30, flip_angle).pulses
        assert (first.sample, first.angle, first.phase) == (0, flip_angle, 0.0)
        assert (second.sample, second.angle, second.phase) == (7, 2 * flip_angle, math.pi / 2)

    def test_the_pulses_are_ninety_and_a_hundred_and_eighty_degrees_unless_said(self):
        assert [p.angle for p in spin_echo(0.1, 7, 30).pulses] == [math.pi / 2, math.pi]

    @pytest.mark.parametrize("error", [-0.2, 0.0, 0.1])
    def test_a_flip_error_turns_both_pulses_by_that_much_more(self, error):
        first, second = spin_echo(0.1, 7, 30, 1.2, flip_error=error).pulses
        assert first.angle == pytest.approx((1 + error) * 1.2, rel=1e-15)
        assert second.angle == pytest.approx((1 + error) * 2.4, rel=1e-15)

    def test_phases_are_those_asked_for(self):
        pulses = spin_echo(0.1, 7, 30, phases=(0.4, -1.0)).pulses
        assert [pulse.phase for pulse in pulses] == [0.4, -1.0]

    @pytest.mark.parametrize("value", ["ten percent", float("nan"), None])
    def test_a_flip_error_that_is_no_number_is_refused(self, value):
        with pytest.raises(InputError, match=rf"flip_error must be .*but is {value!r}\. [GRL]"):
            spin_echo(0.1, 7, 30, flip_error=value)

    def test_the_echo_comes_at_twice_the_spacing(self):
        assert spin_echo(0.1, 7, 30).echo_sample == 14

    def test_a_record_that_ends_before_the_second_pulse_is_refused(self):
        with pytest.raises(
            InputError, match=r"n_samples must exceed pulse_spacing = 7,.*but is 7\. Record longer"
        ):
            spin_echo(0.1, 7, 7)

    @pytest.mark.parametrize(
        ("name", "value"), [("n_samples", "30"), ("n_samples", 30.5), ("flip_angle", "right")]
    )
    def test_other_arguments_that_are_no_numbers_are_refused(self, name, value):
        arguments = {"dt": 0.1, "pulse_spacing": 7, "n_samples": 30} | {name: value}
        with pytest.raises(InputError, match=rf"{name} must be .*number.*but is {value!r}\. [GRL]"):
            spin_echo(**arguments)

    @pytest.mark.parametrize("spacing", [0, -3, 2.5])
    def test_a_spacing_that_is_no_count_is_refused(self, spacing):
        with pytest.raises(
            InputError,
            match=rf"pulse_spacing must be a whole number.*but is {spacing}\. [GRL]",
        ):
            spin_echo(0.1, spacing, 30)


class TestCpmg:
    """θ at 0, 2θ at τ, 3τ, 5τ, …."""

    def test_refocusing_pulses_come_at_odd_multiples_of_the_spacing(self):
        sequence = cpmg(0.1, 7, 3)
        assert [pulse.sample for pulse in sequence.pulses] == [0, 7, 21, 35]
        assert sequence.n_samples == 43
        assert sequence.segments == (7, 14, 14, 7)

    def test_with_one_echo_it_is_the_spin_echo_up_to_there(self):
        options = {"flip_angle": 1.2, "flip_error": 0.1, "phases": (0.3, 1.1)}
        assert cpmg(0.1, 7, 1, **options) == spin_echo(0.1, 7, 15, **options)

    def test_all_refocusing_pulses_are_alike(self):
        first, *others = cpmg(0.1, 7, 4, 1.2, flip_error=0.1, phases=(0.3, 1.1)).pulses
        assert (first.angle, first.phase) == (pytest.approx(1.32, rel=1e-15), 0.3)
        assert {pulse.phase for pulse in others} == {1.1}
        assert [pulse.angle for pulse in others] == pytest.approx([2.64] * 4, rel=1e-15)

    def test_spins_that_do_not_interact_refocus_at_every_echo(self):
        sequence = cpmg(0.32, 8, 3)
        frequencies = np.random.default_rng(0).uniform(-0.3, 0.3, (1, 6, 6))
        table = kernel_table("power", 2.0, 6)[None]
        signal = simulate_lattices(
            frequencies, table, np.zeros((1, 3)), sequence, dtype="float64", step=4
        )[0]
        echoes = signal[::16]
        assert len(echoes) == 4
        # A few operations of size 1/2 in each of 48 intervals.
        np.testing.assert_allclose(echoes, np.tile([0.0, 0.5, 0.0], (4, 1)), atol=1e-13)
        # Between echoes they are apart.
        assert np.abs(signal[8::16, :2]).max() < 0.2

    def test_the_phase_of_the_train_decides_whether_its_flip_errors_add_up(self):
        # Meiboom and Gill: with 2θ about the axis that the first pulse turned the spins to, errors
        # compensate at every second echo; about the axis of the first pulse they add up.
        def second_echo(phase):
            sequence = cpmg(0.32, 8, 2, flip_error=0.1, phases=(0.0, phase))
            frequencies = np.random.default_rng(0).uniform(-0.3, 0.3, (1, 6, 6))
            table = kernel_table("power", 2.0, 6)[None]
            options = {"dtype": "float64", "step": 4}
            signal = simulate_lattices(frequencies, table, np.zeros((1, 3)), sequence, **options)
            return np.hypot(*signal[0, -1, :2])

        assert second_echo(math.pi / 2) > second_echo(0.0) + 0.01

    @pytest.mark.parametrize("name", ["pulse_spacing", "n_echoes"])
    @pytest.mark.parametrize("value", [0, 2.5, "3"])
    def test_arguments_that_are_no_counts_are_refused(self, name, value):
        arguments = {"dt": 0.1, "pulse_spacing": 7, "n_echoes": 3} | {name: value}
        with pytest.raises(
            InputError,
            match=rf"{name} must be a whole number.*but is {value!r}\. [GRL]",
        ):
            cpmg(**arguments)


class TestSequence:
    """When the record is sampled."""

    def test_times_start_at_zero_and_are_dt_apart(self):
        np.testing.assert_allclose(spin_echo(0.25, 2, 5).time, [0.0, 0.25, 0.5, 0.75, 1.0])

    @pytest.mark.parametrize(
        ("samples", "n_samples", "segments"),
        [
            ((0,), 5, (4,)),
            ((0, 3), 10, (3, 6)),
            ((0, 3), 4, (3, 0)),
            ((0, 3, 9), 20, (3, 6, 10)),
        ],
    )
    def test_segments_run_from_each_pulse_to_the_next_and_to_the_end(
        self, samples, n_samples, segments
    ):
        sequence = Sequence(0.1, n_samples, tuple(Pulse(sample, 1.0) for sample in samples))
        assert sequence.segments == segments

    @pytest.mark.parametrize("samples", [(), (1,), (0, 5, 3), (0, 4, 4)])
    def test_pulses_out_of_order_are_refused(self, samples):
        pulses = tuple(Pulse(sample, 1.0) for sample in samples)
        with pytest.raises(InputError) as refusal:
            Sequence(0.1, 10, pulses)
        assert "pulses must start at sample 0" in str(refusal.value)
        assert f"act at samples {list(samples)}. Sort them" in str(refusal.value)

    @pytest.mark.parametrize("late", [10, 11, -1, 2.5])
    def test_a_pulse_off_the_record_is_refused(self, late):
        with pytest.raises(
            InputError,
            match=rf"pulse sample must be .*at most 9, but is {late}\. [GRL]",
        ):
            Sequence(0.1, 10, (Pulse(0, 1.0), Pulse(late, 1.0)))

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), "90°"])
    @pytest.mark.parametrize("name", ["angle", "phase"])
    def test_a_pulse_whose_rotation_is_no_number_is_refused(self, name, value):
        pulse = Pulse(0, **({"angle": 1.0} | {name: value}))
        with pytest.raises(InputError, match=rf"pulse {name} must be a finite number.*{value!r}"):
            Sequence(0.1, 10, (pulse,))

    def test_one_pulse_makes_no_echo(self):
        with pytest.raises(InputError, match=r"must have two pulses.*but has 1\. Use spin_echo"):
            _ = Sequence(0.1, 10, (Pulse(0, 1.0),)).echo_sample

    @pytest.mark.parametrize("dt", [0.0, -0.1, float("inf"), None])
    def test_a_sample_interval_that_is_no_positive_number_is_refused(self, dt):
        with pytest.raises(InputError, match=rf"dt must be > 0 µs, but is {dt!r}\. [GRL]"):
            Sequence(dt, 10, (Pulse(0, 1.0),))

    @pytest.mark.parametrize("n_samples", [0, -1, 10.0, "10"])
    def test_a_length_that_is_no_count_is_refused(self, n_samples):
        with pytest.raises(
            InputError,
            match=rf"n_samples must be a whole number.*but is {n_samples!r}\. [GRL]",
        ):
            Sequence(0.1, n_samples, (Pulse(0, 1.0),))


@pytest.mark.parametrize("make", [spin_echo, cpmg])
@pytest.mark.parametrize("phases", [(0.1,), (0.1, 0.2, 0.3), 0.1, None])
def test_anything_but_two_phases_is_refused(make, phases):
    with pytest.raises(InputError, match=r"phases must be those of the first.*Give two numbers"):
        make(0.1, 5, 12, phases=phases)


class TestFlippedBy:
    """A sequence with another pulse angle."""

    def test_it_is_the_echo_made_with_that_angle(self):
        assert spin_echo(0.1, 7, 30).flipped_by(1.2) == spin_echo(0.1, 7, 30, 1.2)

    def test_every_refocusing_pulse_of_a_train_turns_by_twice_the_angle(self):
        assert cpmg(0.1, 7, 4).flipped_by(1.2) == cpmg(0.1, 7, 4, 1.2)

    @pytest.mark.parametrize("angle", ["right", float("nan")])
    def test_an_angle_that_is_no_number_is_refused(self, angle):
        with pytest.raises(InputError, match="flip_angle must be a finite number"):
            spin_echo(0.1, 7, 30).flipped_by(angle)
