"""The study of latent axes, on data sets and models in memory."""

import json

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.analysis.dependence import rank_correlations
from latent_nmr.data.feature_settings import FeatureSettings
from latent_nmr.errors import InputError
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.studies.axes import AxesResult, name_axes
from latent_nmr.studies.trained_model import describe_data

N_CURVES, N_FITTED = 180, 140
FEW = {"n_permutations": 39, "n_information_permutations": 19}
LABELS = ["W", "L", "kernel", "alpha_x", "alpha_z"]


@pytest.fixture(scope="module")
def dataset():
    return ln.simulate("paper", N_CURVES, n_edge=8, step=4)


def fitted(dataset, seed=0, window="echo", **parameters):
    part = dataset.isel(curve=slice(N_FITTED))
    X = ln.features(part, window=window)
    parameters = {"hidden_layer_sizes": (8,), "max_epochs": 1, "min_epoch_steps": 1} | parameters
    model = BetaVAE(random_state=seed, **parameters).fit(X)
    model.metadata_ = describe_data(part, X, FeatureSettings(window))
    return model


@pytest.fixture(scope="module")
def models(dataset):
    return [fitted(dataset, seed) for seed in (0, 1)]


@pytest.fixture(scope="module")
def named(dataset, models):
    return name_axes(models, dataset, **FEW)


def unseen(model):
    """Curves that a model was not trained on: its validation part, and what it was not given."""
    return [*sorted(model.validation_rows_), *range(N_FITTED, N_CURVES)]


class TestNumbers:
    """Table, records, stability."""

    def test_the_table_has_a_row_per_axis_and_label(self, named):
        rows = named.table[["axis", "label"]].values.tolist()
        assert rows == [[axis, label] for axis in ("LA1", "LA2") for label in LABELS]
        of_kernel = named.table[named.table["label"] == "kernel"]
        assert of_kernel[["abs_rho", "abs_rho_sd", "abs_rho_null"]].isna().all(axis=None)
        assert of_kernel["mi"].notna().all()

    def test_the_numbers_are_those_of_the_curves_no_model_saw(self, dataset, models, named):
        assert named.facts["n_unseen"] == [len(unseen(model)) for model in models]
        X = ln.features(dataset, window="echo")
        for number, model in enumerate(models):
            rows = unseen(model)
            labels = {"W": dataset["W"].to_numpy()[rows]}
            expected = rank_correlations(model.transform(X)[rows], labels)
            for axis in named.facts["axes"]:
                assert axis["labels"][0]["rho"][number] == pytest.approx(
                    expected[axis["axis"]]["W"]
                )

    def test_the_table_summarises_the_records(self, named):
        records = named.records
        for row in named.table.itertuples():
            of_row = records[(records["axis"] == row.axis) & (records["target"] == row.label)]
            for score in ("abs_rho", "mi"):
                values = of_row[of_row["score"] == score]["value"]
                assert (len(values) == 0) == np.isnan(getattr(row, score))
                if len(values):
                    assert getattr(row, score) == pytest.approx(values.mean())
                    assert getattr(row, f"{score}_sd") == pytest.approx(values.std())
                    (null,) = of_row[of_row["score"] == f"{score}_null"]["value"]
                    assert getattr(row, f"{score}_null") == null

    def test_one_model_has_neither_spread_nor_stability(self, dataset, models):
        result = name_axes(models[0], dataset, **FEW)
        assert result.table["mi_sd"].isna().all()
        assert result.facts["stability"] is None

    def test_aligned_axes_are_those_of_the_first_model_rotated_onto(self, dataset, models, named):
        aligned = name_axes(models, dataset, align=True, **FEW)
        assert aligned.facts["stability"] == named.facts["stability"]
        rotation = np.array(aligned.facts["stability"]["rotations"][1])
        rows = unseen(models[1])
        latent = models[1].transform(ln.features(dataset, window="echo"))[rows] @ rotation
        expected = rank_correlations(latent, {"W": dataset["W"].to_numpy()[rows]})
        found = aligned.facts["axes"][1]["labels"][0]["rho"][1]
        assert found == pytest.approx(expected["LA2"]["W"])

    def test_the_random_state_decides(self, dataset, models, named):
        again = name_axes(models, dataset, **FEW)
        assert again.facts == named.facts
        other = name_axes(models, dataset, random_state=3, **FEW)
        assert other.facts["axes"] != named.facts["axes"]

    def test_a_label_that_the_data_lack_has_no_row(self, dataset, models):
        result = name_axes(models[0], dataset.drop_vars(["W", "alpha_z"]), **FEW)
        assert set(result.table["label"]) == {"L", "kernel", "alpha_x"}

    def test_models_of_other_settings_are_named(self, dataset, models, named):
        assert named.facts["differing_parameters"] == {}
        result = name_axes([models[0], fitted(dataset, 1, beta=3)], dataset, **FEW)
        assert result.facts["differing_parameters"] == {"beta": ["2.0", "3"]}


class TestKept:
    """Results and steps on disk."""

    def test_a_saved_result_comes_back(self, named, tmp_path):
        named.save(tmp_path / "r")
        loaded = AxesResult.load(tmp_path / "r")
        assert loaded.facts == named.facts
        assert loaded.table.equals(named.table)

    def test_kept_steps_are_used_again_and_only_for_the_same_call(self, dataset, models, tmp_path):
        name_axes(models, dataset, folder=tmp_path, **FEW)
        steps = sorted(tmp_path.rglob("*.json"))
        assert len(steps) == 1
        known = json.loads(steps[0].read_text("utf-8"))
        known["value"][0]["orders"] = "kept"
        steps[0].write_text(json.dumps(known), "utf-8")
        again = name_axes(models, dataset, folder=tmp_path, **FEW)
        assert again.facts["axes"][0]["orders"] == "kept"
        other = name_axes(models, dataset, folder=tmp_path, random_state=1, **FEW)
        assert other.facts["axes"][0]["orders"] != "kept"


class TestFigures:
    """What is drawn of strengths and stability, read back from the figures."""

    def test_every_value_of_every_axis_is_drawn_over_its_null(self, named):
        panels = named.figures["strengths"].axes
        assert [ax.get_ylabel() for ax in panels] == ["LA1", "", "LA2", ""]
        for number, axis in enumerate(named.facts["axes"]):
            for panel, key in zip(panels[2 * number :], ("order", "information"), strict=False):
                known = [label[key] for label in axis["labels"]]
                points = [line.get_xdata() for line in panel.lines if line.get_marker() == "o"]
                assert np.allclose(points, [one["values"] for one in known if one])
                nulls = [one["null"] if one else 0 for one in known]
                assert np.allclose([bar.get_width() for bar in panel.patches], nulls)
                (line,) = (line for line in panel.lines if line.get_linestyle() == "--")
                largest = {one["null_of_largest"] for one in known if one}
                assert largest == set(line.get_xdata())

    def test_the_shared_variance_of_several_models_is_drawn(self, dataset, models, named):
        (panel,) = named.figures["stability"].axes
        drawn = {line.get_label(): list(line.get_ydata()) for line in panel.lines}
        stability = named.facts["stability"]
        assert drawn == {
            name.replace("_", " "): stability[name]
            for name in ("before_rotation", "after_rotation")
        }
        assert list(name_axes(models[0], dataset, **FEW).figures) == ["strengths"]

    def test_an_axis_that_could_not_be_measured_is_drawn_as_such(self, named):
        unmeasured = {**named.facts["axes"][0], "labels": [], "problem": "it is constant"}
        result = AxesResult(named.records, {**named.facts, "axes": [unmeasured]})
        panels = result.figures["strengths"].axes
        assert [ax.texts[0].get_text() for ax in panels] == ["not measured"] * 2

    def test_a_loaded_result_draws_them(self, named, tmp_path):
        named.save(tmp_path / "r")
        written = AxesResult.load(tmp_path / "r").figures.save(tmp_path)
        assert [path.name for path in written] == ["strengths.png", "stability.png"]
        assert all(path.stat().st_size > 5000 for path in written)


class TestRefusals:
    """Models that cannot be compared, and bad numbers."""

    def test_models_of_different_windows(self, dataset, models):
        other = fitted(dataset, 1)
        other.metadata_["window"] = "echo300"
        with pytest.raises(InputError, match=r"share one window.*model 2 has 'echo300' and model"):
            name_axes([models[0], other], dataset, **FEW)

    def test_models_of_different_width(self, dataset, models):
        other = fitted(dataset, 1, n_components=3)
        with pytest.raises(InputError, match="share one n_components"):
            name_axes([models[0], other], dataset, **FEW)

    def test_models_of_different_time_grids(self, dataset, models):
        other = fitted(dataset, 1)
        other.metadata_["time_us"] = [2 * time for time in other.metadata_["time_us"]]
        with pytest.raises(InputError, match="share one time grid"):
            name_axes([models[0], other], dataset, **FEW)

    def test_a_model_given_twice(self, dataset, models):
        with pytest.raises(InputError, match="must be different models, but b is the same as a"):
            name_axes([models[0], models[0]], dataset, names=["a", "b"], **FEW)

    def test_no_model_and_names_of_another_number(self, dataset, models):
        with pytest.raises(InputError, match="models must hold at least one model"):
            name_axes([], dataset)
        with pytest.raises(InputError, match="names must hold one name per model"):
            name_axes(models, dataset, names=["a"])

    def test_aligning_one_model(self, dataset, models):
        with pytest.raises(InputError, match="align must have two models"):
            name_axes(models[0], dataset, align=True, **FEW)

    def test_a_model_that_does_not_know_its_data(self, dataset):
        undescribed = fitted(dataset)
        undescribed.metadata_ = {}
        with pytest.raises(InputError, match="model 1 must say what it was trained on"):
            name_axes(undescribed, dataset)

    def test_data_of_other_times(self, dataset, models):
        slow = dataset.assign_coords(time=2 * dataset["time"])
        slow.attrs["dt_us"] = 2 * dataset.attrs["dt_us"]
        with pytest.raises(InputError, match="data must be sampled like"):
            name_axes(models, slow, **FEW)

    @pytest.mark.parametrize("name", FEW)
    def test_too_few_permutations(self, dataset, models, name):
        with pytest.raises(InputError, match=f"{name} must be a whole number of at least 19"):
            name_axes(models, dataset, **{name: 5})
