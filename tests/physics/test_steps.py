"""How the record of a curve is cut into steps, and what bounds the rotation in them."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latent_nmr.errors import InputError
from latent_nmr.physics import propagate
from latent_nmr.physics.guess import roughness
from latent_nmr.physics.kernels import coupling_spectrum, distance_grid, kernel_table
from latent_nmr.physics.lattices import SCHEMES
from latent_nmr.physics.rotation import BEYOND, SERIES_MAX_ANGLE, n_doublings
from latent_nmr.physics.schedule import field_evaluations, timing_of
from latent_nmr.physics.sequence import spin_echo
from latent_nmr.physics.steps import Cut, field_bounds, fixed_cut, make_plan
from tests.covering import half_of, pairwise

N_EDGE = 8
ECHO = spin_echo(dt=0.16, pulse_spacing=21, n_samples=64, flip_angle=1.3)


def line(width=0.05):
    """ν of a lattice, MHz."""
    return width * np.random.default_rng(0).uniform(-1, 1, (N_EDGE, N_EDGE))


class TestFixedCut:
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
        assert fixed_cut(step) == Cut(*split)

    @pytest.mark.parametrize(
        "step", [0, -1, 1.5, 0.7, 2 / 3, float("nan"), float("inf"), "2", None, True]
    )
    def test_a_step_that_does_not_meet_the_samples_is_refused(self, step):
        message = f"step must be a whole number of sample intervals.* but is {step!r}. Use 4, 2"
        with pytest.raises(InputError, match=message):
            fixed_cut(step)

    @pytest.mark.parametrize(
        ("step", "cure"),
        [(129, "8 or less"), (1e9, "8 or less"), (1 / 1025, "1/1024 or more"), (1e-300, "1/1024")],
    )
    def test_a_step_whose_rounding_would_grow_too_large_is_refused(self, step, cure):
        rule = rf"between 1/1024 and 128 sample intervals.*\. Use {cure}"
        with pytest.raises(InputError, match=rule):
            fixed_cut(step)


CUTS = st.builds(Cut, st.integers(1, 128), st.integers(1, 64), st.integers(1, 3))


class TestCut:
    """Steps made longer and shorter."""

    @given(cut=CUTS, factor=st.integers(1, 7))
    def test_both_are_exact_and_undo_each_other(self, cut, factor):
        assert cut.times(factor).step == pytest.approx(factor * cut.step, rel=1e-15)
        assert cut.over(factor).step == pytest.approx(cut.step / factor, rel=1e-15)
        assert cut.over(factor).times(factor).step == cut.step
        assert cut.times(factor).pause == cut.over(factor).pause == cut.pause

    @given(cut=CUTS, pauses=st.lists(st.tuples(st.integers(0, 70), st.integers(0, 70)), max_size=3))
    def test_steps_fill_every_segment_exactly(self, cut, pauses):
        plan = planned(cut, pauses=sorted(pauses))
        for runs, count in zip(plan.runs, ECHO.segments, strict=True):
            assert sum(number * length for number, length in runs) == count * cut.stride
            # No step is longer than asked for, and one at most is shorter, at each end of a pause.
            assert all(length <= cut.n * cut.pause for _, length in runs)
            assert sum(number for number, n in runs if n < cut.n) <= 1

    def test_longer_steps_lie_inside_the_pauses_and_nowhere_else(self):
        (before, after) = planned(Cut(2, 1, 3), pauses=[(5, 18), (30, 31), (40, 64)]).runs
        # Samples 6 to 18 of the first segment, 41 to 59 of the second, which starts at 21.
        assert before == ((3, 2), (2, 6), (1, 2), (1, 1))
        assert after == ((10, 2), (3, 6), (2, 2))


def planned(cut, scheme="averaged", **changes):
    """Plan of a small lattice."""
    pauses = changes.pop("pauses", ())
    numbers = {"table": kernel_table("power", 2.0, N_EDGE), "couplings": np.full(3, 0.05)}
    rows = {"frequencies": line(), "sequence": ECHO} | numbers | changes
    return make_plan(**rows, cut=cut, scheme=scheme, pauses=pauses)


class TestMeasures:
    """What the guess of the steps is made from."""

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

    @pytest.mark.parametrize(("step", "n", "stride"), [(4, 4, 1), (1, 1, 1), (0.25, 1, 4)])
    def test_intervals_are_those_of_the_step_asked_for(self, step, n, stride):
        plan = planned(fixed_cut(step))
        assert (plan.runs[0][0][1], plan.stride) == (n, stride)
        assert plan.interval == ECHO.dt / stride
        assert plan.program.n_samples == ECHO.n_samples

    def test_lattices_of_one_kind_share_a_program_whatever_their_steps(self):
        cuts = [Cut(8, 1), Cut(3, 1), Cut(1, 2), Cut(5, 4)]
        plans = [planned(c, couplings=np.full(3, a)) for c in cuts for a in (0.01, 0.2)]
        assert len({plan.program for plan in plans}) == 1

    def test_a_finite_angle_is_asked_for(self):
        with pytest.raises(InputError, match=r"a finite angle per interval.*Check the units"):
            planned(Cut(1, 1), couplings=np.full(3, 1e308))

    def test_evaluations_are_one_for_every_step_and_two_for_a_start(self):
        assert field_evaluations(planned(Cut(4, 1))) == (6 + 2) + (11 + 2)

    @pytest.mark.parametrize(
        ("coupling", "width", "law", "scheme", "step"),
        half_of(
            pairwise(
                [0.0, 0.1, 2.0], [0.0, 0.3], [("gaussian", 0.6), ("rkky", 3.0)], SCHEMES, [4, 0.5]
            )
        ),
    )
    def test_no_spin_turns_faster_than_its_bound_says(
        self, monkeypatch, scheme, law, width, coupling, step
    ):
        # A curve whose series were cut too early would be wrong without a warning.
        met, inside = [], []

        def spied(function):
            def spy(spins, field, *others):
                largest = float(jnp.linalg.norm(jnp.stack(field), axis=0).max())
                n = next(value for value in others if value is not lattice.unity)
                met.append(float(n) * largest)
                inside.append(largest)
                return function(spins, field, *others)

            return spy

        for name in ("turned", "through_middle", "mean_on_the_way"):
            monkeypatch.setattr(propagate, name, spied(getattr(propagate, name)))
        table, couplings = kernel_table(*law, N_EDGE), coupling * np.ones(3)
        sequence = spin_echo(dt=0.16, pulse_spacing=8, n_samples=17, flip_angle=1.3)
        frequencies = line(width)
        plan = make_plan(frequencies, table, couplings, sequence, fixed_cut(step), scheme)
        pulses = np.stack([pulse.matrix() for pulse in sequence.pulses])
        rows = (frequencies, coupling_spectrum(table), couplings, 0.0, pulses, 1.0)
        lattice = propagate.Lattice(*(jnp.asarray(r, "float32") for r in rows))
        with jax.disable_jit():
            timing = jax.tree.map(jnp.asarray, timing_of(plan, "float32"))
            propagate.record(lattice, timing, plan.program)
        # What the doublings reach, or what they would be for forty times the angle.
        assert max(met) <= SERIES_MAX_ANGLE * 2**plan.doublings or plan.doublings == BEYOND
        assert plan.doublings <= n_doublings(40 * max(met))
        assert (
            max(inside) <= SERIES_MAX_ANGLE * 2**plan.doublings_inside or plan.doublings == BEYOND
        )
