"""The linear check of designs: features, information, candidates of other τ, and derivatives."""

import math

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.analysis.information import expected_gain, fisher_information
from latent_nmr.models.posterior.prior import Prior
from latent_nmr.physics.line import Line
from latent_nmr.physics.presets import get_preset
from latent_nmr.physics.sequence import spin_echo
from latent_nmr.report.design import design_lines, design_values
from latent_nmr.studies.design import Candidate, Conditions, DesignResult, parse_candidates
from latent_nmr.studies.design import _linear as linear_module
from latent_nmr.studies.design._features import Features, features_of, information_of
from latent_nmr.studies.design._linear import LinearCheck
from latent_nmr.studies.design._slopes import (
    N_OFFSETS,
    N_SLOPES,
    Repeats,
    Slopes,
    in_columns,
    parameter_slopes,
    quantity_slopes,
)
from latent_nmr.studies.posterior._combine import Weighted
from latent_nmr.studies.posterior._curves import curves_of
from latent_nmr.studies.posterior.models import as_posterior

PRIOR = Prior()
USUAL = get_preset("paper").sequence
SMALL = {"candidates": ["theta 60 90", "pair 60"], "n_materials": 3, "n_draws": 20, "n_edge": 6}


@pytest.fixture(scope="module")
def model():
    return as_posterior("posterior")


def echo(material, sequence):
    """A decaying record whose phase turns by α_z cos θ, instead of a simulated one."""
    time = in_columns(sequence.time)
    cosine = math.cos(sequence.pulses[0].angle)
    rate = material.alpha_x[0] + 1e-4 * material.kernel_parameter[0]
    return np.exp(-rate * time / 2 + 2j * np.pi * cosine * material.alpha_z[0] * time)


class FakeSlopes:
    """Stands for `Slopes`: echoes in closed form; offsets change gains and frequencies."""

    def __init__(self, prior, line, n_edge, seed):  # noqa: ARG002
        self.prior, self.seed = prior, seed

    def repeats(self, material, number, sequence):
        rng = np.random.default_rng([self.seed, number])
        time = in_columns(sequence.time)
        shape = (N_OFFSETS, 1)
        chance = np.exp(1j * time * rng.normal(0, 1e-3, shape) - time * rng.normal(0, 1e-4, shape))
        clean, scores = echo(material, sequence), self.prior.scores(material)
        moved = [
            echo(self.prior.materials(material.kernel, scores + step), sequence)
            for step in 1e-4 * np.eye(3)
        ]
        slopes = (np.stack(moved) - clean) / 1e-4
        return Repeats(clean * chance, (slopes * chance[:N_SLOPES, None]))


@pytest.fixture
def fake(monkeypatch):
    monkeypatch.setattr(linear_module, "Slopes", FakeSlopes)


def check(snr=30.0, belief=None, n_materials=4, **conditions):
    truths = PRIOR.draw(n_materials, np.random.RandomState(0))
    how = Conditions(**{"snr": snr, "phase": True, "flip_error": 0.0, **conditions})
    return LinearCheck.of(PRIOR, belief, truths, how, 8, 0, None)


def mean_gain(found):
    return float(np.mean([own["all"] for own in found]))


class TestInformation:
    """Features that are linear in u, with known covariances of offsets and noise."""

    N_FEATURES, N_NOISES = 20, 8
    RNG = np.random.default_rng(0)
    JACOBIAN = RNG.normal(size=(3, N_FEATURES))
    OFFSETS = 0.3 * RNG.normal(size=(N_FEATURES, N_FEATURES))
    SIGMA = OFFSETS.T @ OFFSETS + 0.25 * np.eye(N_FEATURES)

    def features(self, seed=1, n_materials=24, error=0.0, size=1.0):
        rng, found = np.random.default_rng(seed), []
        for _ in range(n_materials):
            u = rng.normal(size=3)
            chance = rng.normal(size=(N_OFFSETS, 1, self.N_FEATURES)) @ self.OFFSETS
            noise = 0.5 * rng.normal(size=(N_OFFSETS, self.N_NOISES, self.N_FEATURES))
            errors = error * rng.normal(size=(N_SLOPES, 3, self.N_FEATURES))
            found.append(
                Features(u @ self.JACOBIAN + chance + noise, size * self.JACOBIAN + errors)
            )
        return found

    def gains(self, features):
        return [expected_gain(own.fisher, np.eye(3)) for own in information_of(features)]

    def test_it_is_that_of_the_gaussian_model(self):
        exact = expected_gain(fisher_information(self.JACOBIAN.T, self.SIGMA), np.eye(3))
        gains = self.gains(self.features())
        error = np.std(gains, ddof=1) / np.sqrt(len(gains))
        # The pooled covariance of 24 materials makes filters that lose a tenth of a nat.
        assert np.mean(gains) == pytest.approx(exact - 0.1, abs=4 * error + 0.1)

    def test_it_does_not_depend_on_units_of_features(self):
        units = np.geomspace(0.1, 10, self.N_FEATURES)
        plain = self.features()
        scaled = [Features(own.rows * units, own.slopes * units) for own in plain]
        np.testing.assert_allclose(self.gains(scaled), self.gains(plain), rtol=1e-6)

    def test_components_are_those_of_features_over_their_noise(self):
        # More features than components: one that is loud by its unit alone must not be kept.
        rng = np.random.default_rng(9)
        quiet = self.features()
        units = np.repeat([1.0, 1e3], [self.N_FEATURES, 60])
        padded = []
        for own in quiet:
            shape = (*own.rows.shape[:2], 60)
            noise = 0.5 * rng.normal(size=shape)
            slopes = np.zeros((N_SLOPES, 3, 60))
            rows = np.concatenate([own.rows, noise], axis=2) * units
            padded.append(Features(rows, np.concatenate([own.slopes, slopes], axis=2) * units))
        # What is pure noise beside costs a tenth, as components may be of it.
        assert np.mean(self.gains(padded)) > 0.9 * np.mean(self.gains(quiet))

    def test_slopes_that_are_scatter_are_named_and_say_nothing(self):
        found = information_of(self.features(error=3.0, size=0.0))
        assert np.mean([own.is_scattered for own in found]) > 0.9
        assert not any(own.is_scattered for own in information_of(self.features()))
        # On average products of different draws are 0; the mean of all would give 2 nats.
        fisher = np.mean([own.fisher for own in found], axis=0)
        scatter = 3.0**2 / N_SLOPES * np.trace(np.linalg.inv(self.SIGMA))
        assert np.trace(fisher) / 3 < 0.3 * scatter


class TestFeatures:
    TIME = 0.64 * np.arange(60)
    SIGNAL = np.exp(-0.02 * TIME)

    def features(self, slope, snr=1e5, *, phase):
        repeats = Repeats(np.tile(self.SIGNAL, (2, 1)), np.tile(slope, (2, 3, 1)))
        return features_of(repeats, snr, phase=phase)

    def test_without_a_phase_they_are_amplitudes(self):
        found = self.features(-0.3 * self.TIME * self.SIGNAL, phase=False)
        np.testing.assert_allclose(found.rows.mean(axis=1)[0], self.SIGNAL, atol=1e-4)
        np.testing.assert_allclose(found.slopes[0, 0], -0.3 * self.TIME * self.SIGNAL, atol=2e-3)

    def test_a_frequency_shows_in_phases_alone(self):
        slope = 2j * np.pi * self.TIME * self.SIGNAL
        assert np.abs(self.features(slope, phase=False).slopes).max() < 0.02
        found = self.features(slope, phase=True).slopes[0, 0]
        n = len(self.TIME)
        assert np.abs(found[:n]).max() < 0.02
        # Turns in a lag of 2.56 µs over half a turn, by the weight of the signal.
        size = self.SIGNAL[4:] * self.SIGNAL[:-4]
        expected = 2 * 2.56 * size / (size + 0.002)
        np.testing.assert_allclose(found[n:], expected[::2], rtol=1e-2)

    def test_every_draw_of_offsets_has_noise_of_its_own(self):
        found = self.features(-0.3 * self.TIME * self.SIGNAL, snr=20.0, phase=False)
        for own in (found.rows, found.slopes):
            assert np.abs(own[0] - own[1])[..., 1:].min() > 0

    @pytest.mark.parametrize("phase", [True, False])
    def test_a_phase_or_gain_common_to_all_says_nothing(self, phase):
        for slope in (1j * self.SIGNAL, self.SIGNAL):
            assert np.abs(self.features(slope, phase=phase).slopes).max() < 1e-3


@pytest.mark.usefixtures("fake")
class TestLinearCheck:
    def test_gains_grow_with_the_signal_and_vanish_without_it(self):
        gains = [mean_gain(check(snr).gains(Candidate((60.0,)))) for snr in (0.01, 10, 100)]
        assert gains[0] < 0.02 < gains[1] < gains[2]

    def test_along_z_only_the_phase_of_a_tilted_echo_says_anything(self):
        left = {
            (angle, phase): np.mean(
                [own["alpha_z"] for own in check(phase=phase).gains(Candidate((angle,)))]
            )
            for angle in (60.0, 90.0)
            for phase in (True, False)
        }
        assert left[60.0, True] > 1
        # α_z is bound to α_x by the prior of W, and becomes a little narrower with it.
        assert max(own for place, own in left.items() if place != (60.0, True)) < 0.5

    def test_information_of_several_echoes_adds(self):
        own = check(30.0)
        alone = own._information(Candidate((60.0,)).sequences(USUAL)[0], math.sqrt(0.75))
        # Each of two has half of the scans.
        both = check(30.0 * math.sqrt(2)).gains(Candidate((60.0, 60.0)))
        expected = [expected_gain(2 * one.fisher, np.eye(3)) for one in alone]
        np.testing.assert_allclose([one["all"] for one in both], expected, rtol=1e-5)

    def test_what_is_known_is_not_gained_again(self):
        draws = PRIOR.materials(
            np.arange(3000) % 3, 0.05 * np.random.default_rng(0).normal(size=(3000, 3))
        )
        belief = Weighted(draws, np.full(3000, 1 / 3000), 0.0)
        fresh, later = (check(belief=own).gains(Candidate((60.0,))) for own in (None, belief))
        for before, after in zip(fresh, later, strict=True):
            assert 0 < after["all"] < before["all"]

    def test_it_takes_no_more_materials_than_it_says(self):
        assert len(check(n_materials=40).gains(Candidate((60.0,)))) == linear_module.MOST_MATERIALS


class TestCandidatesOfTau:
    def test_they_are_at_90_unless_an_angle_is_given(self):
        found = parse_candidates(["tau 50:150:50", "tau 75 at 60 120"])
        assert [own.name for own in found] == ["90:50", "90:100", "90:150", "60:75", "120:75"]
        assert [Candidate.of_name(own.name) for own in found] == found

    def test_their_pulses_are_those_of_protocols(self):
        (found,) = Candidate((60.0,), 50.0).sequences(USUAL)
        ds = ln.simulate("paper", 1, n_edge=8, protocols=["60:50"])
        assert found.echo_sample == ds.attrs["echo_index"]
        assert found.n_samples == ds.sizes["time"]
        np.testing.assert_allclose([p.angle for p in found.pulses], np.radians([60, 120]))

    def test_the_nearest_sample_decides_whether_it_is_the_usual_one(self):
        is_usual = [Candidate((60.0,), tau).has_spacing_of(USUAL) for tau in (None, 100.0, 101.0)]
        assert is_usual == [True, True, False]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("tau", "must be written as"),
            ("tau at 60", "must be written as"),
            ("tau 50 at", "must be written as"),
            ("tau 50+60", "must be written as"),
            ("tau 5", "τ must be"),
            ("tau 50 at 20", "θ must be"),
        ],
    )
    def test_other_texts_are_refused(self, text, said):
        with pytest.raises(ln.InputError, match=said):
            parse_candidates(text)

    def test_without_the_linear_check_they_are_refused(self, model):
        with pytest.raises(ln.InputError, match=r"but one is 90:50\. Ask for the linear check"):
            ln.design(model, **{**SMALL, "candidates": ["theta 60", "tau 50"]})


@pytest.fixture(scope="module")
def result(model):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linear_module, "Slopes", FakeSlopes)
        candidates = ["theta 60 90", "pair 60", "tau 50 100"]
        return ln.design(model, linear=True, **{**SMALL, "candidates": candidates})


@pytest.mark.slow
class TestDesign:
    """Both answers side by side."""

    def test_every_candidate_has_a_linear_gain_and_those_of_another_tau_no_other(self, result):
        gains = result.gains.set_index("candidate")
        assert sorted(gains.index) == ["60", "60+120", "90", "90:100", "90:50"]
        assert gains["linear"].notna().all()
        assert gains.index[gains["gain"].isna()].tolist() == ["90:50"]
        assert gains["linear"].is_monotonic_decreasing
        assert result.best == Candidate.of_name(gains.index[0])
        assert gains.loc["90:100", "linear"] == pytest.approx(gains.loc["90", "linear"])
        assert list(result.linear["candidate"]) == list(gains.index)

    @pytest.mark.usefixtures("fake")
    def test_where_all_have_both_the_posterior_decides_the_order(self, model):
        both = ln.design(model, linear=True, **SMALL)
        alone = ln.design(model, **SMALL)
        assert both.gains["candidate"].equals(alone.gains["candidate"])
        assert both.gains["gain"].equals(alone.gains["gain"])
        assert "linear" not in alone.gains
        assert len(alone.linear) == 0

    def test_a_result_says_the_same_after_it_was_saved(self, result, tmp_path):
        result.save(tmp_path / "design")
        assert DesignResult.load(tmp_path / "design").gains.equals(result.gains)

    def test_the_figure_has_a_point_for_every_linear_gain(self, result):
        whole, _ = result.figures["gains"].axes
        assert sum(len(own[0].get_xdata()) for own in whole.containers) == 4 + 5

    def test_in_words_both_stand_side_by_side(self, result):
        lines = design_lines(design_values(result))
        assert "linear, nats" in lines[2]
        (row,) = (line for line in lines if line.startswith("90°, τ 50 µs"))
        assert row.split()[4] == "–"
        assert lines[-1].startswith("next       θ = ")


class TestSlopes:
    def test_scores_move_parameters_as_the_normal_quantiles_do(self):
        material = PRIOR.draw(1, np.random.RandomState(3))
        found = parameter_slopes(PRIOR, material)
        u = PRIOR.scores(material)[0]
        low, high = PRIOR.kernel_ranges[PRIOR.kernels[material.kernel[0]]]
        density = np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi)
        first, last = PRIOR.along(material.alpha_x)
        expected = [(last - first)[0] * density[1], (high - low) * density[2]]
        np.testing.assert_allclose([found[1, 1], found[2, 2]], expected, rtol=1e-4)
        # The kernel's parameter is independent, and α_x does not depend on what comes after it.
        np.testing.assert_allclose(found[[0, 1, 1, 2, 2], [2, 0, 2, 0, 1]], 0, atol=1e-6)
        quantity = quantity_slopes(PRIOR, material)
        np.testing.assert_allclose(
            quantity["W"], 2 * quantity["alpha_x"] + quantity["alpha_z"], atol=1e-9
        )

    @pytest.mark.slow
    def test_derivatives_are_differences_of_simulated_curves(self):
        import jax

        from latent_nmr._jax_settings import seed_key

        sequence = spin_echo(USUAL.dt, 48, 148, math.radians(60))
        material, line = PRIOR.draw(1, np.random.RandomState(5)), Line()
        found = Slopes(PRIOR, line, 10, 5).repeats(material, 2, sequence)
        key = jax.random.split(jax.random.fold_in(seed_key(5), 2), N_OFFSETS)[0]
        scores, h = PRIOR.scores(material), 0.05
        start = 0.5 * math.sin(math.radians(60))
        for q in range(3):
            ends = [
                PRIOR.materials(material.kernel, scores + sign * h * np.eye(3)[q])
                for sign in (-1, 1)
            ]
            low, high = (
                in_columns(curves_of(PRIOR, own, [key], line, sequence, 10)[0]) for own in ends
            )
            difference = (high - low) / (2 * h * start)
            size = np.abs(difference).max()
            # Single precision over 2h, and the curves' own tolerance of a thousandth at most.
            np.testing.assert_allclose(found.slopes[0, q] / size, difference / size, atol=0.05)
        np.testing.assert_allclose(np.abs(found.signals[:, 0]), 1, atol=0.02)
