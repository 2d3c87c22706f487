"""Labels that have one value only where they are scored: errors are given, R² is not."""

import json
import warnings

import numpy as np
import pytest
from sklearn.linear_model import Ridge

import latent_nmr as ln
from latent_nmr.data.feature_settings import FeatureSettings
from latent_nmr.plots.parity import parity_figure
from latent_nmr.report.challenge_tables import angles
from latent_nmr.report.probe_tables import by_pulse_angle, networks, regressions
from latent_nmr.report.probes import probe_lines, probe_values
from latent_nmr.report.study_tables import likelihood_table
from latent_nmr.studies.probes.data import gather
from latent_nmr.studies.settings import compare_settings

# So few trees leave some curves in every bag.
pytestmark = pytest.mark.filterwarnings("ignore:Some inputs do not have OOB")

N_CURVES = 150
SPLIT = {"held_out": 0.3}


@pytest.fixture(scope="module")
def echoes():
    dataset = ln.load_reference()
    dataset = dataset.isel(curve=slice(0, None, dataset.sizes["curve"] // N_CURVES))
    return dataset.isel(curve=slice(N_CURVES))


def with_constant(dataset, rows, name="temperature", value=0.1):
    """A label of one value on some rows, and of any values on others."""
    values = np.random.default_rng(0).uniform(1, 2, dataset.sizes["curve"])
    values[rows] = value
    return dataset.assign({name: ("curve", values)})


@pytest.fixture(scope="module")
def probed(echoes):
    """Constant on the held-out curves of the first seed; of another label, on those not `power`."""
    held_out = gather(echoes, FeatureSettings(), **SPLIT).split(0).held_out
    others = held_out[echoes["kernel"].to_numpy()[held_out] != "power"]
    dataset = with_constant(with_constant(echoes, held_out), others, "pressure")
    return ln.probe(
        dataset,
        features="points",
        targets=("W", "temperature", "pressure"),
        regressors={"forest": "forest", "mine": Ridge()},
        n_seeds=2,
        held_out=0.3,
        n_trees=8,
        n_jobs=2,
    )


class TestProbe:
    """All of a probe: records, facts, table, text, figures."""

    @pytest.mark.parametrize("target", ["temperature", "pressure", "W"])
    @pytest.mark.parametrize("model", ["forest", "mine"])
    def test_only_the_r2_of_the_constant_part_is_left_out(self, probed, target, model):
        rows = probed.records.query("table == 'regression' and labels == 'given'")
        rows = rows[(rows["target"] == target) & (rows["model"] == model)]
        constant = {"temperature": ("all", "others"), "pressure": ("others",), "W": ()}[target]
        for group in ("all", "others"):
            own = rows[rows["group"] == group]
            seeds = {s: set(found["seed"]) for s, found in own.groupby("score")}
            assert seeds["mae"] == {0, 1}
            assert seeds["r2"] == ({1} if group in constant else {0, 1})
            if model == "forest":
                assert seeds["r2_out_of_bag"] == {0, 1}

    def test_the_negative_control_has_none_either(self, probed):
        rows = probed.records.query("labels == 'shuffled' and target == 'temperature'")
        assert set(rows["score"]) == {"mae", "r2_out_of_bag", "mae_out_of_bag"}

    def test_facts_and_text_say_so(self, probed):
        found = {(e["target"], e["group"], e["part"]): e["seeds"] for e in
                 probed.facts["constant_labels"]}  # fmt: skip
        assert found == {
            ("temperature", "all", "held-out"): [0],
            ("temperature", "others", "held-out"): [0],
            ("pressure", "others", "held-out"): [0],
        }
        values = probe_values(probed, command="", settings={"data": "echoes.zarr"})
        notes = [line for line in probe_lines(json.loads(json.dumps(values))) if "no R²" in line]
        assert len(notes) == 3
        assert "temperature, all kernels, with seed 0: the held-out curves" in notes[0]

    def test_a_label_that_varies_is_not_spoken_of(self, echoes):
        found = ln.probe(echoes, features="points", targets="W", regressors=Ridge(), n_seeds=1)
        assert found.facts["constant_labels"] == []

    def test_the_table_is_of_the_seeds_that_have_a_score(self, probed):
        table = probed.table.set_index(["target", "group", "model", "labels"])
        row = table.loc["temperature", "all", "mine", "given"]
        assert row["n_seeds"] == 2
        assert np.isfinite(row["r2"])
        assert np.isnan(row["r2_sd"])
        assert np.isfinite(row["mae_sd"])

    def test_figures_are_drawn_without_a_warning(self, probed):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            titles = [ax.get_title() for ax in probed.figures["parity"].axes]
            panels = [ax.get_title() for ax in probed.figures["regression"].axes]
        assert "one true value: no R²" in titles
        assert any(title.startswith("R² = ") for title in titles)
        assert "R², held out" in panels

    def test_a_result_of_an_earlier_version_has_no_notes(self, probed, tmp_path):
        probed.save(tmp_path / "result")
        path = tmp_path / "result" / "result.json"
        head = json.loads(path.read_text("utf-8"))
        del head["facts"]["constant_labels"]
        path.write_text(json.dumps(head), "utf-8")
        loaded = ln.ProbeResult.load(tmp_path / "result")
        values = probe_values(loaded, command="", settings={"data": ""})
        assert not [line for line in probe_lines(values) if "no R²" in line]

    def test_all_labels_constant_leave_errors_and_a_parity_figure(self, echoes):
        held_out = gather(echoes, FeatureSettings(), **SPLIT).split(0).held_out
        found = ln.probe(
            with_constant(echoes, held_out), features="points", targets="temperature",
            regressors=Ridge(), n_seeds=1, held_out=0.3,
        )  # fmt: skip
        assert set(found.records["score"]) == {"mae"}
        assert set(found.figures) == {"sections", "parity"}
        values = probe_values(found, command="", settings={"data": ""})
        assert any("one value only" in line for line in probe_lines(values))


class TestTables:
    """Tables of kept results leave the cell empty."""

    @staticmethod
    def kept(target, model, scores):
        entry = {"target": target, "group": "all", "features": "points", "model": model}
        return {"tables": {"regression": [entry | {"scores": scores}], "classification": []}}

    @pytest.mark.parametrize("model", ["forest", "network"])
    @pytest.mark.parametrize("target", ["W", "alpha_z"])
    def test_of_probes(self, target, model):
        without, whole = (self.kept(target, model, s | {"mae": [0.1]}) for s in ({}, {"r2": [0.5]}))
        for table in (
            lambda r: regressions({"set": r}),
            networks,
            lambda r: by_pulse_angle({90: r}),
        ):
            empty, filled = table(without), table(whole)
            assert "0.5" not in empty
            assert empty.count("|") == filled.count("|")

    def test_of_bins_of_the_pulse_angle(self):
        result = {"by_angle": {"edges_deg": [30, 50, 70], "r2": {"W": {"best": [0.25, None]}}}}
        assert angles(result).splitlines()[-1].endswith("| 0.250 |  |")

    def test_of_likelihoods(self):
        """The floor permutes labels: it varies among the scored curves with some seeds."""
        X = np.random.default_rng(0).normal(size=(120, 4))
        split = np.arange(100), np.arange(100, 120)
        labels = {"W": X[:, 0].copy(), "L": X[:, 1], "alpha_x": np.zeros(120)}
        labels["W"][split[1]] = 0.1
        labels["alpha_x"][0] = 1.0  # with three seeds, in some of the floors
        found = dict(compare_settings(X, labels, {}, split, n_seeds=20))
        for title in ("PCA, 2 components", "all samples"):
            assert {"W", "alpha_x"}.isdisjoint(found[title])
            assert len(found[title]["L"]["values"]) == 1
        floor = {name: len(scores["values"]) for name, scores in found["shuffled labels"].items()}
        assert floor["W"] == floor["L"] == 20
        assert 0 < floor["alpha_x"] < 20
        lines = likelihood_table("echo", found).splitlines()
        assert len({line.count("|") for line in lines}) == 1


@pytest.mark.parametrize("truth", [np.full(9, 0.1), np.zeros(4), np.array([2.0])])
@pytest.mark.parametrize("error", [0.0, 0.3])
def test_a_parity_plot_of_one_true_value_shows_all_predictions(truth, error):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = parity_figure({"W": truth}, {"points": {"W": truth + error}}, None, {"W": "W"})
    (ax,) = figure.axes
    assert ax.get_title() == "one true value: no R²"
    low, high = ax.get_ylim()
    assert low < truth[0] < high
    assert truth[0] + error <= high
