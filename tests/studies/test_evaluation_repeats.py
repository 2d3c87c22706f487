"""Evaluations of data with repeats: methods that learn from them."""

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.studies.evaluation._methods import methods_of

N_MATERIALS, N_FEATURES = 60, 24
QUICK = {"ceiling": False, "n_neighbors": 5, "progress": False, "n_seeds": 1}


def draw(seed):
    """Two curves of each material: its W decides little, chance decides much."""
    random = np.random.default_rng(seed)
    W = np.repeat(random.uniform(0.1, 0.3, N_MATERIALS), 2)
    time = np.linspace(0, 6, N_FEATURES)
    chance = 0.3 * random.normal(size=(2 * N_MATERIALS, 1)) * np.sin(3 * time)
    X = np.exp(-W[:, None] * time) / 3 + 0.3 + chance / 3
    return X.astype(np.float32), {"W": W, "material": np.repeat(np.arange(N_MATERIALS), 2)}


X, LABELS = draw(0)


class TestMethodsByName:
    """`thorough`, `vae-repeats` and `repeat-pca`."""

    def test_names_stand_for_the_settings_and_classes_that_docs_name(self):
        plan = methods_of(("thorough", "vae-repeats", "repeat-pca"), None, (1, 2), 3)
        models = {(m.name, m.estimator.n_components): m.estimator for m in plan}
        assert len(models) == 6
        thorough = ln.BetaVAE.thorough(n_components=2).get_params()
        assert models["thorough", 2].get_params() == thorough
        of_repeats = ln.BetaVAE.of_repeats(n_components=2).get_params()
        assert models["vae-repeats", 2].get_params() == of_repeats
        assert isinstance(models["repeat-pca", 1], ln.RepeatPCA)
        seeds = {m.name: m.seeds for m in plan}
        assert seeds == {"thorough": (0, 1, 2), "vae-repeats": (0, 1, 2), "repeat-pca": (0,)}

    def test_the_metric_of_repeats_finds_what_pca_overlooks(self):
        found = ln.evaluate(X, LABELS, ("pca", "repeat-pca"), n_components=1, **QUICK)
        scores = found.table["r2_W", "mean"]
        assert scores[("repeat-pca", 1)] > 0.8 > 0.3 > scores[("pca", 1)]
        scatter = found.table["repeat_scatter", "mean"]
        assert scatter[("repeat-pca", 1)] < 0.5 < scatter[("pca", 1)]

    @pytest.mark.parametrize("method", ["vae-repeats", "repeat-pca"])
    @pytest.mark.parametrize("materials", [None, np.arange(2 * N_MATERIALS)])
    def test_data_without_repeats_are_refused_in_one_line(self, method, materials):
        reason = rf"learn from repeats \({method}\) must have several curves of a material"
        with pytest.raises(ln.InputError, match=reason):
            ln.evaluate(X, {"W": LABELS["W"]}, ("pca", method), groups=materials, **QUICK)

    @pytest.mark.slow
    def test_a_vae_gets_the_repeats_of_the_training_part(self, tmp_path):
        found = ln.evaluate(X, LABELS, ("vae-repeats", "thorough"), folder=tmp_path, **QUICK)
        assert found.failures == []
        contrasts = {
            name: ln.BetaVAE.load(tmp_path / "models" / f"{name}-2-seed0").history_[0].contrast
            for name in ("vae-repeats", "thorough")
        }
        assert contrasts["vae-repeats"] > 0 == contrasts["thorough"]
        assert found.facts["fits"][0]["axis_names"] == ["LA1", "LA2"]
