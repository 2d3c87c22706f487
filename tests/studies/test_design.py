"""Designs: what several echoes say together, and what a further one is expected to say."""

import copy

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import latent_nmr as ln
from latent_nmr.commands.main import main
from latent_nmr.errors import InputError
from latent_nmr.models.posterior.prior import Materials, Prior
from latent_nmr.report.design import design_values
from latent_nmr.report.inference_page import write_page
from latent_nmr.studies.design import (
    Conditions,
    DesignResult,
    next_design,
    parse_candidates,
    proof_of_design,
    summary_of_proof,
)
from latent_nmr.studies.design._gain import KERNEL, Spread, gain_of, narrowed
from latent_nmr.studies.posterior._combine import Weighted, weighted
from latent_nmr.studies.posterior._data import flip_angles
from latent_nmr.studies.posterior._simulated import simulated_echoes

PRIOR = Prior()
N_SCORES = 3


class NormalEcho:
    """A reading y of the normal scores u of a material with an error of standard deviation s.

    Of u ~ N(0, 1) the posterior is N(y/(1 + s²), s²/(1 + s²)): all that is asked of it is exact.
    """

    def __init__(self, reading, deviation):
        self.mean = np.asarray(reading) / (1 + deviation**2)
        self.deviation = deviation / np.sqrt(1 + deviation**2)

    def sample(self, n_draws, random):
        scores = self.mean + self.deviation * random.standard_normal((n_draws, N_SCORES))
        return PRIOR.materials(random.randint(3, size=n_draws), scores)

    def information(self, materials):
        scores = PRIOR.scores(materials)
        own = -0.5 * ((scores - self.mean) / self.deviation) ** 2 - np.log(self.deviation)
        return np.sum(own + 0.5 * scores**2, axis=1)


def reading_of(materials, deviation, random):
    scores = PRIOR.scores(materials)
    return NormalEcho(scores + deviation * random.standard_normal(scores.shape), deviation)


def test_candidates_that_are_none_are_refused():
    with pytest.raises(InputError, match="candidates must be texts such as"):
        ln.design("posterior", candidates=None)


class TestBelief:
    @pytest.mark.parametrize("deviations", [(0.5, 0.5), (0.2, 1.5)])
    def test_the_product_of_two_echoes_is_that_of_their_readings(self, deviations):
        random = np.random.RandomState(0)
        readings = np.array([[0.6, -0.4, 0.2], [0.9, 0.1, -0.3]])
        echoes = [NormalEcho(*own) for own in zip(readings, deviations, strict=True)]
        found = weighted(PRIOR, echoes, 20_000, random)
        scores = PRIOR.scores(found.materials)
        precisions = 1 / np.array(deviations) ** 2
        sharper = 1 + precisions.sum()
        mean, variance = precisions @ readings / sharper, 1 / sharper
        # Standard errors of means and of variances of n_effective draws; five of them.
        error = np.sqrt(variance / found.n_effective)
        np.testing.assert_allclose(found.weights @ scores, mean, atol=5 * error)
        spread = found.weights @ (scores - found.weights @ scores) ** 2
        np.testing.assert_allclose(spread, variance, rtol=5 * np.sqrt(2 / found.n_effective))
        # log Z = log of ∫ N(u; m₁) N(u; m₂) / N(u; 0) du.
        a, b = (1 + 1 / own**2 for own in deviations)
        m, n = (echo.mean for echo in echoes)
        exponent = 0.5 * ((a * m + b * n) ** 2 / (a + b - 1) - a * m**2 - b * n**2)
        exact = np.sum(exponent + 0.5 * np.log(a * b / (a + b - 1)))
        assert found.log_z == pytest.approx(exact, abs=5 / np.sqrt(found.n_effective))

    def test_of_no_echo_it_is_the_prior_and_of_one_its_own_posterior(self):
        random = np.random.RandomState(1)
        nothing = weighted(PRIOR, [], 1000, random)
        one = weighted(PRIOR, [NormalEcho(np.zeros(3), 0.5)], 1000, random)
        for found in (nothing, one):
            np.testing.assert_allclose(found.weights, 1e-3)
            assert found.log_z == pytest.approx(0)
        spread = PRIOR.scores(one.materials).std(axis=0)
        # Relative standard error 1/√2000; five of them.
        np.testing.assert_allclose(spread, np.sqrt(0.2), rtol=5 / np.sqrt(2000))


class TestGain:
    @pytest.mark.parametrize("n_known", [0, 1, 2])
    def test_expected_gains_are_the_mutual_information(self, n_known):
        random, deviation, n_materials = np.random.RandomState(2), 0.6, 150
        gains = []
        for _ in range(n_materials):
            # What is known belongs to the material.
            truth = PRIOR.draw(1, random)
            known = [reading_of(truth, deviation, random) for _ in range(n_known)]
            belief = weighted(PRIOR, known, 400, random)
            before = Spread.of(PRIOR, belief)
            new = [reading_of(truth, deviation, random)]
            gains.append(gain_of(PRIOR, known, belief, before, truth, new, 400, random).nats)
        precision = 1 / deviation**2
        exact = 1.5 * np.log((1 + (n_known + 1) * precision) / (1 + n_known * precision))
        error = np.std(gains, ddof=1) / np.sqrt(n_materials)
        assert np.mean(gains) == pytest.approx(exact, abs=4 * error)

    def test_what_says_nothing_gains_nothing(self):
        random = np.random.RandomState(3)
        truth = PRIOR.draw(1, random)
        belief = weighted(PRIOR, [], 2000, random)
        before = Spread.of(PRIOR, belief)
        gain = gain_of(
            PRIOR, [], belief, before, truth, [NormalEcho(np.zeros(3), 1e6)], 2000, random
        )
        assert gain.nats == pytest.approx(0, abs=1e-6)
        # Of two sets of 2,000 draws, standard deviations differ by 2 %; five times that.
        np.testing.assert_allclose(list(gain.narrowing.values()), 0, atol=0.11)

    def test_of_a_single_draw_nothing_is_left_open(self):
        material = PRIOR.draw(1, np.random.RandomState(4))
        spread = Spread.of(PRIOR, Weighted(material, np.ones(1), 0.0))
        assert spread.entropy == 0
        assert set(spread.deviations.values()) == {0.0}
        before = Spread(dict.fromkeys(spread.deviations, 1.0), 1.0)
        assert narrowed(before, spread)[KERNEL] == 1.0


class TestCandidates:
    @given(st.integers(30, 140), st.integers(1, 40), st.integers(0, 6))
    @settings(max_examples=40, deadline=None)
    def test_a_range_holds_its_ends_and_every_step_between(self, first, step, count):
        last = min(first + step * count, 150)
        found = parse_candidates(f"theta {first}:{last}:{step}")
        angles = [own.flip_angles_deg for own in found]
        assert angles == [(float(own),) for own in range(first, last + 1, step)]

    def test_a_pair_is_an_angle_and_what_is_left_to_180(self):
        found = parse_candidates(["pair 60", "theta 60+120 90"])
        assert [own.name for own in found] == ["60+120", "90"]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("60", "must be written as"),
            ("theta", "must be written as"),
            ("theta 30:150", "must be written as"),
            ("theta 30:150:0", "must be written as"),
            ("theta 20", "θ must be"),
            ("pair 60 200", "θ must be"),
        ],
    )
    def test_other_texts_are_refused(self, text, said):
        with pytest.raises(InputError, match=said):
            parse_candidates(text)

    def test_nothing_to_choose_among_is_refused(self):
        with pytest.raises(InputError, match="candidates must be 1 to"):
            parse_candidates([])


class TestEchoes:
    def test_echoes_are_those_of_the_simulator_for_the_angle_that_pulses_have(self):
        materials = PRIOR.draw(3, np.random.RandomState(0))
        right = simulated_echoes(PRIOR, materials, 66.0, n_edge=8)
        wrong = simulated_echoes(PRIOR, materials, 60.0, n_edge=8, flip_error=0.1)
        np.testing.assert_allclose(wrong.mx, right.mx, atol=1e-6)
        assert flip_angles(wrong).tolist() == [60.0] * 3
        start = np.hypot(right.mx, right.my).to_numpy()[:, 0]
        np.testing.assert_allclose(start, 0.5 * np.sin(np.radians(66)), rtol=1e-5)

    def test_without_coupling_echoes_do_not_depend_on_the_kernel(self):
        material = Materials(np.array([0, 1]), np.zeros(2), np.zeros(2), np.array([10.0, 2.0]))
        found = simulated_echoes(PRIOR, material.rows([0, 0]), 90.0, n_edge=8)
        other = simulated_echoes(PRIOR, material.rows([0, 1]), 90.0, n_edge=8)
        np.testing.assert_allclose(found.my[1], other.my[1], atol=1e-6)


@pytest.fixture(scope="module")
def model():
    curves = ln.simulate("challenge2021-spin", n_curves=48, n_edge=6, seed=0)
    fitted = ln.EchoPosterior((16,), n_mixtures=2, max_epochs=3, batch_size=32, random_state=0)
    return fitted.fit(ln.record_rows(curves), curves, flip_angles(curves))


SMALL = {"candidates": ["theta 60 90", "pair 60"], "n_materials": 3, "n_draws": 20, "n_edge": 6}


@pytest.fixture(scope="module")
def result(model):
    return ln.design(model, **SMALL)


class TestDesign:
    def test_every_candidate_has_a_gain_and_the_best_is_first(self, result):
        gains = result.gains
        assert sorted(gains["candidate"]) == ["60", "60+120", "90"]
        assert gains["gain"].is_monotonic_decreasing
        assert gains["gain"].nunique() == 3
        assert result.best.name == gains["candidate"][0]
        assert (gains["error"] > 0).all()
        values = result.records.query("target == 'all' and features == '90'")["value"]
        assert gains.set_index("candidate").loc["90", "gain"] == pytest.approx(values.mean())

    @pytest.mark.slow
    def test_the_same_call_gives_the_same_numbers_and_others_other_ones(self, model, result):
        again = ln.design(model, **SMALL)
        np.testing.assert_array_equal(again.records["value"], result.records["value"])
        noisy = ln.design(model, **{**SMALL, "snr": 12.0})
        assert not np.array_equal(noisy.records["value"], result.records["value"])

    def test_an_interrupted_design_continues(self, model, result, tmp_path):
        first = {**SMALL, "candidates": ["theta 60"]}
        ln.design(model, **first, folder=tmp_path)
        kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "steps").iterdir()}
        assert len(kept) == 1
        whole = ln.design(model, **SMALL, folder=tmp_path)
        np.testing.assert_array_equal(whole.records["value"], result.records["value"])
        (name, time), *_ = kept.items()
        assert (tmp_path / "steps" / name).stat().st_mtime_ns == time

    def test_a_result_says_the_same_after_it_was_saved(self, result, tmp_path):
        result.save(tmp_path / "design")
        again = DesignResult.load(tmp_path / "design")
        assert again.gains.equals(result.gains)
        assert again.best == result.best

    def test_its_figure_has_an_angle_for_every_candidate(self, result):
        whole, _ = result.figures["gains"].axes
        places = [x for line in whole.containers for x in line[0].get_xdata()]
        assert sorted(places) == [60, 60, 90]

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"snr": 0}, "snr must be > 0"),
            ({"n_materials": 1}, "n_materials must be"),
            ({"candidates": "phi 3"}, "candidates must be written as"),
            ({"phase": "unknown"}, "phase must be True or False"),
            ({"flip_error": 3}, "flip_error must be"),
        ],
    )
    def test_bad_settings_are_refused_by_name(self, model, changed, said):
        with pytest.raises(InputError, match=said):
            ln.design(model, **{**SMALL, **changed})

    def test_a_posterior_of_another_receiver_is_refused(self, model):
        other = copy.copy(model).set_params(receiver="spectrometer")
        with pytest.raises(InputError, match="posterior must be one of whole records"):
            ln.design(other, **SMALL)


class TestProof:
    @pytest.fixture(scope="class")
    @staticmethod
    def table(model):
        conditions = Conditions(30.0, True, 0.0)
        how = {"n_truths": 3, "n_materials": 2, "n_draws": 20, "n_edge": 6}
        return proof_of_design(model, [60, 90], conditions, **how)

    def test_every_material_has_both_gains_at_every_angle(self, table):
        assert table["angle"].tolist() == [60, 90] * 3
        assert np.isfinite(table[["predicted", "found"]].to_numpy()).all()

    def test_a_summary_takes_the_angle_of_the_largest_prediction(self):
        table = pd.DataFrame(
            {"angle": [60, 90] * 2, "predicted": [2, 1, 0, 3], "found": [1.5, 1, 0, 2.0]}
        )
        found = summary_of_proof(table)
        assert found["choices"]["designed"]["predicted"][0] == 2.5
        assert found["choices"]["designed"]["found"][0] == 1.75
        assert found["choices"]["90° again"]["found"][0] == 1.5
        assert found["found less predicted"][0] == pytest.approx(-0.375)
        assert found["angles"]["60"]["found"][0] == 0.75


class TestNext:
    """What is to be measured after an echo that was inferred."""

    @pytest.fixture(scope="class")
    @staticmethod
    def found(model):
        curves = ln.simulate("challenge2021-spin", n_curves=8, n_edge=6, seed=3)
        number = int(np.argmax(np.abs(flip_angles(curves) - 90)))
        found = ln.infer(curves, model, curve=number, snr=40.0, n_draws=100)
        return found, flip_angles(curves)[number]

    def test_materials_are_of_the_posterior_and_noise_is_that_of_the_echo(self, found):
        few = {"candidates": ["theta 60"], "n_materials": 2, "n_draws": 20, "n_edge": 6}
        result = next_design(found[0], **few)
        assert result.facts["n_known"] == 1
        assert result.facts["snr"] == pytest.approx(40 / np.sin(np.radians(found[1])))
        assert result.facts["before"]["alpha_x"] != pytest.approx(
            ln.design(found[0].echoes[0].model, **few).facts["before"]["alpha_x"], rel=1e-3
        )

    def test_the_page_says_what_to_measure(self, found, tmp_path):
        result = next_design(found[0], candidates=["theta 60"], n_materials=2, n_draws=9, n_edge=6)
        values = found[0].as_json() | {"command": "x", "next": design_values(result)}
        write_page(found[0], values, tmp_path / "page.html", result)
        text = (tmp_path / "page.html").read_text("utf-8")
        assert "What to measure next" in text
        assert "θ = 60°" in text

    @pytest.mark.slow
    def test_the_command_ends_with_the_next_pulse(self, model, capsys, tmp_path):
        model.save(tmp_path / "model")
        curves = ln.simulate("challenge2021-spin", n_curves=4, seed=3)
        ln.save_echoes(curves, tmp_path / "echoes.nc")
        words = [str(tmp_path / "echoes.nc"), "--model", str(tmp_path / "model"), "--anyway"]
        assert main(["infer", *words, "--next", "--predictive", "0"]) == 0
        assert "next       θ = " in capsys.readouterr().out
