"""Curves against an independent simulator, and against the exact solution as the step shrinks.

Small lattices in float64, with every term of the equation switched on unless a test says so; one
lattice edge and one sequence wherever they do not matter, so that programs are compiled once.
"""

import math
from dataclasses import replace

import numpy as np
import pytest

from latent_nmr.physics.kernels import kernel_table
from latent_nmr.physics.lattices import simulate_lattices
from latent_nmr.physics.sequence import Pulse, Sequence
from tests.covering import half_of, pairwise
from tests.physics.reference import Sample, exact_curve, stepped_curve

KERNELS = [("gaussian", 1.3), ("power", 2.0), ("rkky", 3.0)]
# Segments of 24 and 37 intervals.
ECHO = ((0, 1.2, 0.0), (24, 2.4, math.pi / 2))
# Largest |b| of these lattices in MHz: |ν| up to 0.25 and a mean field below 0.1 beside it.
LARGEST_FIELD = 0.3
NO_LOSSES = {"decay_rate": 0.0}
DEPHASING = {"decay_rate": 0.01}
RELAXING = {"decay_rate": 0.004, "relaxation_rate": 0.03, "equilibrium_mz": 0.4}


def sample(kernel="power", parameter=2.0, **changes):
    """Six by six sites with unequal couplings, decay and flip angles off 90°."""
    frequencies = np.random.default_rng(3).uniform(-0.25, 0.25, (6, 6))
    settings = {
        "frequencies": frequencies,
        "couplings": (0.16, 0.1, 0.05),
        "decay_rate": 0.01,
        "dt": 0.05,
        "n_samples": 62,
        "pulses": ECHO,
    }
    return Sample(kernel=kernel, parameter=parameter, **(settings | changes))


def package_curve(numbers, **options):
    """The package's curve for the same numbers, shape (n_samples, 3)."""
    return simulate_lattices(
        numbers.frequencies[None],
        kernel_table(numbers.kernel, numbers.parameter, len(numbers.frequencies))[None],
        [numbers.couplings],
        Sequence(numbers.dt, numbers.n_samples, tuple(Pulse(*pulse) for pulse in numbers.pulses)),
        decay_rate=numbers.decay_rate,
        relaxation_rate=numbers.relaxation_rate,
        equilibrium_mz=numbers.equilibrium_mz,
        **({"dtype": "float64"} | options),
    )[0]


def assert_order(errors, order, angles):
    """Errors of halved steps fall by 2^order.

    An error C h^p (1 + c h + …) has a local order that differs from p by about c h, and the
    rotation `angles` in the larger step of each pair is the dimensionless size of h.
    """
    measured = np.log2(np.divide(errors[:-1], errors[1:]))
    assert (np.abs(measured - order) < angles).all(), f"orders {measured}"


class TestAgainstTheReference:
    """Density matrices, SciPy exponentials and a double sum, at the same scheme and step."""

    # Both do the same arithmetic up to rounding: some hundred operations of size 1/2 per sample.
    TOLERANCE = 1e-12

    @pytest.mark.parametrize(
        ("law", "scheme", "step", "losses"),
        half_of(
            pairwise(
                KERNELS,
                ["averaged", "midpoint", "source"],
                [4, 1, 0.5],
                [NO_LOSSES, DEPHASING, RELAXING],
            )
        ),
    )
    def test_unequal_couplings_and_flip_angles_off_ninety_degrees(self, law, losses, scheme, step):
        numbers = sample(*law, **losses)
        np.testing.assert_allclose(
            package_curve(numbers, step=step, scheme=scheme),
            stepped_curve(numbers, step, scheme),
            atol=self.TOLERANCE,
        )

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("pulses", "n_samples"),
        [
            (((0, 1.2, 0.0),), 14),
            (((0, 1.2, 0.0), (13, 2.4, 1.0)), 14),
            (((0, 1.2, 0.3), (5, 3.0, 1.6), (15, 2.8, 1.6), (16, 0.4, -2.0)), 32),
        ],
        ids=["one pulse", "a pulse at the last sample", "a train of four"],
    )
    @pytest.mark.parametrize("step", [4, 0.5])
    def test_other_sequences_whose_segments_the_step_does_not_divide(self, pulses, n_samples, step):
        numbers = sample(pulses=pulses, n_samples=n_samples)
        curve = package_curve(numbers, step=step)
        assert curve.shape == (n_samples, 3)
        np.testing.assert_allclose(
            curve, stepped_curve(numbers, step, "averaged"), atol=self.TOLERANCE
        )

    def test_rotations_too_large_for_the_series(self):
        frequencies = 40 * sample().frequencies
        numbers = sample(frequencies=frequencies, couplings=(3.0, 2.0, 1.0))
        # 2π · 10 MHz · 0.05 µs = 3 rad per sample interval, where the series is far off.
        np.testing.assert_allclose(
            package_curve(numbers, step=2), stepped_curve(numbers, 2, "averaged"), atol=1e-11
        )

    def test_an_odd_lattice_edge(self):
        frequencies = np.random.default_rng(4).uniform(-0.25, 0.25, (5, 5))
        numbers = sample(frequencies=frequencies)
        np.testing.assert_allclose(
            package_curve(numbers, step=2),
            stepped_curve(numbers, 2, "averaged"),
            atol=self.TOLERANCE,
        )


class TestLengthOfTheRecord:
    """Exactly n_samples samples, always at the same times."""

    @pytest.mark.parametrize("step", [100, 5, 4, 2, 1, 1 / 3])
    def test_every_step_records_the_samples_of_the_sequence(self, step):
        # Only 1 divides both segments. Without couplings and decay every
        # step is exact, so that all must give the same numbers at the same samples.
        numbers = sample(couplings=(0.0, 0.0, 0.0), decay_rate=0.0)
        curve = package_curve(numbers, step=step)
        assert curve.shape == (62, 3)
        np.testing.assert_allclose(curve, exact_curve(numbers), atol=1e-10)


class TestOrderOfConvergence:
    """Errors against the exact solution, as steps are halved."""

    STEPS = (4, 2, 1, 0.5)

    # Splitting the losses off is of second order, which takes over from the third where R > 0.
    @pytest.mark.parametrize(
        ("scheme", "losses", "order"),
        [
            ("averaged", NO_LOSSES, 3),
            ("averaged", {"decay_rate": 0.1}, 2),
            ("averaged", RELAXING | {"relaxation_rate": 0.2}, 2),
            ("midpoint", NO_LOSSES, 2),
            ("midpoint", DEPHASING, 2),
            ("source", DEPHASING, 1),
        ],
    )
    @pytest.mark.parametrize(
        ("kernel", "parameter"),
        [pytest.param(*row, marks=[] if row[0] == "rkky" else pytest.mark.slow) for row in KERNELS],
    )
    def test_at_the_ends_of_steps(self, kernel, parameter, scheme, losses, order):
        # Every step ends at every fourth sample, and at the pulse.
        numbers = sample(kernel, parameter, **losses)
        exact = exact_curve(numbers)[::4]
        errors = [
            np.abs(package_curve(numbers, step=step, scheme=scheme)[::4] - exact).max()
            for step in self.STEPS
        ]
        fastest = 2 * np.pi * (LARGEST_FIELD + numbers.decay_rate + numbers.relaxation_rate)
        assert_order(errors, order, fastest * numbers.dt * np.array(self.STEPS[:-1]))

    @pytest.mark.slow
    @pytest.mark.parametrize(("scheme", "order"), [("averaged", 2), ("midpoint", 2), ("source", 1)])
    def test_at_the_samples_inside_steps(self, scheme, order):
        # Odd samples lie inside every step here; a pulse cuts the last one of its segment short.
        numbers = sample(dt=0.0125, n_samples=400, pulses=((0, 1.2, 0.0), (231, 2.4, math.pi / 2)))
        exact = exact_curve(numbers)[1:231:2]
        steps = np.array([8, 4, 2])
        errors = [
            np.abs(package_curve(numbers, step=int(step), scheme=scheme)[1:231:2] - exact).max()
            for step in steps
        ]
        if scheme == "averaged":
            # What a rotation about a steady axis misses of a rising field is, a fraction x of the
            # step from its start, x (1 - x) times its square; the odd sample nearest the middle
            # decides, which is the middle itself for a step of two.
            fraction = np.where(steps > 2, steps / 2 - 1, 1) / steps
            errors = errors / (fraction * (1 - fraction))
        angles = 2 * np.pi * LARGEST_FIELD * numbers.dt * steps[:-1]
        assert_order(errors, order, angles)

    def test_the_invariance_under_a_common_offset_is_restored_at_third_order(self):
        # α_x = α_y and a 90°-180° echo: in the frame that turns with the offset nothing changes,
        # so that |M| may depend on it through the error of the step only.
        pulses = ((0, math.pi / 2, 0.0), (24, math.pi, math.pi / 2))
        numbers = sample(couplings=(0.16, 0.16, 0.05), decay_rate=0.0, pulses=pulses)
        shifted = replace(numbers, frequencies=numbers.frequencies + 0.1)
        steps = (1, 0.5, 0.25)

        def magnitude(numbers, step):
            curve = package_curve(numbers, step=step)
            return np.hypot(curve[:, 0], curve[:, 1])

        changes = [
            np.abs(magnitude(shifted, step) - magnitude(numbers, step)).max() for step in steps
        ]
        angles = 2 * np.pi * (LARGEST_FIELD + 0.1) * numbers.dt * np.array(steps[:-1])
        assert_order(changes, 3, angles)

    def test_a_common_offset_does_matter_once_the_second_pulse_is_not_a_half_turn(self):
        numbers = sample(couplings=(0.16, 0.16, 0.05))
        shifted = replace(numbers, frequencies=numbers.frequencies + 0.1)
        change = np.hypot(*package_curve(shifted, step=0.5)[:, :2].T) - np.hypot(
            *package_curve(numbers, step=0.5)[:, :2].T
        )
        assert np.abs(change).max() > 0.01


class TestSymmetries:
    """What must not matter, exactly, whatever the step."""

    # Rounding only, of some hundred operations of size 1/2 per sample.
    TOLERANCE = 1e-12

    @pytest.mark.parametrize(("kernel", "parameter"), KERNELS)
    @pytest.mark.parametrize(
        "moved",
        [
            lambda field: np.roll(field, (2, 5), axis=(0, 1)),
            lambda field: field[::-1, :],
            lambda field: field[:, ::-1],
            lambda field: field.T,
        ],
        ids=["translation", "mirror in x", "mirror in y", "exchange of x and y"],
    )
    def test_moving_the_field_over_the_periodic_lattice(self, kernel, parameter, moved):
        numbers = sample(kernel, parameter)
        other = replace(numbers, frequencies=moved(numbers.frequencies))
        np.testing.assert_allclose(
            package_curve(other), package_curve(numbers), atol=self.TOLERANCE
        )

    def test_shuffling_the_field_does_matter(self):
        numbers = sample("gaussian", 1.0)
        shuffled = np.random.default_rng(0).permutation(numbers.frequencies.ravel()).reshape(6, 6)
        other = replace(numbers, frequencies=shuffled)
        assert np.abs(package_curve(other) - package_curve(numbers)).max() > 1e-3

    def test_turning_all_pulses_turns_the_signal_where_x_and_y_are_alike(self):
        phase = 0.7
        numbers = sample(couplings=(0.16, 0.16, 0.05))
        turned = tuple((when, angle, axis + phase) for when, angle, axis in numbers.pulses)
        curve, other = package_curve(numbers), package_curve(replace(numbers, pulses=turned))
        np.testing.assert_allclose(
            other[:, 0] + 1j * other[:, 1],
            (curve[:, 0] + 1j * curve[:, 1]) * np.exp(1j * phase),
            atol=self.TOLERANCE,
        )
        np.testing.assert_allclose(other[:, 2], curve[:, 2], atol=self.TOLERANCE)

    def test_turning_the_plane_by_a_right_angle_exchanges_the_couplings_of_x_and_y(self):
        numbers = sample()
        turned = tuple((when, angle, axis + math.pi / 2) for when, angle, axis in numbers.pulses)
        exchanged = replace(numbers, pulses=turned, couplings=(0.1, 0.16, 0.05))
        curve, other = package_curve(numbers), package_curve(exchanged)
        expected = np.stack([-curve[:, 1], curve[:, 0], curve[:, 2]], axis=1)
        np.testing.assert_allclose(other, expected, atol=self.TOLERANCE)

    def test_reversing_all_frequencies_mirrors_the_echo_about_y(self):
        # A half turn about y reverses b_x and b_z and leaves a 90°x-180°y echo as it is.
        pulses = ((0, math.pi / 2, 0.0), (24, math.pi, math.pi / 2))
        numbers = sample(pulses=pulses)
        reversed_ = replace(numbers, frequencies=-numbers.frequencies)
        np.testing.assert_allclose(
            package_curve(reversed_), package_curve(numbers) * [-1, 1, -1], atol=self.TOLERANCE
        )


class TestPrecision:
    """float32 against float64, the same ν."""

    @pytest.mark.parametrize(
        ("kernel", "parameter", "step"),
        [(*law, step) for law, step in zip(KERNELS, [4, 1, 0.5], strict=True)],
    )
    def test_a_short_record_agrees_to_1e_5(self, kernel, parameter, step):
        frequencies = sample().frequencies.astype(np.float32)
        numbers = sample(kernel, parameter, frequencies=frequencies)
        single = package_curve(numbers, step=step, dtype="float32")
        double = package_curve(numbers, step=step, dtype="float64")
        assert (single.dtype, double.dtype) == (np.float32, np.float64)
        np.testing.assert_allclose(single, double, atol=1e-5)
        # Two precisions that were secretly one would agree to the last bit.
        assert np.abs(single - double).max() > 1e-9
