"""The time step of each curve, and what bounds the rotation in it."""

import math
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latent_nmr.errors import InputError, StepWarning
from latent_nmr.physics import propagate
from latent_nmr.physics.kernels import coupling_spectrum, distance_grid, kernel_table
from latent_nmr.physics.lattices import SCHEMES
from latent_nmr.physics.line import Line, draw_frequencies
from latent_nmr.physics.presets import PRESETS, get_preset
from latent_nmr.physics.schedule import field_evaluations
from latent_nmr.physics.sequence import spin_echo
from latent_nmr.physics.simulate import Simulation, planned_evaluations
from latent_nmr.physics.steps import (
    AUTOMATIC_STEPS,
    MAX_COUPLED_ANGLE,
    automatic_step,
    field_bounds,
    make_plan,
    roughness,
    split_step,
)
from tests.covering import pairwise

N_EDGE = 8
ECHO = spin_echo(dt=0.16, pulse_spacing=21, n_samples=64, flip_angle=1.3)
PAPER = get_preset("paper")


def line(width=0.05):
    """ν of a lattice, MHz."""
    return width * np.random.default_rng(0).uniform(-1, 1, (N_EDGE, N_EDGE))


def chosen(
    kernel="power",
    parameter=2.0,
    *,
    coupling=0.05,
    width=0.05,
    decay_rate=0.0,
    dt=0.16,
    flip_angle=math.pi / 2,
):
    """The automatic step in sample intervals."""
    table = kernel_table(kernel, parameter, N_EDGE)
    sequence = spin_echo(dt=dt, pulse_spacing=21, n_samples=64, flip_angle=flip_angle)
    return automatic_step(line(width), table, np.full(3, coupling), decay_rate, sequence)


class TestSplitStep:
    """A step in sample intervals, as whole numbers."""

    @pytest.mark.parametrize(
        ("step", "split"),
        [
            (4, (4, 1)),
            (2.0, (2, 1)),
            (1, (1, 1)),
            (0.5, (1, 2)),
            (1 / 3, (1, 3)),
            (np.int64(3), (3, 1)),
            (np.float32(0.25), (1, 4)),
        ],
    )
    def test_long_steps_span_samples_and_short_ones_divide_them(self, step, split):
        assert split_step(step) == split

    @pytest.mark.parametrize(
        "step", [0, -1, 1.5, 0.7, 2 / 3, float("nan"), float("inf"), "2", None, True]
    )
    def test_a_step_that_does_not_meet_the_samples_is_refused(self, step):
        message = f"step must be a whole number of sample intervals.* but is {step!r}. Use 4, 2"
        with pytest.raises(InputError, match=message):
            split_step(step)

    def test_every_automatic_step_is_one_and_the_longest_comes_first(self):
        assert all(min(split_step(step)) == 1 for step in AUTOMATIC_STEPS)
        assert list(AUTOMATIC_STEPS) == sorted(AUTOMATIC_STEPS, reverse=True)


class TestAutomaticStep:
    """The longest step that should do."""

    @settings(max_examples=60)
    @given(
        coupling=st.floats(1e-4, 2.0),
        width=st.floats(1e-4, 2.0),
        decay_rate=st.floats(0.0, 0.1),
        exponent=st.floats(0.5, 5.0),
        factor=st.floats(1.0, 30.0),
        changed=st.sampled_from(["coupling", "width", "decay_rate", "parameter"]),
    )
    def test_nothing_that_makes_a_curve_harder_lengthens_it(
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
        assert self.chosen_or_none(**harder) <= self.chosen_or_none(**numbers)

    def chosen_or_none(self, **numbers):
        """The automatic step, 0 where there is none."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", StepWarning)
            try:
                return chosen(**numbers)
            except InputError:
                return 0.0

    # Each goes beyond one limit and stays within the three others.
    @pytest.mark.parametrize(
        "hard",
        [
            {"coupling": 0.15},
            {"width": 0.2},
            {"decay_rate": 0.003},
            {"parameter": 0.5, "coupling": 0.08},
            {"dt": 0.8},
        ],
        ids=["strong coupling", "wide line", "decay", "neighbours alone", "rare samples"],
    )
    def test_each_of_the_four_limits_shortens_it_and_so_do_rare_samples(self, hard):
        easy = {"kernel": "gaussian", "parameter": 20.0, "coupling": 0.05}
        assert chosen(**easy) == AUTOMATIC_STEPS[0]
        assert chosen(**easy | hard) < AUTOMATIC_STEPS[0]

    def test_where_nothing_moves_it_is_the_longest(self):
        assert chosen(coupling=0.0, width=0.0) == AUTOMATIC_STEPS[0]


class TestMeasures:
    """What the choice of the step is made from."""

    @pytest.mark.parametrize("scale", [1.0, -3.0])
    def test_roughness_is_one_over_the_root_of_the_number_of_equal_neighbours(self, scale):
        distance = distance_grid(N_EDGE)
        nearest = scale * np.where(distance == 1, 1.0, 0.0)
        everyone = scale * np.where(distance > 0, 1.0, 0.0)
        assert roughness(nearest) == pytest.approx(1 / math.sqrt(4), rel=1e-14)
        assert roughness(everyone) == pytest.approx(1 / math.sqrt(N_EDGE**2 - 1), rel=1e-14)

    @pytest.mark.parametrize(("kernel", "parameter"), [("power", 2.0), ("rkky", 2.0)])
    def test_the_largest_coupled_field_is_reached_by_spins_along_the_sign_of_the_kernel(
        self, kernel, parameter
    ):
        table = kernel_table(kernel, parameter, N_EDGE)
        largest = np.abs((0.5 * np.sign(table) * table).sum() / table.sum()) * 0.2
        in_line, coupled = field_bounds(line(), table, np.array([0.1, -0.2, 0.05]))
        assert in_line == np.abs(line()).max()
        assert coupled == pytest.approx(largest, rel=1e-14)
        # More than that of aligned spins where the kernel changes sign.
        assert (coupled > 0.1001) == (kernel == "rkky")


class TestPlan:
    """A record cut into steps."""

    @staticmethod
    def plan(step=None, scheme="averaged", **changes):
        numbers = {"table": kernel_table("power", 2.0, N_EDGE), "couplings": np.full(3, 0.05)}
        rows = {"frequencies": line(), "decay_rate": 0.0, "sequence": ECHO} | numbers | changes
        return make_plan(**rows, step=step, scheme=scheme)

    @pytest.mark.parametrize(("step", "n", "stride"), [(4, 4, 1), (1, 1, 1), (0.25, 1, 4)])
    def test_intervals_are_those_of_the_step_asked_for(self, step, n, stride):
        plan = self.plan(step)
        assert (plan.n, plan.stride) == (n, stride)
        assert plan.interval == ECHO.dt / stride
        assert plan.segments == (21 * stride, 42 * stride)

    @pytest.mark.parametrize("scheme", ["averaged", "midpoint"])
    def test_without_a_step_it_is_the_automatic_one(self, scheme):
        expected = chosen(coupling=0.05, flip_angle=1.3)
        assert self.plan(scheme=scheme).n == expected > 1

    def test_the_source_takes_one_step_per_sample_unless_told(self):
        assert (self.plan(scheme="source").n, self.plan(4, scheme="source").n) == (1, 4)

    def test_lattices_of_one_kind_share_a_program_whatever_their_steps(self):
        plans = [self.plan(couplings=np.full(3, a)) for a in np.geomspace(0.01, 0.2, 20)]
        assert len({plan.n / plan.stride for plan in plans}) > 2
        assert len({plan.program for plan in plans}) == 1

    @pytest.mark.parametrize(
        ("coupling", "width", "law", "scheme", "step"),
        pairwise(
            [0.0, 0.1, 2.0], [0.0, 0.3], [("gaussian", 0.6), ("rkky", 3.0)], SCHEMES, [4, 0.5]
        ),
    )
    def test_no_spin_turns_faster_than_its_bound_says(
        self, monkeypatch, scheme, law, width, coupling, step
    ):
        # A curve whose series were cut too early would be wrong without a warning.
        met = []

        def spied(function):
            def spy(spins, field, unity, n, *others):
                met.append(float(n * jnp.sqrt((field * field).sum(axis=0)).max()))
                return function(spins, field, unity, n, *others)

            return spy

        for name in ("turned", "signal_on_the_way", "mean_on_the_way"):
            monkeypatch.setattr(propagate, name, spied(getattr(propagate, name)))
        table, couplings = kernel_table(*law, N_EDGE), coupling * np.ones(3)
        sequence = spin_echo(dt=0.16, pulse_spacing=8, n_samples=17, flip_angle=1.3)
        frequencies = line(width)
        plan = make_plan(frequencies, table, couplings, 0.0, sequence, step=step, scheme=scheme)
        pulses = np.stack([pulse.matrix() for pulse in sequence.pulses])
        rows = (frequencies, coupling_spectrum(table), couplings, 0.0, pulses, 1.0)
        lattice = propagate.Lattice(*(jnp.asarray(r, "float32") for r in rows))
        with jax.disable_jit():
            timing = propagate.Timing(*(jnp.asarray(numbers) for numbers in plan.timing))
            propagate.record(lattice, timing, plan.program)
        fastest = max(met)
        assert fastest <= plan.n * plan.max_angle * (1 + 1e-6)
        # Nor is the bound so wide that most doublings are in vain.
        if coupling or width:
            assert plan.n * plan.max_angle < 40 * fastest

    @pytest.mark.parametrize("coupling", [(0.1, 0.1, 0.1), (0.1, 0.1, 0.01), (0.045, 0.045, 0.01)])
    @pytest.mark.parametrize("draw", ["independent", "stratified"])
    @pytest.mark.parametrize(
        ("kernel", "parameter"),
        [("gaussian", 8), ("gaussian", 32), ("power", 1), ("power", 3), ("rkky", 13), ("rkky", 52)],
    )
    def test_no_curve_of_the_paper_takes_more_than_a_thousand_fields(
        self, kernel, parameter, draw, coupling
    ):
        plan = make_plan(
            np.asarray(draw_frequencies(jax.random.key(0), 100, Line(draw=draw)), np.float64),
            kernel_table(kernel, parameter, 100),
            np.array(coupling),
            0.0,
            PAPER.sequence,
            step=None,
            scheme="averaged",
        )
        evaluations = field_evaluations(plan)
        assert math.ceil(1881 / AUTOMATIC_STEPS[0]) < evaluations <= 1000


def test_a_second_component_off_the_centre_shortens_the_step_and_a_tail_does_not():
    sequence = get_preset("paper").sequence
    table, couplings = kernel_table("gaussian", 8.0, 100), np.full(3, 0.1)
    line = np.asarray(draw_frequencies(jax.random.key(0), 100, Line(0.05, 0.5)), np.float64)
    assert automatic_step(line, table, couplings, 0.0, sequence) == 8.0
    satellites = np.where(np.arange(100) % 5 == 0, 0.5, 0.0) * np.ones((100, 1))
    assert automatic_step(satellites, table, couplings, 0.0, sequence) == 1.0


@pytest.mark.parametrize("step", [129, 1e9, 1 / 1025])
def test_a_step_whose_rounding_would_grow_too_large_is_refused(step):
    with pytest.raises(InputError, match="between 1/1024 and 128 sample intervals"):
        split_step(step)


class TestTiltedSpins:
    """First pulses of another angle than 90° leave a magnetisation along z."""

    @staticmethod
    def step_at(degrees):
        sequence = spin_echo(0.16, 21, 64, math.radians(degrees))
        # A long-ranged kernel, so that no other limit holds.
        table = np.ones((N_EDGE, N_EDGE))
        table[0, 0] = 0
        return automatic_step(line(0.001), table, np.full(3, 0.1), 0.0, sequence)

    def test_they_take_a_quarter_of_the_step(self):
        assert self.step_at(90) == 8.0
        assert self.step_at(60) == self.step_at(120) == self.step_at(30) == 2.0

    def test_an_odd_number_of_quarter_turns_leaves_none(self):
        assert self.step_at(90.001) == self.step_at(90)


class TestFinestStep:
    """Curves for which no step is short enough."""

    FINEST = AUTOMATIC_STEPS[-1]
    # What each limit is of, as settings of `chosen` and the one that is to be raised. The line's
    # limit is that of its satellites, the dephasing's is of R.
    CAUSES = (
        ({"kernel": "gaussian", "parameter": 30.0, "width": 1e-6}, "coupling"),  # aligned field
        ({"kernel": "gaussian", "parameter": 30.0, "flip_angle": 1.0}, "coupling"),
        ({"kernel": "power", "parameter": 8.0, "width": 1e-6}, "coupling"),  # roughness
        ({"coupling": 1e-6}, "width"),
        ({"coupling": 1e-6}, "decay_rate"),
    )

    def limit_of(self, cause, settings):
        """Value of `cause` at which the finest step is just what is allowed, by bisection."""
        low, high = 1e-3, 1e6
        for _ in range(80):
            middle = math.sqrt(low * high)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                try:
                    chosen(**settings | {cause: middle})
                    low = middle
                except (InputError, StepWarning):
                    high = middle
        return low

    @pytest.mark.parametrize(("settings", "cause"), CAUSES)
    def test_just_beyond_the_limit_it_is_taken_and_said(self, settings, cause):
        limit = self.limit_of(cause, settings)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert chosen(**settings | {cause: 0.999 * limit}) == self.FINEST
        with pytest.warns(StepWarning, match=r"1/128 of a sample, 0\.0013 µs.*a smaller dt"):
            assert chosen(**settings | {cause: 1.01 * limit}) == self.FINEST

    @pytest.mark.parametrize(("settings", "cause"), CAUSES)
    def test_far_beyond_it_is_refused_with_the_cure(self, settings, cause):
        limit = self.limit_of(cause, settings)
        with pytest.raises(InputError, match=r"need one of \S+ µs at most.*or fix the step: step="):
            chosen(**settings | {cause: 3 * limit})

    @pytest.mark.parametrize(("settings", "cause"), CAUSES)
    def test_sampling_more_finely_is_a_cure(self, settings, cause):
        limit = self.limit_of(cause, settings)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            # The record is shorter by as much, which only helps.
            assert chosen(**settings | {cause: 3 * limit}, dt=0.16 / 8) * 0.16 / 8 < 0.16 / 128

    def test_a_fixed_step_is_the_callers_own(self):
        table = kernel_table("power", 2.0, N_EDGE)
        fast = np.full(3, 1e3)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            plan = make_plan(line(), table, fast, 0.0, ECHO, step=1 / 128, scheme="averaged")
        assert plan.stride == 128

    @pytest.mark.parametrize("name", sorted(PRESETS))
    def test_no_published_set_needs_it(self, name):
        simulation = Simulation(name, n_edge=20, seed=5)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert all(planned_evaluations(simulation, range(20)))


class TestSourceStep:
    """The scheme of the lattice code has one step per sample, which may be too long as well."""

    RECORD = spin_echo(dt=0.16, pulse_spacing=21, n_samples=64)

    def plan(self, coupling, **settings):
        table = kernel_table("gaussian", 30.0, N_EDGE)
        settings = {"step": None, "scheme": "source"} | settings
        return make_plan(line(1e-6), table, np.full(3, coupling), 0.0, self.RECORD, **settings)

    def test_it_is_one_sample_however_slow_the_curve(self):
        for coupling in (0.0, 0.01, 0.3):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                plan = self.plan(coupling)
            assert (plan.n, plan.stride) == (1, 1)

    def test_where_the_default_scheme_needs_a_shorter_one_it_is_said_then_refused(self):
        # α of an aligned field α/2 that turns a spin by MAX_COUPLED_ANGLE in a sample.
        limit = MAX_COUPLED_ANGLE / (math.pi * self.RECORD.dt)
        with pytest.warns(StepWarning, match=r"the finest is one sample, .* which is taken"):
            assert self.plan(1.01 * limit).stride == 1
        assert self.plan(1.01 * limit, scheme="averaged").stride == 2
        for coupling in (2.1 * limit, 300.0):
            with pytest.raises(InputError, match=r"fix the step: step=1\.0"):
                self.plan(coupling)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                assert self.plan(coupling, step=1).stride == 1

    @pytest.mark.parametrize("name", sorted(PRESETS))
    def test_no_published_set_is_warned_of(self, name):
        simulation = Simulation(name, n_edge=20, seed=5, scheme="source")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert all(planned_evaluations(simulation, range(20)))
