"""The studies that the documents quote: noise, settings, and the precision of weights."""

import numpy as np
import pytest
import xarray as xr

import latent_nmr as ln
from latent_nmr.analysis.score_names import HEADLINES
from latent_nmr.analysis.scores import REGRESSED
from latent_nmr.data.windows import features
from latent_nmr.errors import InputError
from latent_nmr.studies.dataset_figures import nearest_curve
from latent_nmr.studies.evaluation import evaluate_echoes
from latent_nmr.studies.evaluation._figures import figure_title
from latent_nmr.studies.evaluation.precision import (
    best_vae,
    publish_best,
    scores_by_precision,
)
from latent_nmr.studies.noise import evaluate_noise, noise_figure, noisy_features
from latent_nmr.studies.settings import true_parameter_scores


@pytest.fixture(scope="module")
def dataset():
    """240 curves with both channels."""
    return ln.simulate("paper", 240, n_edge=8, step=4)


class TestNoise:
    """Representations of clean and of noisy curves."""

    def test_noise_has_the_deviation_that_its_ratio_says(self, dataset):
        clean, noisy = (noisy_features(dataset, snr) for snr in (None, 20))
        largest = clean.max(axis=1, keepdims=True)
        # In |M| only the noise along the magnetisation counts, where |M| is far above the noise.
        far = clean > 0.5 * largest
        relative = ((noisy - clean) / largest)[far]
        expected, spread = 1 / 20, 1 / 20 / np.sqrt(2 * far.sum())
        assert relative.std() == pytest.approx(expected, abs=6 * spread + 0.02 * expected)

    def test_clean_curves_are_those_of_the_window(self, dataset):
        clean = noisy_features(dataset, None)
        assert np.allclose(clean, features(dataset, window="echo"), atol=1e-6)

    @pytest.mark.slow
    def test_what_is_fitted_on_clean_curves_is_scored_on_every_level(self, dataset, tmp_path):
        results = evaluate_noise(
            dataset, [3, 30], methods=("pca",), n_seeds=1, folder=tmp_path / "noise"
        )
        assert list(results) == ["clean", "SNR 3", "SNR 30"]
        assert list(results["clean"].parts) == ["held-out", "SNR 3", "SNR 30"]
        assert list(results["SNR 3"].parts) == ["held-out"]
        score = {name: found.table_of("held-out") for name, found in results.items()}
        assert not score["clean"].equals(score["SNR 3"])
        assert sorted(path.name for path in (tmp_path / "noise").iterdir()) == [
            "SNR-3",
            "SNR-30",
            "clean",
        ]
        titles = [ax.get_ylabel() for ax in noise_figure(results, [3, 30]).axes if ax.get_lines()]
        assert titles == [figure_title(name) for name in HEADLINES]


class TestSettings:
    """What no encoder could exceed."""

    def test_a_true_parameter_tells_itself_and_not_an_independent_one(self):
        draw = np.random.default_rng(0)
        labels = {name: ("curve", draw.random(900)) for name in REGRESSED}
        labels["kernel"] = ("curve", np.repeat(["gaussian", "power", "rkky"], 300))
        scores = true_parameter_scores(xr.Dataset(labels), ["alpha_x"])
        assert set(scores) == set(HEADLINES)
        assert scores["r2_alpha_x"] > 0.99
        assert scores["r2_W"] < 0.2


class TestPrecision:
    """The best β-VAE of an evaluation."""

    @pytest.fixture(scope="class")
    @staticmethod
    def folder(dataset, tmp_path_factory):
        folder = tmp_path_factory.mktemp("precision") / "run"
        small = {"hidden_layer_sizes": (8,), "max_epochs": 2, "batch_size": 32}
        vae = ln.BetaVAE(**small)
        result = evaluate_echoes(
            dataset,
            {"vae": vae, "pca": "pca", "mine": ln.BetaVAE(beta=7.0, **small)},
            n_seeds=2,
            ceiling=False,
            folder=folder,
        )
        result.write_into(folder)
        return folder

    def test_the_one_with_the_lowest_validation_loss_is_found(self, folder):
        model, fit = best_vae(folder)
        losses = [
            entry["validation_loss"]
            for entry in ln.EvaluationResult.load(folder).facts["fits"]
            if entry["model"] == "vae"
        ]
        assert len(losses) == 2
        assert fit["validation_loss"] == min(losses)
        assert model.n_components == 2

    def test_a_dimension_that_was_not_evaluated_is_refused(self, folder):
        with pytest.raises(InputError, match="has no vae with 5, only mine with 2, vae with 2"):
            best_vae(folder, 5)

    def test_losses_of_other_methods_do_not_compete(self, folder):
        model, fit = best_vae(folder, 2, "mine")
        assert (fit["model"], model.beta) == ("mine", 7.0)
        assert best_vae(folder)[0].beta == 2.0

    def test_what_is_published_is_the_best_model_with_its_scores(self, folder, dataset, tmp_path):
        ln.save_echoes(dataset, tmp_path / "data.nc")
        settings = {"data": str(tmp_path / "data.nc"), "also": [], "window": "echo"}
        settings |= {"normalisation": "initial", "held_out": 0.2, "split_seed": 0}
        place = tmp_path / "model"
        facts = publish_best(folder, settings, place, method="mine", tolerance=1.0)
        assert (facts["model"], facts["precision"]) == (
            best_vae(folder, 2, "mine")[1]["saved"],
            "half",
        )
        assert facts["bytes"] == sum(path.stat().st_size for path in place.iterdir())
        records = ln.EvaluationResult.load(folder).records
        seed = int(facts["model"].rpartition("seed")[2])
        own = (records["model"] == "mine") & (records["seed"] == seed)
        found = records[own & (records["part"] == "held-out")].set_index("score")["value"]
        for name in ("r2_W", "f1_macro", "rms"):
            assert facts["scores"]["single"]["held-out"][name] == pytest.approx(
                found[name], abs=1e-6
            )
        assert ln.BetaVAE.load(place).beta == 7.0

    def test_half_precision_changes_scores_by_what_is_said(self, folder, dataset):
        model, _ = best_vae(folder)
        scores, largest = scores_by_precision(model, dataset, window="echo")
        single, half = (scores[name]["held-out"] for name in ("single", "half"))
        assert set(single) == set(half)
        assert largest == max(abs(single[name] - half[name]) for name in single)
        assert 0 < largest < 0.5


def test_the_example_of_a_kernel_is_the_curve_nearest_to_its_parameter(dataset):
    rows = np.flatnonzero(dataset["kernel"].to_numpy() == "gaussian")
    assert len(rows) > 2
    parameters, strengths = (dataset[name].to_numpy()[rows] for name in ("kernel_parameter", "W"))
    row = nearest_curve(dataset, rows, 8.0)
    chosen = np.flatnonzero(rows == row)[0]
    better = (abs(parameters - 8) < abs(parameters[chosen] - 8)) & (
        abs(strengths - 0.2) < abs(strengths[chosen] - 0.2)
    )
    assert not better.any()
