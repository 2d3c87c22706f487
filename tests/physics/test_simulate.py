"""Data sets: every curve from its seed and its index."""

from dataclasses import replace

import jax
import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.errors import InputError
from latent_nmr.physics.kernels import coupling_length, kernel_table
from latent_nmr.physics.lattices import simulate_lattices
from latent_nmr.physics.simulate import (
    Simulation,
    draw_fields,
    draw_parameters,
    planned_evaluations,
    simulate_curves,
)
from tests.analytic import line_transform

N_EDGE = 8
SMALL = Simulation("paper", seed=7, n_edge=N_EDGE)


@pytest.fixture(scope="module")
def curves():
    """The first six curves of a small data set."""
    return simulate_curves(SMALL, range(6))


class TestSimulateCurves:
    """Curves of a data set by index."""

    def test_a_curve_does_not_depend_on_the_others(self, curves):
        some = simulate_curves(SMALL, [4, 1])
        assert some.parameters == [curves.parameters[4], curves.parameters[1]]
        np.testing.assert_array_equal(some.signal, curves.signal[[4, 1]])

    def test_a_curve_is_the_one_its_parameters_and_field_give(self, curves):
        _, drawn = draw_parameters(SMALL, [2])
        signal = simulate_lattices(
            draw_fields(SMALL, [2]),
            kernel_table(drawn[0].kernel, drawn[0].kernel_parameter, N_EDGE)[None],
            [drawn[0].couplings],
            SMALL.resolve().sequence,
        )
        np.testing.assert_array_equal(signal[0], curves.signal[2])

    def test_lengths_belong_to_the_kernels(self, curves):
        expected = [
            coupling_length(kernel_table(p.kernel, p.kernel_parameter, N_EDGE))
            for p in curves.parameters
        ]
        np.testing.assert_array_equal(curves.coupling_lengths, expected)

    def test_the_record_starts_at_one_half_along_y(self, curves):
        assert curves.signal.shape == (6, 1882, 3)
        # Rounding of a mean over 64 spins of one half.
        np.testing.assert_allclose(curves.signal[:, 0], np.tile([0, 0.5, 0], (6, 1)), atol=1e-7)

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "change",
        [
            {"scheme": "source"},
            {"step": 16.0},
            {"seed": 8},
            {"line_draw": "stratified"},
            {"line_shape": "gaussian"},
            {"preset": "challenge2020"},
        ],
    )
    def test_every_setting_reaches_the_curves(self, curves, change):
        other = simulate_curves(replace(SMALL, **change), range(2))
        # Far more than rounding; the schemes differ least.
        n_samples = other.signal.shape[1]
        assert np.abs(other.signal - curves.signal[:2, :n_samples]).max() > 1e-4

    def test_all_three_components_are_simulated_whichever_are_kept(self, curves):
        assert Simulation().with_mz is False
        kept = simulate_curves(replace(SMALL, with_mz=True), [0])
        np.testing.assert_array_equal(kept.signal, curves.signal[:1])

    def test_decay_and_the_challenges_couplings_reach_the_curves(self):
        simulation = Simulation("challenge2021-rkky", seed=7, n_edge=N_EDGE)
        found = simulate_curves(simulation, [3])
        [drawn] = found.parameters
        signal = simulate_lattices(
            draw_fields(simulation, [3]),
            kernel_table("rkky", drawn.kernel_parameter, N_EDGE)[None],
            [drawn.couplings],
            simulation.resolve().sequence,
            decay_rate=drawn.decay_rate,
        )
        assert drawn.decay_rate > 0
        np.testing.assert_array_equal(found.signal, signal)

    @pytest.mark.slow
    def test_single_precision_agrees_with_double_over_a_whole_record(self, curves):
        double = simulate_curves(replace(SMALL, dtype="float64"), range(6))
        assert (curves.signal.dtype, double.signal.dtype) == (np.float32, np.float64)
        assert double.parameters == curves.parameters
        # 1882 rotations rounded at random by 6e-8 of 1/2 each: 3e-6 where nothing averages out.
        np.testing.assert_allclose(curves.signal, double.signal, atol=1e-5)

    @pytest.mark.parametrize("index", [-1, 2**32, 1.5, "3"])
    def test_an_index_that_is_no_count_of_32_bits_is_refused(self, index):
        with pytest.raises(
            InputError,
            match=rf"curve index must be .* at most 4294967295, but is {index!r}\. [GRL]",
        ):
            simulate_curves(SMALL, [0, index])

    def test_no_index_at_all_is_refused(self):
        with pytest.raises(InputError, match=r"indices must name at least one curve.*range\(n\)"):
            simulate_curves(SMALL, [])


class TestPlannedEvaluations:
    """How much a curve will cost, before it is simulated."""

    # Segments of 628 and 1253 intervals.
    @pytest.mark.parametrize(
        ("settings", "expected"),
        [
            ({"scheme": "source"}, 628 + 1253),
            ({"scheme": "midpoint", "step": 1}, 2 * (628 + 1253)),
            ({"scheme": "midpoint", "step": 0.5}, 4 * (628 + 1253)),
            # Steps of four, the last of the second segment cut short; a start takes two more.
            ({"step": 4}, (157 + 2) + (314 + 2)),
        ],
    )
    def test_it_follows_from_scheme_and_step(self, settings, expected):
        assert planned_evaluations(replace(SMALL, **settings), [5, 0]) == [expected, expected]

    def test_without_a_step_each_curve_has_its_own(self):
        simulation = Simulation("challenge2021-gauss", seed=7, n_edge=N_EDGE)
        together = planned_evaluations(simulation, range(12))
        assert len(set(together)) > 1
        assert planned_evaluations(simulation, [7, 2]) == [together[7], together[2]]


class TestDraws:
    """ν fields and parameters: the same bits whatever the batch."""

    @pytest.mark.parametrize("draw", ["independent", "stratified", "frozen"])
    def test_a_field_is_the_same_in_whatever_company(self, draw):
        simulation = replace(SMALL, line_draw=draw)
        together = draw_fields(simulation, [3, 0, 11])
        for row, index in zip(together, [3, 0, 11], strict=True):
            np.testing.assert_array_equal(draw_fields(simulation, [index])[0], row)

    @pytest.mark.parametrize("draw", ["independent", "stratified"])
    def test_every_curve_has_its_own_field(self, draw):
        fields = draw_fields(replace(SMALL, line_draw=draw), range(20))
        assert len({field.tobytes() for field in fields}) == 20

    def test_frozen_gives_one_field_to_all_curves_and_that_of_none_drawn_otherwise(self):
        frozen = draw_fields(replace(SMALL, line_draw="frozen"), range(20))
        assert len({field.tobytes() for field in frozen}) == 1
        independent = draw_fields(SMALL, range(20))
        assert not any(np.array_equal(frozen[0], field) for field in independent)

    @pytest.mark.parametrize("draw", ["independent", "stratified", "frozen"])
    def test_another_seed_gives_another_field(self, draw):
        first = draw_fields(replace(SMALL, line_draw=draw), [0])
        assert not np.array_equal(first, draw_fields(replace(SMALL, line_draw=draw, seed=8), [0]))

    @pytest.mark.parametrize("draw", ["independent", "stratified", "frozen"])
    def test_fields_and_parameters_are_the_same_where_the_caller_computes_in_float64(self, draw):
        simulation = replace(SMALL, line_draw=draw)
        fields, (_, parameters) = draw_fields(simulation, [2]), draw_parameters(simulation, [2])
        with jax.enable_x64(True):
            np.testing.assert_array_equal(draw_fields(simulation, [2]), fields)
            assert draw_parameters(simulation, [2])[1] == parameters

    def test_the_largest_seed_and_index_are_not_those_of_zero(self):
        largest = 2**32 - 1
        draws = [
            draw_parameters(replace(SMALL, seed=seed), [index])[1][0]
            for seed, index in [(0, 0), (largest, 0), (0, largest)]
        ]
        assert len({draw.kernel_parameter for draw in draws}) == 3

    def test_fields_are_those_of_the_preset_with_the_edge_asked_for(self):
        assert draw_fields(SMALL, [0]).shape == (1, N_EDGE, N_EDGE)
        assert draw_fields(Simulation("paper"), [0]).shape == (1, 100, 100)


class TestSimulationSettings:
    """The settings of a data set are checked when they are made."""

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"preset": "papre"}, r"preset must be one of paper.*'papre'.*'paper'\?"),
            (
                {"seed": -1},
                r"seed must be .* at least 0 and at most 4294967295, but is -1\. [GRL]",
            ),
            (
                {"seed": 2**32},
                r"seed must be .* at most 4294967295, but is 4294967296\. [GRL]",
            ),
            (
                {"seed": 0.5},
                r"seed must be .* at most 4294967295, but is 0\.5\. [GRL]",
            ),
            (
                {"n_edge": 1},
                r"n_edge must be a whole number of at least 2, but is 1\. [GRL]",
            ),
            ({"line_shape": "gauss"}, r"line shape must be one of.*'gauss'.*'gaussian'\?"),
            ({"line_draw": "freeze"}, r"line draw must be one of independent.*'freeze'\. "),
            ({"step": 1.5}, r"step must be a whole number of sample intervals.*1\.5\. Use"),
            ({"scheme": "mid-point"}, r"scheme must be one of.*'mid-point'.*'midpoint'\?"),
            ({"dtype": "float"}, r"dtype must be one of.*'float'\. Did you mean"),
        ],
    )
    def test_a_bad_setting_is_refused_by_name(self, settings, message):
        with pytest.raises(InputError, match=message):
            Simulation(**settings)

    def test_the_edge_and_the_line_replace_those_of_the_preset(self):
        settings = {"n_edge": 12, "line_draw": "stratified", "line_shape": "gaussian"}
        preset = Simulation("challenge2020", **settings).resolve()
        assert (preset.n_edge, preset.line.draw, preset.line.shape) == tuple(settings.values())
        # Width and cutoff stay the preset's.
        assert (preset.line.fwhm, preset.line.cutoff) == (0.05, 0.25)
        assert Simulation("paper").resolve().n_edge == 100

    def test_the_width_of_the_line_replaces_that_of_the_preset(self):
        assert Simulation("paper", fwhm=0.08).resolve().line.fwhm == 0.08
        with pytest.raises(InputError, match="fwhm must be > 0 MHz"):
            Simulation(fwhm=-0.05)

    def test_a_data_set_says_its_line_and_echoes_of_a_wider_one_are_narrower(self):
        for fwhm in (0.03, 0.06):
            echoes = ln.simulate("paper", 3, n_edge=20, fwhm=fwhm, line_draw="stratified")
            assert echoes.attrs["fwhm_MHz"] == fwhm
            # Until couplings turn spins apart, |M| is the transform of the line.
            decay = np.hypot(echoes.mx, echoes.my).to_numpy()
            early = int(np.argmin(np.abs(echoes.time.to_numpy() - 1.0)))
            time = float(echoes.time[early])
            expected = line_transform(np.array([time]), fwhm, echoes.attrs["cutoff_MHz"])
            assert decay[:, early] / decay[:, 0] == pytest.approx(expected[0], abs=0.01)


def test_a_choice_about_mz_that_is_no_choice_is_refused():
    with pytest.raises(InputError, match="with_mz must be True or False, but is 'yes'"):
        Simulation(with_mz="yes")


class TestFlipAngle:
    """Pulse angles other than 90°: one for all curves, or one for each."""

    def test_one_angle_for_all_tips_the_magnetisation_by_it(self):
        simulation = Simulation("paper", n_edge=N_EDGE, flip_angle_deg=60.0)
        signal = simulate_curves(simulation, [0, 1]).signal
        tipped = 0.5 * np.array([0.0, np.sin(np.pi / 3), np.cos(np.pi / 3)])
        np.testing.assert_allclose(signal[:, 0], [tipped, tipped], atol=1e-6)

    def test_ninety_degrees_is_the_preset_itself(self):
        turned, plain = (
            simulate_curves(Simulation("paper", n_edge=N_EDGE, flip_angle_deg=angle), [0]).signal
            for angle in (90.0, None)
        )
        np.testing.assert_allclose(turned, plain, atol=1e-6)

    def test_the_spin_preset_tips_every_curve_by_its_own_angle(self):
        simulation = Simulation("challenge2021-spin", n_edge=N_EDGE)
        curves = simulate_curves(simulation, range(4))
        angles = np.radians([dict(row.challenge)["theta"] for row in curves.parameters])
        assert len(set(angles)) == 4
        np.testing.assert_allclose(curves.signal[:, 0, 1], 0.5 * np.sin(angles), atol=1e-6)
        np.testing.assert_allclose(curves.signal[:, 0, 2], 0.5 * np.cos(angles), atol=1e-6)

    def test_angles_are_uniform_from_30_to_150_and_change_nothing_else(self):
        spin = Simulation("challenge2021-spin", n_edge=N_EDGE)
        rows = draw_parameters(spin, range(400))[1]
        angles = np.array([dict(row.challenge)["theta"] for row in rows])
        assert 30 <= angles.min() < 33
        assert 147 < angles.max() <= 150
        # The mean of 400 uniform numbers has a deviation of 120/√(12 · 400) degrees.
        assert abs(angles.mean() - 90) < 4 * 120 / np.sqrt(12 * 400)
        plain = draw_parameters(Simulation("paper", n_edge=N_EDGE), range(400))[1]
        assert [row.couplings for row in rows] == [row.couplings for row in plain]
        strengths = [row.couplings[2] for row in rows]
        assert abs(np.corrcoef(angles, strengths)[0, 1]) < 4 / np.sqrt(400)

    @pytest.mark.parametrize("angle", [0.0, -90.0, 181.0, "right"])
    def test_an_angle_that_no_pulse_has_is_refused(self, angle):
        with pytest.raises(InputError, match="flip_angle_deg must be > 0 and <= 180 degrees"):
            Simulation("paper", flip_angle_deg=angle)

    def test_an_angle_beside_drawn_ones_is_refused(self):
        with pytest.raises(InputError, match="left out for the preset challenge2021-spin"):
            Simulation("challenge2021-spin", flip_angle_deg=60.0)
