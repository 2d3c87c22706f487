"""What one material is, given echoes: combination, verdicts, texts, page and command."""

import json
import re
import shutil

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.commands.main import main
from latent_nmr.errors import InputError
from latent_nmr.models.posterior.receiver import SPECTROMETER
from latent_nmr.report.inference import (
    CONTRADICTION,
    NOT_IDENTIFIABLE,
    OUTSIDE_WARNING,
    inference_lines,
)
from latent_nmr.report.inference_page import page
from latent_nmr.studies.posterior import Inference, infer
from latent_nmr.studies.posterior._combine import combined
from latent_nmr.studies.posterior._correction import CORRECTION_FILE, Correction
from latent_nmr.studies.posterior._data import flip_angles, note_simulated, rows_for
from latent_nmr.studies.posterior._echoes import Echo, noise_of
from latent_nmr.studies.posterior._predictive import predicted, share_within
from latent_nmr.studies.posterior.training import train_posterior
from tests.models.posterior.conftest import PARAMETERS, rows_of_a_formula

N_DRAWS = 2000


@pytest.fixture(scope="module")
def formula():
    rows = rows_of_a_formula(800)
    return ln.EchoPosterior((32,), **PARAMETERS).fit(rows.X, rows.y, rows.angles)


def echo(model, number, verdict="INSIDE", snr=30.0, row=None):
    """An echo of the formula."""
    own = rows_of_a_formula(20, seed=7)
    X = own.X[number : number + 1] if row is None else row
    time = np.arange(24.0)
    angle = float(own.angles[number])
    return Echo(f"{number}", model, X, angle, snr, True, verdict, "Why.", time, np.abs(X[0, :24]))


@pytest.fixture(scope="module")
def curves():
    return ln.simulate("challenge2021-spin", n_curves=40, n_edge=6)


@pytest.fixture(scope="module")
def model(curves, tmp_path_factory):
    path = tmp_path_factory.mktemp("posterior") / "model"
    short = {"n_mixtures": 2, "max_epochs": 2, "batch_size": 16, "random_state": 0}
    fitted = train_posterior(curves, hidden_layer_sizes=(8,), **short)
    fitted.save(path, fitted.metadata_)
    return path


@pytest.fixture(scope="module")
def away(curves):
    """Number of a curve far from 90°, whose verdict is not tested."""
    return int(np.argmax(np.abs(flip_angles(curves) - 90)))


@pytest.fixture(scope="module")
def odd(curves):
    """A record that is switched on and off, as no simulated one is."""
    beats = 0.5 * (curves.time % 40 < 20)
    one = curves.isel(curve=[0])
    noise = 1e-3 * np.random.default_rng(0).normal(size=(1, one.sizes["time"]))
    return one.assign(mx=0 * one.mx + noise, my=(0 * one.my + beats).astype(np.float32))


class TestCombination:
    """The posterior given several echoes is the product of theirs over the prior."""

    def test_of_one_echo_it_is_its_own(self, formula):
        own = echo(formula, 0)
        found = combined(formula.prior_, [own], N_DRAWS, np.random.RandomState(0))
        expected = own.sample(N_DRAWS, np.random.RandomState(0))
        np.testing.assert_array_equal(found.draws.alpha_x, expected.alpha_x)
        assert found.n_effective == N_DRAWS

    def test_of_two_its_means_are_those_of_the_weighted_prior(self, formula):
        # Wide ones, so that enough draws of the prior count.
        echoes = [echo(formula, 3, snr=10), echo(formula, 3, snr=12)]
        found = combined(formula.prior_, echoes, N_DRAWS, np.random.RandomState(0))
        prior = formula.prior_.draw(40_000, np.random.RandomState(1))
        weights = np.exp(sum(own.information(prior) for own in echoes))
        weights /= weights.sum()
        n_effective = min(found.n_effective, N_DRAWS, 1 / np.sum(weights**2))
        for name in ("alpha_x", "alpha_z"):
            expected = float(weights @ getattr(prior, name))
            own = getattr(found.draws, name)
            assert own.mean() == pytest.approx(expected, abs=5 * own.std() / np.sqrt(n_effective))

    def test_two_say_more_than_one(self, formula):
        alone = combined(formula.prior_, [echo(formula, 2)], N_DRAWS, np.random.RandomState(0))
        both = combined(formula.prior_, [echo(formula, 2)] * 2, N_DRAWS, np.random.RandomState(0))
        assert both.information > alone.information
        assert both.draws.alpha_x.std() < alone.draws.alpha_x.std()

    def test_echoes_of_different_materials_are_found_to_contradict(self, formula):
        own = rows_of_a_formula(20, seed=7).materials.alpha_x
        ends = [int(np.argmin(own)), int(np.argmax(own))]
        far = Inference([echo(formula, n, snr=1000.0) for n in ends], N_DRAWS, 0)
        same = Inference([echo(formula, ends[0], snr=1000.0)] * 2, N_DRAWS, 0)
        assert far.n_effective < same.n_effective / 10
        assert far.contradict
        assert not same.contradict
        assert CONTRADICTION in inference_lines(far.as_json())

    def test_agreement_is_the_overlap_of_both_over_the_prior(self, formula):
        # Wide ones: Z is the mean over the prior of the product of both ratios.
        for other in (3, 5):
            echoes = [echo(formula, 3, snr=10), echo(formula, other, snr=12)]
            found = combined(formula.prior_, echoes, 4 * N_DRAWS, np.random.RandomState(0))
            prior = formula.prior_.draw(100_000, np.random.RandomState(1))
            products = np.exp(sum(own.information(prior) for own in echoes))
            error = products.std() / products.mean() * np.sqrt(1 / 1e5 + 1 / found.n_effective)
            assert found.agreement == pytest.approx(np.log(products.mean()), abs=5 * error)


class TestNoise:
    def test_white_noise_is_found(self):
        noise = np.random.default_rng(0).normal(size=(2, 4000))
        # The relative error of a median's deviation from 2 n correlated values is about 2/√(2 n).
        assert noise_of(noise[0] + 1j * noise[1]) == pytest.approx(1, abs=8 / np.sqrt(8000))

    def test_pulses_and_slow_signals_are_none(self):
        t = np.linspace(0, 300, 1882)
        signal = np.exp(-t / 20) * np.exp(2j * np.pi * 0.05 * t) + (t > 100) * np.exp(
            -(t - 100) / 20
        )
        assert noise_of(signal) < 1e-3


class TestInference:
    def test_what_the_echo_does_not_say_is_called_not_identifiable(self, formula):
        found = [Inference([echo(formula, n)], N_DRAWS, 0) for n in range(20)]
        # In the formula α_x sets the amplitude, and the kernel's parameter does nothing.
        assert all(own.known["alpha_x"].is_identified for own in found)
        names = [name for name in found[0].known if name.endswith("parameter")]
        # A model of 800 curves takes chance for knowledge, or for its opposite, in some echoes.
        assert np.mean([own.known[n].contraction for own in found for n in names]) < 0.1
        unknown = next(own for own in found if not own.known[names[0]].is_identified)
        lines = "\n".join(inference_lines(unknown.as_json()))
        assert NOT_IDENTIFIABLE in lines
        assert re.search("α_x.*MHz.*±", lines)

    def test_intervals_lie_in_the_prior_and_in_each_other(self, formula):
        for own in Inference([echo(formula, 1)], N_DRAWS, 0).known.values():
            found = own.estimate
            ends = (
                own.prior_low,
                found.low95,
                found.low68,
                found.high68,
                found.high95,
                own.prior_high,
            )
            assert list(ends) == sorted(ends)

    def test_an_outside_echo_is_said_to_be_so_on_every_output(self, formula):
        found = Inference([echo(formula, 1, verdict="OUTSIDE")], N_DRAWS, 0)
        values = found.as_json()
        assert values["is_outside"]
        assert inference_lines(values)[0] == OUTSIDE_WARNING
        assert "OUTSIDE: the echo is like no simulated one" in page(values, [])
        inside = Inference([echo(formula, 1)], N_DRAWS, 0).as_json()
        assert "OUTSIDE" not in page(inside, []) + "".join(inference_lines(inside))

    def test_the_page_needs_neither_script_nor_network(self, formula):
        values = Inference([echo(formula, 1)], N_DRAWS, 0).as_json()
        text = page(values | {"command": "latent-nmr infer <x>"}, [])
        assert "&lt;x&gt;" in text
        assert "<script" not in text
        assert not re.search(r"(src|href)=\"https?:", text)

    def test_frequencies_are_those_of_the_sample(self, formula):
        own = echo(formula, 1)
        slower = Echo(**{**vars(own), "time_factor": 0.5})
        plain, scaled = (Inference([one], N_DRAWS, 0).known for one in (own, slower))
        assert scaled["W"].estimate.mean == pytest.approx(0.5 * plain["W"].estimate.mean)
        assert scaled["W"].contraction == pytest.approx(plain["W"].contraction)
        assert scaled["L"].estimate.mean == pytest.approx(plain["L"].estimate.mean)

    def test_its_figures_draw_every_number(self, formula):
        figures = Inference([echo(formula, 1)], N_DRAWS, 0).figures
        labels = [ax.get_xlabel() for ax in figures["marginals"].axes]
        assert [text for text in labels if "MHz" in text][-1] == "W (MHz)"
        assert set(figures) == {"marginals", "pairs", "echo"}


def correction(ranks, n_rows=400):
    """One that has seen such ranks everywhere."""
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(n_rows, 7))
    return Correction({True: ranks(rng, (n_rows, 4))}, {True: columns})


class TestCorrection:
    """Intervals follow the ranks of known curves."""

    @pytest.mark.parametrize(("shape", "wider"), [(0.4, True), (3.0, False)])
    def test_intervals_widen_where_truths_lay_in_the_tails(self, formula, shape, wider):
        own = correction(lambda rng, size: rng.beta(shape, shape, size))
        plain = echo(formula, 1)
        corrected = Inference([Echo(**{**vars(plain), "correction": own})], N_DRAWS, 0)
        before = Inference([plain], N_DRAWS, 0)
        assert corrected.is_corrected
        assert not before.is_corrected
        for name in ("alpha_x", "W"):
            widths = [i.known[name].estimate for i in (before, corrected)]
            widths = [one.high68 - one.low68 for one in widths]
            assert (widths[1] > widths[0]) == wider

    def test_of_uniform_ranks_intervals_stay(self, formula):
        own = correction(lambda rng, size: rng.random(size), 4000)
        plain = echo(formula, 1)
        corrected = Inference([Echo(**{**vars(plain), "correction": own})], N_DRAWS, 0)
        before, after = (i.known["W"].estimate for i in (Inference([plain], N_DRAWS, 0), corrected))
        # A quantile of 300 ranks is known to √(q (1 - q)/300), 0.02 at the 68 % ends.
        assert after.low68 == pytest.approx(before.low68, abs=0.3 * before.sd)
        assert after.high68 == pytest.approx(before.high68, abs=0.3 * before.sd)

    def test_it_is_loaded_as_it_was_saved_up_to_a_step(self, tmp_path):
        own = correction(lambda rng, size: rng.random(size))
        own.save(tmp_path)
        loaded = Correction.load(tmp_path)
        np.testing.assert_allclose(loaded.ranks[True], own.ranks[True], atol=1 / 255)
        np.testing.assert_allclose(loaded.columns[True], own.columns[True], rtol=1e-3)
        assert Correction.load(tmp_path / "elsewhere") is None

    def test_a_damaged_file_is_refused(self, tmp_path):
        (tmp_path / CORRECTION_FILE).write_bytes(b"nothing")
        with pytest.raises(InputError, match="calibration of a model must be as it was saved"):
            Correction.load(tmp_path)

    @pytest.mark.slow
    def test_a_calibration_gives_one(self, model):
        other = ln.simulate("challenge2021-spin", n_curves=40, n_edge=6, seed=2)
        found = ln.calibrate(model, other, n_draws=20).correction()
        assert found.ranks.keys() == {True, False}
        assert found.columns[True].shape == (40, 7)


class TestData:
    def test_a_curve_of_a_data_set_is_a_whole_record_of_its_own_angle(self, model, curves, away):
        found = infer(curves, model, curve=away, n_draws=200)
        (own,) = found.echoes
        assert own.flip_angle_deg == pytest.approx(flip_angles(curves)[away])
        assert own.verdict == "UNTESTED"
        assert own.row.shape == (1, 940)
        assert found.table.shape[0] >= 4
        assert set(found.draws.columns) >= {"kernel", "W", "L"}

    def test_near_90_degrees_the_verdict_counts(self, model, odd):
        with pytest.raises(InputError, match=r"the verdict is OUTSIDE.*anyway=True"):
            infer(odd, model, flip_angle_deg=90, snr=100)
        found = infer(odd, model, flip_angle_deg=90, snr=100, anyway=True, n_draws=200)
        assert found.is_outside

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"curve": 40}, "curve must be"),
            ({"flip_angle_deg": 5}, "flip_angle_deg must be"),
            ({"flip_angle_deg": [60, 120]}, "flip_angle_deg must be one number, or one for each"),
            ({"snr": 2}, "snr must be.*Average more scans"),
            ({"n_draws": 5}, "n_draws must be"),
        ],
    )
    def test_what_cannot_be_is_refused(self, model, curves, away, change, message):
        with pytest.raises(InputError, match=message):
            infer(curves, model, **{"curve": away, **change})

    def test_every_protocol_of_a_data_set_is_an_echo_of_the_material(self, model):
        pair = ln.simulate("paper-pair", n_curves=2, n_edge=6)
        found = infer(pair, model, curve=1, n_draws=200)
        assert [echo.flip_angle_deg for echo in found.echoes] == pytest.approx([60, 120])
        np.testing.assert_array_equal(
            found.echoes[1].row, ln.record_rows(pair.isel(protocol=1, curve=[1]))
        )

    def test_nothing_is_refused(self, model):
        with pytest.raises(InputError, match="echoes must be a path"):
            infer([], model)

    def test_predicted_curves_begin_at_one_and_echo_at_twice_the_spacing(self, model, curves, away):
        found = infer(curves, model, curve=away, n_draws=200)
        own = found.echoes[0]
        shown = predicted(own, own.sample(3, np.random.RandomState(0)), seed=0, n_edge=6)
        assert shown.shape == (3, 1882)
        np.testing.assert_allclose(shown[:, 0], 1, atol=10 / own.snr)

    def test_right_curves_lie_within_their_band_as_often_as_it_says(self):
        rng = np.random.default_rng(0)
        curves = rng.normal(size=(500, 2000))
        # Quantiles of 500 draws are known to √(0.05 · 0.95/500), 0.01 of probability.
        assert share_within(rng.normal(size=2000), curves) == pytest.approx(0.9, abs=0.04)

    def test_stratified_offsets_are_no_training_data(self, curves):
        with pytest.raises(InputError, match="must be trained on independent offsets"):
            train_posterior(curves.assign_attrs(line_draw="stratified"))


class TestRefusals:
    """What is no echo, and what is not said of one."""

    @pytest.mark.parametrize(
        ("settings", "said"),
        [
            ({"flip_angle_deg": "60"}, "flip_angle_deg must be a number, but is the text '60'"),
            ({"flip_angle_deg": np.array([60.0, 90.0])}, "one for each of the 1 echoes, but has 2"),
            ({"snr": [100, 50]}, "snr must be > 0"),
            ({"snr": "100"}, "snr must be > 0"),
            ({"random_state": "a"}, "random_state must be a whole number"),
            ({"tau": 100}, "but one is tau. Leave it out"),
            ({"m0": 0.5}, "but one is m0. Leave it out"),
            ({"curve": 10_000}, "curve must be a whole number of at least 0 and at most"),
        ],
    )
    def test_settings_are_checked_by_name(self, model, curves, settings, said):
        with pytest.raises(InputError, match=re.escape(said)):
            infer(curves, model, **settings)

    def test_an_echo_is_not_combined_with_itself(self, model, curves):
        with pytest.raises(InputError, match="is there twice"):
            infer([curves, curves], model, anyway=True)

    @pytest.mark.parametrize(
        ("spoil", "said"),
        [
            (lambda ds: ds.drop_vars("my"), "mx, my"),
            (lambda ds: ds.isel(curve=0), "curve"),
            (lambda ds: ds.isel(curve=slice(0)), "curve"),
            (lambda ds: ds.assign(mx=ds.mx * np.nan), "must be finite"),
            (lambda ds: [ds.mx.to_numpy()], "must be an xarray.Dataset"),
        ],
        ids=["one component", "no dimension", "no curve", "no numbers", "no data set"],
    )
    def test_what_is_no_data_set_of_echoes(self, model, curves, spoil, said):
        with pytest.raises(InputError, match=said):
            infer(spoil(curves), model)


class TestCommand:
    def test_it_prints_and_writes_a_page_and_does_it_once(
        self, model, curves, away, tmp_path, capsys
    ):
        data, out = tmp_path / "one.npz", tmp_path / "page.html"
        ln.save_echoes(curves.isel(curve=[away]), data)
        argv = ["infer", str(data), "--model", str(model), "--n-draws", "300", "--predictive", "0"]
        assert main([*argv, "--out", str(out)]) == 0
        assert "contraction" in capsys.readouterr().out
        assert "<figure>" in out.read_text("utf-8")
        assert main([*argv, "--out", str(out)]) == 0
        assert "already finished" in capsys.readouterr().out
        assert main([*argv, "--json", "--theta", "60", "--phase", "trusted"]) == 0
        values = json.loads(capsys.readouterr().out)
        assert values["echoes"][0]["flip_angle_deg"] == 60
        assert values["echoes"][0]["phase_trusted"]

    def test_a_store_of_other_curves_is_no_finished_page(self, model, curves, tmp_path, capsys):
        data, out = tmp_path / "one.zarr", tmp_path / "page.html"
        argv = ["infer", str(data), "--model", str(model), "--n-draws", "100", "--predictive", "0"]
        argv += ["--anyway", "--out", str(out)]
        ln.save_echoes(curves.isel(curve=[0]), data)
        assert main(argv) == 0
        page = out.read_bytes()
        shutil.rmtree(data)
        ln.save_echoes(curves.isel(curve=[1]), data)
        assert main(argv) == 2
        assert "one.zarr" in capsys.readouterr().err
        assert out.read_bytes() == page

    def test_a_foreign_page_is_refused_before_anything_is_inferred(
        self, model, curves, tmp_path, capsys, monkeypatch
    ):
        ln.save_echoes(curves.isel(curve=[0]), tmp_path / "one.npz")
        (tmp_path / "mine.html").write_text("thesis", "utf-8")
        monkeypatch.setattr("latent_nmr.studies.posterior.infer", None)
        argv = ["infer", str(tmp_path / "one.npz"), "--model", str(model)]
        assert main([*argv, "--out", str(tmp_path / "mine.html")]) == 2
        assert "--out must be a new path" in capsys.readouterr().err
        assert (tmp_path / "mine.html").read_text("utf-8") == "thesis"

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (["--seed", "-1"], "--seed must be a whole number of at least 0"),
            (["--n-draws", "2000000"], "--n-draws must be a whole number"),
            (["--theta", "200"], "--theta must be"),
            (["--theta", "60", "90"], "--theta must be one number, or one for each"),
            (["--predictive", "-1"], "--predictive must be a whole number of at least 0"),
            (["--m0", "0.5"], "--m0 must be left out, but is 0.5"),
        ],
    )
    def test_wrong_options_are_named(self, model, curves, tmp_path, capsys, options, said):
        ln.save_echoes(curves.isel(curve=[0]), tmp_path / "one.npz")
        argv = ["infer", str(tmp_path / "one.npz"), "--model", str(model), "--n-draws", "100"]
        assert main([*argv, *options]) == 2
        assert said in capsys.readouterr().err

    @pytest.mark.slow
    def test_an_outside_echo_ends_with_2(self, model, odd, tmp_path, capsys):
        ln.save_echoes(odd, tmp_path / "odd.npz")
        argv = ["infer", str(tmp_path / "odd.npz"), "--model", str(model)]
        argv += ["--theta", "90", "--snr", "100"]
        assert main(argv) == 2
        error = capsys.readouterr().err
        assert "OUTSIDE" in error
        assert "Pass --anyway to" in error
        assert main([*argv, "--anyway"]) == 0
        assert capsys.readouterr().out.startswith("OUTSIDE")


@pytest.mark.slow
def test_a_measured_file_is_taken_about_the_top_of_its_echo(curves, tmp_path):
    rows = rows_for(SPECTROMETER, curves)
    short = {"n_mixtures": 2, "max_epochs": 2, "batch_size": 16, "random_state": 0}
    model = ln.EchoPosterior((8,), receiver=SPECTROMETER, **short)
    model.fit(rows, curves, flip_angles(curves))
    model.metadata_ = note_simulated(curves)
    time = 0.2 * np.arange(1500)
    rng = np.random.default_rng(0)
    noise = 0.02 * (rng.normal(size=(2, 1500)).T @ [1, 1j])
    np.savez(
        tmp_path / "echo.npz",
        signal=np.exp(-np.abs(time - 150) / 8) + noise,
        dwell=0.2,
        time_unit="µs",
    )
    found = infer(tmp_path / "echo.npz", model, pulse_separation=100, anyway=True, n_draws=200)
    assert found.echoes[0].row.shape == (1, 400)
    # A band limit takes noise away.
    assert 50 < found.echoes[0].snr <= 300
    with pytest.raises(InputError, match="a posterior of whole records"):
        infer(curves, model)
