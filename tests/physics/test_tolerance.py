"""Error control: the error of every curve, its estimate, and what becomes of hopeless ones."""

import math
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from latent_nmr.errors import InputError, StepWarning
from latent_nmr.physics.drift import phase_drift, slope_of_line
from latent_nmr.physics.guess import RULE, StepRule
from latent_nmr.physics.kernels import kernel_table
from latent_nmr.physics.lattices import simulate_lattices
from latent_nmr.physics.search import ROUNDING, Curve, Search
from latent_nmr.physics.sequence import Pulse, Sequence, spin_echo
from latent_nmr.physics.simulate import Simulation, planned_evaluations, simulate_curves

N_EDGE = 12
RECORD = spin_echo(dt=0.32, pulse_spacing=80, n_samples=240)
TILTED = RECORD.flipped_by(1.0)
HARD = {
    "nearest neighbours": ("power", 9.0, (0.1, 0.1, 0.1), RECORD, "lorentzian"),
    "long-ranged": ("gaussian", 30.0, (0.1, 0.1, 0.05), RECORD, "lorentzian"),
    "unequal, mixed signs": ("power", 1.5, (0.08, -0.05, 0.03), RECORD, "lorentzian"),
    "tilted": ("rkky", 6.0, (0.05, 0.05, 0.1), TILTED, "lorentzian"),
    "two components": ("gaussian", 2.0, (0.08, 0.08, 0.02), RECORD, "two"),
    "strong": ("gaussian", 6.0, (0.3, 0.3, 0.1), RECORD, "lorentzian"),
}


def lattices(kernel, parameter, couplings, sequence, shape, n_curves=2):
    """Arguments of `simulate_lattices`."""
    rng = np.random.default_rng(4)
    size = (n_curves, N_EDGE, N_EDGE)
    frequencies = 0.025 * np.tan(math.atan(20) * rng.uniform(-1, 1, size))
    if shape == "two":
        frequencies = np.where(rng.uniform(size=size) < 0.3, 0.3, 0.0) + 0.01 * frequencies
    tables = [kernel_table(kernel, parameter, N_EDGE)] * n_curves
    return frequencies, tables, [couplings] * n_curves, sequence


@pytest.fixture(scope="module", params=HARD, ids=str)
def case(request):
    """A hard case, its curves at three tolerances and converged ones."""
    rows = lattices(*HARD[request.param])
    coarse, fine = (
        simulate_lattices(*rows, step=step, dtype="float64") for step in (1 / 8, 1 / 16)
    )
    exact = fine + (fine - coarse) / 7
    found = {
        tolerance: simulate_lattices(*rows, tolerance=tolerance, return_error=True)
        for tolerance in (1e-2, 1e-3, 1e-4)
    }
    assert np.abs(fine - coarse).max() < 2e-5
    return exact, found


class TestTolerance:
    """The error of a curve is what was asked for."""

    def test_errors_are_below_the_tolerance_and_twice_the_estimate(self, case):
        exact, found = case
        for tolerance, (signal, estimates) in found.items():
            errors = np.abs(signal - exact).max(axis=(1, 2))
            assert (estimates <= tolerance).all()
            assert (errors <= tolerance).all()
            assert (errors <= 2 * estimates).all()

    def test_a_finer_tolerance_costs_no_accuracy(self, case):
        exact, found = case
        errors = [np.abs(signal - exact).max() for signal, _ in found.values()]
        assert errors[2] < errors[0]

    def test_a_curve_does_not_depend_on_the_others(self):
        rows = lattices(*HARD["strong"])
        easy = lattices(*HARD["long-ranged"])
        together, errors = simulate_lattices(
            np.concatenate([rows[0], easy[0]]),
            rows[1] + easy[1],
            rows[2] + easy[2],
            RECORD,
            return_error=True,
        )
        alone, own = simulate_lattices(*rows, return_error=True)
        np.testing.assert_array_equal(together[:2], alone)
        np.testing.assert_array_equal(errors[:2], own)

    def test_uncoupled_spins_have_no_error_but_that_of_rounding(self):
        rows = lattices("gaussian", 3.0, (0.0, 0.0, 0.0), RECORD, "lorentzian")
        signal, estimates = simulate_lattices(*rows, return_error=True)
        phases = 2 * math.pi * RECORD.dt * np.arange(80)[:, None] * rows[0].reshape(2, 1, -1)
        np.testing.assert_allclose(signal[:, :80, 0], 0.5 * np.sin(phases).mean(-1), atol=1e-6)
        assert (estimates < 3e-6).all()

    @pytest.mark.parametrize(
        ("coupling", "dtype"),
        [
            (0.0, "float32"),
            pytest.param(0.37, "float32", marks=pytest.mark.slow),
            pytest.param(0.0, "float64", marks=pytest.mark.slow),
        ],
    )
    def test_rounding_that_adds_up_over_a_long_record_is_told(self, coupling, dtype):
        # Equal spins: M turns about z, by the offset or by the field of M_z, and keeps its length.
        angle, offset = math.radians(50), 0.31 if not coupling else 0.0
        sequence = Sequence(13.1, RECORD.n_samples, (Pulse(0, angle), Pulse(80, 0.0)))
        rows = lattices("gaussian", 3.0, (0, 0, coupling), sequence, "lorentzian", n_curves=1)[1:]
        frequencies = np.full((1, N_EDGE, N_EDGE), offset)
        turned = 2 * np.pi * (offset + coupling * 0.5 * math.cos(angle)) * sequence.time
        exact = 0.5 * math.sin(angle) * np.stack([np.sin(turned), np.cos(turned)], axis=1)
        settings = {"tolerance": 1e-5, "dtype": dtype, "return_error": True}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            signal, estimates = simulate_lattices(frequencies, *rows, **settings)
        error = np.abs(signal[0, :, :2] - exact).max()
        assert (error > 1e-5) == (dtype == "float32") == bool(caught)
        assert error <= estimates[0] <= 1e-3

    def test_drift_refocuses_and_dies_with_the_line(self):
        broad = np.random.default_rng(0).normal(0, 0.05, (32, 32))
        narrow = np.full((8, 8), 0.3)
        end = 2 * np.pi * 0.3 * 0.5
        free = Sequence(1.0, 201, (Pulse(0, math.pi / 2),))
        assert slope_of_line(narrow, free) == pytest.approx(end * 200)
        assert slope_of_line(narrow, spin_echo(1.0, 100, 201)) == pytest.approx(end * 100)
        assert slope_of_line(broad, free) < 0.1 * 2 * np.pi * 0.05 * 200

    def test_the_drift_of_equal_spins_is_that_of_the_angle_in_their_field(self):
        sequence, table = Sequence(2.0, 100, (Pulse(0, 0.9),)), kernel_table("power", 2.0, 8)
        signal = np.full((100, 3), 0.5 / math.sqrt(3))
        for dtype, coupling in [("float32", 0.3), ("float32", -0.6), ("float64", 0.3)]:
            rows = np.zeros((8, 8)), table, np.array([0, 0, coupling]), sequence
            # One rounding of the angle 2π · |α|/2 · t, as a change of a vector of length 1/2.
            angle = np.finfo(dtype).eps * 2 * math.pi * abs(coupling) / 2 * sequence.time[-1]
            assert phase_drift(*rows, signal.astype(dtype)) == pytest.approx(angle / 2, rel=1e-6)

    def test_a_fixed_step_is_the_callers_own(self):
        _, estimates = simulate_lattices(*lattices(*HARD["strong"]), step=8, return_error=True)
        assert np.isnan(estimates).all()


class TestUnstableMotion:
    """Curves whose small errors grow."""

    # Spins along z in a field along x, y and z of one sign and size stand still, unless disturbed.
    ROWS = ("power", 9.0, (0.5, -0.5, 0.25), spin_echo(1.3, 30, 80, 0.9), "lorentzian")

    def test_they_are_named_with_their_error_and_no_others(self):
        hard, easy = lattices(*self.ROWS, n_curves=1), lattices(*HARD["long-ranged"], n_curves=1)
        with pytest.warns(StepWarning, match=r"at most 0\.001 \(tolerance\).*1 of 2 .*\(row 1\)"):
            _, estimates = simulate_lattices(
                np.concatenate([easy[0], hard[0]]),
                easy[1] + hard[1],
                easy[2] + hard[2],
                self.ROWS[3],
                return_error=True,
            )
        assert estimates[0] <= 1e-3 < estimates[1]

    @pytest.mark.parametrize("coupling", [2000.0, 1e8, 1e30])
    def test_couplings_that_no_step_can_follow_are_refused_by_name(self, coupling):
        rows = lattices("power", 2.0, (0.1, 0.1, coupling), RECORD, "lorentzian", n_curves=1)
        with pytest.raises(InputError, match=r"those of row 0 turn it by .* rad.*Check the units"):
            simulate_lattices(*rows)

    def test_curves_of_a_simulation_are_named_by_their_numbers(self):
        simulation = Simulation("challenge2021-gauss", n_edge=12, seed=3, tolerance=1.01e-5)
        # Ten times above the tolerance, so that other rounding changes nothing.
        with pytest.warns(StepWarning, match=r"1 of 1 curves \(curve 37\)"):
            simulate_curves(simulation, [37])

    def test_the_source_scheme_says_where_its_one_step_is_too_long(self):
        rows = lattices(*HARD["strong"])
        with pytest.warns(StepWarning, match="2 of 2 curves.*Sample more finely"):
            simulate_lattices(*lattices(*self.ROWS), scheme="source")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            simulate_lattices(*lattices(*HARD["long-ranged"]), scheme="source")
            simulate_lattices(*rows, scheme="source", step=1)


class TestSearch:
    """What is wanted next, by what the last runs recorded."""

    def search(self):
        frequencies, (table, _), (couplings, _), sequence = lattices(*HARD["long-ranged"])
        return Search(Curve(frequencies[0], table, np.array(couplings), 0.0, sequence), 1e-3)

    def answer(self, search, errors):
        """Give a search runs of so large errors; the steps wanted next, in intervals."""
        search.take([np.full((240, 3), error) for error in errors])
        return [plan.runs[0][0][1] / plan.stride for plan in search.wanted()]

    def test_a_pair_comes_first_and_one_that_agrees_is_enough(self):
        search = self.search()
        coarse, fine = search.wanted()
        assert coarse.runs[0][0][1] == RULE.ratio * fine.runs[0][0][1]
        assert self.answer(search, [0.0, 1e-5]) == []
        assert 0 < search.estimate < 1e-4
        assert search.signal.max() == 1e-5

    @pytest.mark.parametrize(("difference", "estimate"), [(1e-5, 0.5e-5), (1e-3, 2e-4)])
    def test_small_differences_are_not_taken_for_much_smaller_errors(self, difference, estimate):
        search = self.search()
        assert self.answer(search, [0.0, difference]) == []
        assert search.estimate == pytest.approx(estimate + ROUNDING["float32"], rel=1e-6)

    def test_shorter_steps_are_wanted_as_long_as_they_help(self):
        search, fine = self.search(), self.search().wanted()[1]
        step, error, found = fine.runs[0][0][1], 0.0006, []
        (wanted,) = self.answer(search, [64 * error, error])
        while search.wanted():
            error *= (wanted / step) ** 3
            found.append(wanted / step)
            step = wanted
            wanted = next(iter(self.answer(search, [error])), None)
        # Errors that fall as they should are within the tolerance at once, with little to spare.
        assert len(found) == 1
        assert error < search.estimate <= 1e-3

    def test_a_difference_that_does_not_fall_ends_the_search_above_the_tolerance(self):
        search, rng = self.search(), np.random.default_rng(0)
        n_runs = 0
        while found := search.wanted():
            search.take([rng.normal(0, 0.01, (240, 3)) for _ in found])
            n_runs += len(found)
        assert n_runs <= 8
        assert search.estimate > 1e-3


class TestSettings:
    """Tolerances that can be kept, and what a simulation says of itself."""

    @pytest.mark.parametrize("tolerance", [9.9e-6, 1e-9])
    def test_one_below_the_rounding_of_float32_asks_for_float64(self, tolerance):
        with pytest.raises(InputError, match=r"at least 1e-05 in float32.*Use dtype='float64'"):
            Simulation(tolerance=tolerance)
        assert Simulation(tolerance=tolerance, dtype="float64").tolerance == tolerance
        with pytest.raises(InputError, match=r"at least 1e-13 in float64"):
            Simulation(tolerance=1e-14, dtype="float64")

    @pytest.mark.parametrize(
        "tolerance", [0, -1e-3, math.nan, math.inf, "1e-3", None, True, 0.51, 1e300]
    )
    def test_one_that_is_none_is_refused(self, tolerance):
        with pytest.raises(InputError, match="tolerance must be"):
            Simulation(tolerance=tolerance)

    @pytest.mark.parametrize("step", [4, 0.5])
    def test_a_step_leaves_nothing_for_it_to_decide(self, step):
        words = r"tolerance must be left out with a step.*0\.0001 with step = "
        with pytest.raises(InputError, match=words):
            Simulation(step=step, tolerance=1e-4)
        with pytest.raises(InputError, match=words):
            simulate_lattices(*lattices(*HARD["strong"]), step=step, tolerance=1e-4)

    @pytest.mark.parametrize("kind", [np.float32, np.float64, Decimal, Fraction])
    def test_numbers_of_any_kind_are_numbers(self, kind):
        found = Simulation(tolerance=kind("1e-5"))
        assert found.tolerance == pytest.approx(1e-5)
        assert type(found.tolerance) is float
        assert type(Simulation(step=Fraction(1, 3)).step) is float

    def test_a_finer_one_is_planned_with_more_evaluations(self):
        planned = [
            np.sum(planned_evaluations(Simulation(n_edge=20, tolerance=tolerance), range(6)))
            for tolerance in (1e-2, 1e-3, 1e-4)
        ]
        assert planned[0] < planned[1] < planned[2]

    def test_estimates_come_with_the_curves(self):
        settings = {"preset": "challenge2021-gauss", "n_edge": 16}
        curves = simulate_curves(Simulation(**settings), range(3))
        assert ((curves.error_estimates > 0) & (curves.error_estimates <= 1e-3)).all()
        fixed = simulate_curves(Simulation(**settings, step=4), range(3))
        assert np.isnan(fixed.error_estimates).all()

    def test_the_rule_decides(self):
        frequencies, (table, _), (couplings, _), sequence = lattices(*HARD["strong"])
        curve = Curve(frequencies[0], table, np.array(couplings), 0.0, sequence)
        plain, careful = (Search(curve, 1e-3, rule=StepRule(safety=s)) for s in (1.0, 2.0))
        for search in (plain, careful):
            search.take([np.zeros((240, 3)), np.full((240, 3), 1e-2)])
        # Half the safety is half the estimate, but for the share of rounding.
        shares = [search.estimate - ROUNDING["float32"] for search in (plain, careful)]
        assert shares[1] == pytest.approx(2 * shares[0])
