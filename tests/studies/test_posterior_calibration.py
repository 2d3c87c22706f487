"""Calibration of posteriors on simulated curves: what it takes, and what it finds."""

import json

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.commands.main import main
from latent_nmr.data._kernel_sums import kernel_sums
from latent_nmr.errors import InputError
from latent_nmr.models.posterior.prior import Materials, Prior
from latent_nmr.report.calibration import calibration_lines, calibration_values
from latent_nmr.studies.posterior._data import flip_angles, new_curves, note_simulated
from latent_nmr.studies.posterior._quantities import QUANTITIES, coupling_lengths, places_in_range


def curves(n_curves, seed):
    return ln.simulate("challenge2021-spin", n_curves=n_curves, n_edge=6, seed=seed)


@pytest.fixture(scope="module")
def longer():
    return curves(64, 0)


@pytest.fixture(scope="module")
def training(longer):
    return longer.isel(curve=slice(None, 48))


@pytest.fixture(scope="module")
def model(training, tmp_path_factory):
    path = tmp_path_factory.mktemp("posterior") / "model"
    fitted = ln.EchoPosterior((16,), n_mixtures=2, max_epochs=3, batch_size=32, random_state=0)
    fitted.fit(ln.record_rows(training), training, flip_angles(training))
    fitted.save(path, note_simulated(training))
    return path


@pytest.fixture(scope="module")
def held_out():
    return curves(48, 1)


@pytest.fixture(scope="module")
def result(model, held_out):
    return ln.calibrate(model, held_out, n_draws=50)


class TestQuantities:
    def test_lengths_between_knots_are_those_of_the_kernel(self):
        prior = Prior()
        for number, (name, ends) in enumerate(prior.kernel_ranges.items()):
            parameter = np.linspace(*ends, 101)
            own = Materials(np.full(101, number), parameter, parameter, parameter)
            expected = kernel_sums(name, parameter, 100)[1]
            np.testing.assert_allclose(coupling_lengths(prior, own), expected, rtol=1e-4)

    def test_places_of_draws_of_the_prior_are_uniform(self):
        prior = Prior()
        places = places_in_range(prior, prior.draw(5000, np.random.RandomState(0)))
        assert abs(places.mean() - 0.5) < 4 / np.sqrt(12 * 5000)
        assert (places.min() >= 0) & (places.max() <= 1)


class TestCurves:
    def test_curves_of_the_training_are_left_out(self, training, longer):
        known = note_simulated(training)
        assert new_curves(known, longer)["curve"].to_numpy().tolist() == list(range(48, 64))
        with pytest.raises(InputError, match="all 48 lie among its curves 0 to 47"):
            new_curves(known, training)

    def test_curves_of_another_seed_are_new(self, training, held_out):
        assert new_curves(note_simulated(training), held_out).sizes["curve"] == 48

    def test_angles_are_those_of_each_curve_or_of_the_pulses(self, held_out):
        assert np.ptp(flip_angles(held_out)) > 60
        own = held_out.drop_vars("challenge_theta")
        own.attrs["pulse_angles_rad"] = [np.pi / 3, 2 * np.pi / 3]
        np.testing.assert_allclose(flip_angles(own), 60)
        del own.attrs["pulse_angles_rad"]
        with pytest.raises(InputError, match="must say the angle of its first pulse"):
            flip_angles(own)

    def test_other_times_are_refused(self, model, held_out):
        with pytest.raises(InputError, match="must be sampled like those of the model"):
            ln.calibrate(model, held_out.isel(time=slice(None, 1000)))


class TestCalibration:
    def test_every_way_quantity_and_level_is_there(self, result):
        overall = result.records.query("group == 'all'")
        assert set(overall.features) == {"phase", "magnitude"}
        for name in QUANTITIES:
            own = overall[overall.target == name]
            assert {"coverage_50", "coverage_95", "contraction", "r2"} <= set(own.score)
        assert overall.value.notna().all()

    def test_nothing_leaks(self, result):
        leaked = result.records.query("score == 'leaked'").value
        assert len(leaked) == 2
        assert (leaked == 0).all()

    def test_the_gate_says_what_was_compared_with_which_limit(self, result):
        for one in result.gate:
            below = one["value"] < one["limit"] or one["value"] == one["limit"]
            assert one["passed"] == (not below if " p " in f" {one['check']} " else below)

    def test_the_same_seed_gives_the_same_records(self, model, held_out, result):
        again = ln.calibrate(model, held_out, n_draws=50)
        np.testing.assert_array_equal(again.records.value, result.records.value)

    def test_it_is_loaded_as_it_was_saved_and_draws_ranks(self, result, tmp_path):
        result.save(tmp_path / "result")
        loaded = ln.CalibrationResult.load(tmp_path / "result")
        assert loaded.gate == result.gate
        figure = loaded.figures["ranks_phase"]
        assert [ax.get_title() for ax in figure.axes][2] == "W (MHz)"

    def test_its_text_names_every_check(self, result):
        text = "\n".join(calibration_lines(calibration_values(result)))
        for words in ("joint, p of random points", "|M| alone, corrected", "contraction"):
            assert words in text

    @pytest.mark.parametrize("change", [{"n_draws": 3}, {"snr": -1}])
    def test_numbers_that_cannot_be_are_refused(self, model, held_out, change):
        with pytest.raises(InputError):
            ln.calibrate(model, held_out, **change)

    def test_another_kind_of_model_is_refused(self, held_out):
        with pytest.raises(InputError, match="model must be"):
            ln.calibrate("echo", held_out)


def test_the_command_prints_and_writes_the_same(model, held_out, tmp_path, capsys):
    held_out.pipe(ln.save_echoes, tmp_path / "new.npz")
    out = tmp_path / "cal.json"
    argv = [
        "calibrate",
        str(model),
        str(tmp_path / "new.npz"),
        "--n-draws",
        "30",
        "--out",
        str(out),
    ]
    assert main(argv) == 0
    assert "checks" in capsys.readouterr().out
    assert json.loads(out.read_text("utf-8"))["n_curves"] == 48
    assert main([*argv, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n_draws"] == 30
