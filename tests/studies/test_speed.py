"""What the measurements of speed compare with is what they say it is."""

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from latent_nmr.models.networks import Architecture, layer_sizes, weight_shapes
from latent_nmr.physics.kernels import kernel_table
from latent_nmr.physics.sequence import spin_echo
from latent_nmr.physics.simulate import Simulation
from latent_nmr.studies.accuracy import (
    HARD_CASES,
    Lattices,
    accuracy_figure,
    converged,
    hard_cases,
    integration_errors,
    largest_errors,
)
from latent_nmr.studies.speed.figures import simulator_figure, training_figure
from latent_nmr.studies.speed.simulator import extrapolated, fitted_exponent, paper_times
from latent_nmr.studies.speed.timing import in_turns
from latent_nmr.studies.speed.training import epoch_times, product_shapes, widths_of

BENCHMARKS = Path(__file__).parents[2] / "artifacts" / "benchmarks"


class TestTurns:
    """Contenders take turns."""

    def test_contenders_take_turns_after_one_call_of_each(self):
        calls: list[str] = []
        runs = {name: lambda name=name: calls.append(name) for name in "ab"}
        times = in_turns(runs, 2)
        assert calls == ["a", "b"] * 3
        assert set(times) == {"a", "b"}
        for own in times.values():
            assert 0 <= own["min_s"] <= own["median_s"] <= own["max_s"]


class TestSimulator:
    """The simulator beside its source's algorithm."""

    def test_a_time_at_a_hundred_squared_is_said_to_be_extrapolated(self):
        rows = [{"n_edge": n, "source": {"median_s": 1e-6 * n**4.0}} for n in (20, 30, 40)]
        far = extrapolated(rows, ours_at_100=0.05)
        assert far["extrapolated"] is True
        assert far["fitted_exponent"] == pytest.approx(4.0)
        assert far["source_s"] == pytest.approx(100.0)
        assert far["ratio"] == pytest.approx(2000.0)

    def test_the_growth_is_the_slope_between_logarithms(self):
        rows = [{"n_edge": n, "median_s": 1e-6 * n**2.2} for n in (100, 317, 400)]
        assert fitted_exponent(rows) == pytest.approx(2.2)

    def test_both_multiples_are_of_times_of_the_same_run(self):
        found = paper_times(1, 1, n_edge=8)
        for own in (found["tolerance"], found["fixed_step"]):
            seconds = own["per_curve"]["median_s"]
            assert own["per_evaluation_s"] * own["evaluations_mean"] == pytest.approx(seconds)
            yardstick = found["yardstick"]["median_s"]
            assert own["yardstick_multiple"] == pytest.approx(seconds / yardstick)
            alone = own["evaluations_mean"] * found["transforms"]["median_s"]
            assert own["transforms_multiple"] == pytest.approx(seconds / alone)
        assert len(found["load"]["before"]) == 3


class TestTraining:
    """Training beside the arithmetic that it consists of."""

    @pytest.mark.parametrize("width", [400, 1882])
    def test_the_floor_multiplies_by_every_weight_of_the_network(self, width):
        architecture = Architecture(width, layer_sizes(width, None), 2)
        shapes = weight_shapes(architecture).values()
        n_multiplied = sum(np.prod(shape) for shape in shapes if len(shape) == 2)
        assert sum(a * b for a, b in product_shapes(width)) == n_multiplied
        assert widths_of(width) == (width, *architecture.hidden_layer_sizes)

    def test_ratios_are_those_of_the_medians(self):
        rows = np.random.default_rng(0).random((200, 30), np.float32)
        found = epoch_times(rows, 1, {"nothing": lambda: None})
        times = {name: own["median_s"] for name, own in found["seconds_per_epoch"].items()}
        floor = times["floor_products"] + times["floor_adam"]
        assert found["floor_s"] == pytest.approx(floor)
        assert found["times_the_floor"] == pytest.approx(times["latent_nmr"] / floor)
        ratio = times["nothing"] / times["latent_nmr"]
        assert found["nothing_over_ours"] == pytest.approx(ratio)


class TestAccuracy:
    """Errors of simulated curves."""

    @pytest.mark.slow
    def test_references_of_two_schemes_agree_far_below_the_error_of_a_long_step(self):
        sequence = spin_echo(dt=0.16, pulse_spacing=20, n_samples=60, flip_angle=1.3)
        frequencies = np.random.default_rng(0).uniform(-0.3, 0.3, (1, 8, 8))
        tables = kernel_table("power", 1.47, 8)[None]
        lattices = Lattices(frequencies, tables, np.array([[0.1, 0.1, 0.1]]), sequence)
        reference = converged(lattices)
        (error,) = largest_errors(lattices, reference, step=4)
        assert 0 < np.abs(reference - converged(lattices, scheme="midpoint")).max() < 0.1 * error

    def test_the_default_step_is_nearer_to_the_solution_than_the_sources_scheme(self):
        found = integration_errors(Simulation("paper", seed=62, n_edge=10), range(2))
        assert (found["evaluations"] > 0).all()
        assert (found["error"] < 2e-3).all()
        assert (found["error"] < found["source_error"]).all()

    @pytest.mark.slow
    def test_hard_cases_are_solved_far_below_the_bound(self):
        found = list(islice(hard_cases(1, Simulation("paper", seed=61, n_edge=6)), 2))
        assert [(case["kernel"], case["parameter"]) for case in found] == list(HARD_CASES[:2])
        for case in found:
            assert max(case["error"]) < 2e-3
            assert case["references_differ"] < max(case["error_by_step"].values())


class TestFigures:
    """Figures of what is kept in artifacts/benchmarks."""

    @pytest.mark.parametrize(
        ("name", "draw", "labels"),
        [
            ("accuracy", accuracy_figure, ["largest error of M over the record"]),
            ("simulator", simulator_figure, ["time per curve (s)"]),
            ("training", training_figure, ["", ""]),
        ],
    )
    def test_the_kept_numbers_can_be_drawn(self, name, draw, labels):
        result = json.loads((BENCHMARKS / f"{name}.json").read_text("utf-8"))
        axes = draw(result).axes
        assert [ax.get_ylabel() for ax in axes] == labels
        assert all(ax.get_xlabel() for ax in axes)
