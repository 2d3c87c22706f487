"""One curve as a differentiable function of what made it."""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latent_nmr.errors import InputError
from latent_nmr.physics.differentiable import CurveInputs, curve_function, curve_inputs
from latent_nmr.physics.kernels import KERNELS as LAWS
from latent_nmr.physics.kernels import coupling_spectrum, kernel_table, tabulate
from latent_nmr.physics.lattices import simulate_lattices
from latent_nmr.physics.propagate import Lattice
from latent_nmr.physics.reversible import reversible_record
from latent_nmr.physics.schedule import Plan
from latent_nmr.physics.sequence import Pulse, Sequence, spin_echo
from tests.covering import half_of

N_EDGE = 6
FREQUENCIES = np.random.default_rng(3).uniform(-0.25, 0.25, (N_EDGE, N_EDGE))
ECHO = spin_echo(dt=0.16, pulse_spacing=11, n_samples=30, flip_angle=1.3, phases=(0.2, 1.5))
COUPLINGS, DECAY_RATE = (0.16, 0.1, 0.05), 0.01
KERNELS = [("gaussian", 1.3), ("power", 2.0), ("rkky", 3.0)]
RELAXING = {"relaxation_rate": 0.03, "equilibrium_mz": 0.4}


def yukawa(distance, length, xp):
    """A law of the user's own."""
    return xp.exp(-distance / length) / distance


def inputs(parameter, **relaxation):
    return curve_inputs(COUPLINGS, parameter, ECHO, decay_rate=DECAY_RATE, **relaxation)


def expected_curve(table, **options):
    """The curve of `simulate_lattices`, shape (n_samples, 3)."""
    return simulate_lattices(
        FREQUENCIES[None],
        table[None],
        [COUPLINGS],
        ECHO,
        decay_rate=DECAY_RATE,
        dtype="float64",
        **options,
    )[0]


class TestCurve:
    """The function itself."""

    # Some hundred operations of size 1/2 per sample; the plans differ in their bound of the angle.
    TOLERANCE = 1e-12

    @pytest.mark.parametrize("options", [{"step": 2}, {"step": 0.5, "scheme": "midpoint"}])
    @pytest.mark.parametrize(("kernel", "parameter"), half_of(KERNELS))
    def test_it_is_that_of_simulate_lattices(self, kernel, parameter, options):
        relaxation = RELAXING if kernel == "rkky" else {}
        with jax.enable_x64(True):
            near = inputs(parameter, **relaxation)
            curve = jax.jit(curve_function(FREQUENCIES, kernel, ECHO, near, **options))(near)
        expected = expected_curve(kernel_table(kernel, parameter, N_EDGE), **options, **relaxation)
        np.testing.assert_allclose(curve, expected, atol=self.TOLERANCE)

    def test_a_law_of_the_users_own_gives_the_curve_of_its_table(self):
        with jax.enable_x64(True):
            near = inputs(1.7)
            curve = jax.jit(curve_function(FREQUENCIES, yukawa, ECHO, near, step=2))(near)
        table = tabulate(partial(yukawa, length=1.7, xp=np), N_EDGE)
        np.testing.assert_allclose(curve, expected_curve(table, step=2), atol=self.TOLERANCE)

    def test_pulses_are_those_of_the_inputs_and_not_of_the_sequence(self):
        other = Sequence(0.16, 30, (Pulse(0, 0.7, 1.0), Pulse(11, 2.0, -0.5)))
        with jax.enable_x64(True):
            near = curve_inputs(COUPLINGS, 2.0, other, decay_rate=DECAY_RATE)
            one = curve_function(FREQUENCIES, "power", ECHO, near, step=2)(near)
            same = curve_function(FREQUENCIES, "power", other, near, step=2)(near)
        np.testing.assert_array_equal(one, same)
        other_curve = expected_curve(kernel_table("power", 2.0, N_EDGE), step=2)
        assert np.abs(np.asarray(one) - other_curve).max() > 0.1

    def test_other_offsets_may_be_given_to_the_same_function(self):
        others = np.roll(FREQUENCIES[::-1], 1, axis=0) * 0.9
        with jax.enable_x64(True):
            near = inputs(2.0)
            one = curve_function(FREQUENCIES, "power", ECHO, near, step=2)(near, others)
            same = curve_function(others, "power", ECHO, near, step=2)(near)
        np.testing.assert_allclose(one, same, atol=self.TOLERANCE)

    def test_without_a_step_it_is_within_the_promised_thousandth(self):
        with jax.enable_x64(True):
            near = inputs(2.0)
            curve = jax.jit(curve_function(FREQUENCIES, "power", ECHO, near))(near)
        fine = expected_curve(kernel_table("power", 2.0, N_EDGE), step=0.125)
        np.testing.assert_allclose(curve, fine, atol=1e-3)

    def test_it_is_made_in_the_precision_of_the_caller(self, dtype):
        near = inputs(2.0)
        curve = jax.eval_shape(curve_function(FREQUENCIES, "power", ECHO, near, step=2), near)
        assert (curve.shape, curve.dtype) == ((30, 3), dtype)


class TestGradients:
    """Derivatives of samples against central differences."""

    # A random weight for every number of the curve: one gradient sees them all.
    WEIGHTS = np.random.default_rng(1).standard_normal((ECHO.n_samples, 3))

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("kernel", "parameter"),
        [
            # Each compiles for half a minute; one law and one of the user's own are enough daily.
            *(
                pytest.param(*row, id=law, marks=[] if law == "power" else pytest.mark.slow)
                for law, row in zip(LAWS, KERNELS, strict=True)
            ),
            pytest.param(yukawa, 1.7, id="the user's own"),
        ],
    )
    def test_they_are_the_central_differences_for_every_input(self, kernel, parameter):
        h = 1e-4
        with jax.enable_x64(True):
            near = inputs(parameter, **RELAXING)
            curve = curve_function(FREQUENCIES, kernel, ECHO, near, step=2)
            value = jax.jit(lambda x: (self.WEIGHTS * curve(x)).sum())
            gradient = jax.jit(jax.grad(value))(near)

            def difference(name, where, h):
                leaf = getattr(near, name)
                ends = [near._replace(**{name: leaf.at[where].add(shift)}) for shift in (h, -h)]
                return float((value(ends[0]) - value(ends[1])) / (2 * h))

            for name, leaf in near._asdict().items():
                for where in np.ndindex(leaf.shape):
                    once, twice = difference(name, where, h), difference(name, where, 2 * h)
                    # What a difference misses grows as h²: D(2h) - D(h) is three times what D(h)
                    # lacks. Rounding: 90 weighted numbers good to 1e-15 each, over 2h.
                    allowed = abs(twice - once) / 2 + 90 * 1e-15 / h
                    found = float(getattr(gradient, name)[where])
                    assert abs(found - once) < allowed, f"{name}{where}: {found}, {once}"
                    assert abs(found) > 100 * allowed, f"{name}{where} is hardly tested"

    @pytest.mark.slow
    def test_forward_and_backward_derivatives_agree(self):
        with jax.enable_x64(True):
            near = inputs(2.0)
            curve = curve_function(FREQUENCIES, "power", ECHO, near, step=2)

            def strength(alpha):
                return curve(near._replace(couplings=alpha))[-1]

            backward = jax.jit(jax.jacrev(strength))(near.couplings)
            forward = jax.jit(jax.jacfwd(strength))(near.couplings)
        # Derivatives of size 2π · 5 µs · 1/2, rounded some thousand times.
        np.testing.assert_allclose(backward, forward, atol=1e-11)

    @pytest.mark.slow
    def test_spins_on_resonance_without_couplings_have_finite_gradients(self):
        with jax.enable_x64(True):
            near = curve_inputs((0.0, 0.0, 0.0), 2.0, ECHO)
            curve = curve_function(np.zeros((N_EDGE, N_EDGE)), "power", ECHO, near, step=2)
            gradient = jax.jit(jax.grad(lambda x: curve(x).sum()))(near)
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))
        # Equal spins feel nothing of the kernel's shape.
        assert abs(float(gradient.kernel_parameter)) < 1e-12


class TestRelaxation:
    """Derivatives with respect to the relaxation, and what is said of it."""

    @pytest.mark.slow
    def test_a_rate_of_zero_has_a_derivative_and_no_rate_has_none(self):
        with jax.enable_x64(True):
            near = inputs(2.0, relaxation_rate=0.0, equilibrium_mz=0.4)
            curve = curve_function(FREQUENCIES, "power", ECHO, near, step=2)
            last = jax.jit(lambda x: curve(x)[-1])
            slope = jax.jit(jax.jacfwd(last))(near)
            h = 1e-5
            shifted = [near._replace(relaxation_rate=jnp.asarray(k * h)) for k in (-1, 1)]
            difference = (last(shifted[1]) - last(shifted[0])) / (2 * h)
            plain = jax.eval_shape(jax.grad(lambda x: curve(x)[-1, 0]), inputs(2.0))
        # What the difference misses is h² times a third derivative, (2π · 5 µs)³; rounding 1e-15/h.
        np.testing.assert_allclose(slope.relaxation_rate, difference, atol=1e-5)
        assert np.abs(difference).min() > 0.1
        assert plain.relaxation_rate is plain.equilibrium_mz is None

    def test_an_equilibrium_without_a_rate_is_refused(self):
        with pytest.raises(InputError, match=r"equilibrium_mz must be 0 without.*is 0\.4\. Give"):
            inputs(2.0, equilibrium_mz=0.4)


class TestMemory:
    """What the backward pass keeps."""

    @staticmethod
    def temporary_bytes(n_steps):
        """Scratch memory of the gradient of one sample, as compiled."""
        plan = Plan(0.1, 1, (((n_steps, 1),),), "averaged", 3, 3)
        spectrum = coupling_spectrum(kernel_table("power", 2.0, 8))
        pulses = Pulse(0, 1.2).matrix()[None]
        rows = (np.zeros((8, 8)), spectrum, np.full(3, 0.1), 0.0, pulses, 1.0)
        lattice = Lattice(*(jnp.asarray(row, "float32") for row in rows))

        def last(alpha):
            return reversible_record(lattice._replace(couplings=alpha), plan)[-1, 0]

        compiled = jax.jit(jax.grad(last)).lower(lattice.couplings).compile()
        memory = compiled.memory_analysis()
        assert memory is not None
        return memory.temp_size_in_bytes

    @pytest.mark.slow
    def test_it_grows_as_the_square_root_of_the_number_of_steps(self):
        few, many = (self.temporary_bytes(n) for n in (101, 1601))
        # √16 = 4 where states are all that counts; half more for the signal, which is linear.
        assert many < 6 * few


SHORT = spin_echo(dt=0.16, pulse_spacing=5, n_samples=14)


def short(alpha=0.2, parameter=2.0, decay=0.01, angle=math.pi / 2, relaxation=0.0):
    """Inputs of a short record after a first pulse of any angle."""
    rates = {"decay_rate": decay, "relaxation_rate": relaxation}
    near = curve_inputs((alpha, alpha, 0.0), parameter, SHORT, **rates)
    return near._replace(pulse_angles=near.pulse_angles.at[0].set(angle))


# Inputs that the step at `short()` is too long for, and what is said.
TOO_FAR = {
    "couplings": (short(alpha=0.5), "coupled field at most 0.2, but it is 0.25"),
    "couplings, far": (short(alpha=200.0), "coupled field at most 0.2, but it is 100"),
    "one coupling": (short()._replace(couplings=jnp.array([0.0, -0.5, 0.0])), "coupled field"),
    "kernel": (short(alpha=0.39, parameter=9.0), "random field at most"),
    "dephasing": (short(decay=0.1), "decay rate at most 0.0796, but it is 0.1"),
    "relaxation": (short(relaxation=0.06), "decay rate at most 0.0796, but it is 0.1"),
    "a tilted pulse": (short(angle=1.0), "first cosine at most 0.26, but it is 0.54"),
    "no number": (short(alpha=math.nan), "but it is nan"),
    "no kernel": (short(parameter=math.nan), "but it is nan"),
}
WITHIN = {
    "itself": short(),
    "twice the coupling": short(alpha=0.4),
    "no coupling": short(alpha=0.0, decay=0.0),
    "twice the dephasing": short(decay=0.02),
    "a flip-angle error": short(angle=1.05 * math.pi / 2),
}


@pytest.fixture(scope="module")
def short_curve():
    """A function that chose its step."""
    return curve_function(FREQUENCIES, "power", SHORT, short())


@pytest.fixture(scope="module")
def transformed(short_curve):
    """Curves of all cases by name, and their derivatives along a change of every input."""
    cases = {name: far for name, (far, _) in TOO_FAR.items()} | WITHIN
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *cases.values())
    along = jax.tree.map(jnp.ones_like, short())
    both = jax.jit(jax.vmap(lambda inputs: jax.jvp(short_curve, (inputs,), (along,))))(stacked)
    return dict(zip(cases, zip(*both, strict=True), strict=True))


class TestReach:
    """How far from `near` a function may be used."""

    @pytest.mark.parametrize("case", TOO_FAR)
    def test_known_inputs_that_are_too_far_are_refused(self, short_curve, case):
        far, said = TOO_FAR[case]
        message = f"inputs must be near .* time step was chosen there: .*{said}.*near=inputs"
        with pytest.raises(InputError, match=message):
            short_curve(far)

    @pytest.mark.parametrize("case", TOO_FAR)
    def test_under_a_transformation_they_are_nan_in_values_and_derivatives(self, transformed, case):
        value, derivative = transformed[case]
        assert np.isnan(value).all()
        assert np.isnan(derivative).all()

    @pytest.mark.parametrize("case", WITHIN)
    def test_inputs_within_reach_give_the_curve_of_a_fine_step(self, transformed, case):
        value, derivative = transformed[case]
        assert np.isfinite(derivative).all()
        inputs = WITHIN[case]
        pulses = tuple(
            Pulse(pulse.sample, float(angle), pulse.phase)
            for pulse, angle in zip(SHORT.pulses, inputs.pulse_angles, strict=True)
        )
        fine = simulate_lattices(
            FREQUENCIES[None], kernel_table("power", 2.0, N_EDGE)[None],
            np.asarray(inputs.couplings)[None], Sequence(SHORT.dt, SHORT.n_samples, pulses),
            decay_rate=float(inputs.decay_rate), step=0.25, dtype="float64",
        )[0]  # fmt: skip
        np.testing.assert_allclose(value, fine, atol=2e-3)

    @pytest.mark.parametrize("case", ["a tilted pulse", "dephasing", "couplings"])
    def test_a_step_of_the_callers_is_kept_but_for_what_cannot_be_computed(self, case):
        curve = curve_function(FREQUENCIES, "power", SHORT, short(), step=1)
        far, said = TOO_FAR[case]
        if case == "couplings":
            with pytest.raises(InputError, match=said):
                curve(far)
        else:
            assert np.isfinite(curve(far)).all()


class TestRefusals:
    """What `curve_function` does not accept, and what it says."""

    @pytest.mark.parametrize("shape", [(6, 5), (6,), (1, 6, 6)])
    def test_a_field_that_is_no_square_lattice(self, shape):
        with pytest.raises(InputError, match=r"frequencies must have shape .*but has shape"):
            curve_function(np.zeros(shape), "power", ECHO, inputs(2.0))

    def test_inputs_of_another_number_of_pulses(self):
        near = curve_inputs(COUPLINGS, 2.0, Sequence(0.1, 5, (Pulse(0, 1.0),)))
        with pytest.raises(
            InputError, match=r"one angle per pulse, but has 1 for 2 pulses\. Make it with"
        ):
            curve_function(FREQUENCIES, "power", ECHO, near)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"kernel": "gauss"}, r"kernel must be one of.*'gauss'.*'gaussian'\?"),
            ({"scheme": "euler"}, r"scheme must be one of.*'euler'\."),
            ({"step": 1.5}, r"step must be a whole number.*1\.5\. Use"),
            ({"tolerance": -1}, r"tolerance must be > 0.*-1\. The default"),
            ({"tolerance": "1e-3"}, r"tolerance must be > 0.*'1e-3'\. The default"),
            ({"tolerance": 1e-9}, r"at least 1e-05 in float32.*1e-09\. Set jax_enable_x64"),
            ({"tolerance": 1e-4, "step": 1}, r"tolerance must be left out with a step"),
        ],
    )
    def test_settings_that_do_not_exist(self, change, message):
        settings = {"kernel": "power"} | change
        with pytest.raises(InputError, match=message):
            curve_function(FREQUENCIES, sequence=ECHO, near=inputs(2.0), **settings)


def test_inputs_hold_the_pulses_of_the_sequence():
    near = curve_inputs(COUPLINGS, 2.0, ECHO, decay_rate=0.02)
    assert isinstance(near, CurveInputs)
    np.testing.assert_allclose(near.pulse_angles, [1.3, 2.6], rtol=1e-6)
    np.testing.assert_allclose(near.pulse_phases, [0.2, 1.5], rtol=1e-6)
    np.testing.assert_allclose(near.couplings, COUPLINGS, rtol=1e-6)
    assert (float(near.kernel_parameter), math.isclose(near.decay_rate, 0.02, rel_tol=1e-6)) == (
        2.0,
        True,
    )


class TestNumbersThatMakeNoCurve:
    """What makes no curve is refused when the function is made, not as a NaN later."""

    SEQUENCE = spin_echo(dt=0.16, pulse_spacing=6, n_samples=20)

    def make(self, kernel="power", frequencies=None, **changes):
        numbers = {"couplings": [0.1, 0.1, 0.05], "kernel_parameter": 2.0, "decay_rate": 0.0}
        near = curve_inputs(sequence=self.SEQUENCE, **(numbers | changes))
        field = np.zeros((6, 6)) if frequencies is None else frequencies
        return curve_function(field, kernel, self.SEQUENCE, near)

    def test_a_kernel_without_a_sum(self):
        with pytest.raises(InputError, match="sum κ away from zero"):
            self.make(lambda r, p, xp: p * xp.zeros_like(r))

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"frequencies": np.full((6, 6), np.nan)}, "frequencies must be finite"),
            ({"couplings": [0.1, np.inf, 0.1]}, "couplings must be finite"),
            ({"couplings": [0.1, 0.1]}, r"couplings must have shape \(1, 3\)"),
            ({"decay_rate": -1.0}, "decay_rate must be >= 0 MHz, but is -1"),
            ({"relaxation_rate": -1.0}, "relaxation_rate must be >= 0 MHz, but is -1"),
            ({"relaxation_rate": 1.0, "equilibrium_mz": 1.0}, "equilibrium_mz must be from -1/2"),
            ({"frequencies": np.zeros((6, 5))}, "one square lattice per curve"),
            ({"couplings": [1e6, 0, 0]}, r"those of near turn it by.*largest is 1e\+06 MHz"),
            ({"couplings": "much"}, "couplings must be numbers, but is 'much'"),
            ({"kernel_parameter": "p"}, "kernel_parameter must be numbers, but is 'p'"),
            ({"relaxation_rate": "slow"}, "relaxation_rate must be numbers, but is 'slow'"),
        ],
    )
    def test_numbers_that_cannot_be_used(self, changes, words):
        with pytest.raises(InputError, match=words):
            self.make(**changes)

    def test_angles_for_another_number_of_pulses(self):
        near = curve_inputs([0.1, 0.1, 0.05], 2.0, self.SEQUENCE)
        with pytest.raises(InputError, match="one angle per pulse, but has 1 for 2 pulses"):
            curve_function(
                np.zeros((6, 6)),
                "power",
                self.SEQUENCE,
                near._replace(pulse_angles=near.pulse_angles[:1]),
            )
