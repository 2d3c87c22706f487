"""One rule for every study: which labels are used, and what becomes of those that are missing."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

import latent_nmr as ln
from latent_nmr.report.axes_summary import axes_lines, axes_values
from latent_nmr.report.clusters import cluster_lines
from latent_nmr.studies._labels import complete_labels, labels_by_name
from latent_nmr.studies.latent_figures import draw_traversals
from latent_nmr.studies.stores import REFERENCE_SET

N_CURVES = 104
EVALUATED = {"ceiling": False, "n_neighbors": 5, "n_seeds": 1, "progress": False}
PROBED = {
    "features": "pca", "regressors": {"ridge": Ridge()}, "n_seeds": 1, "held_out": 0.3,
    "n_jobs": 1, "progress": False,
}  # fmt: skip
COUNTS = {"n_clusters": range(1, 4), "progress": False}
PERMUTED = {"n_permutations": 19, "n_information_permutations": 19, "progress": False}


@pytest.fixture(scope="module")
def echoes():
    return ln.open_echoes(REFERENCE_SET).isel(curve=slice(0, None, 29))


@pytest.fixture(scope="module")
def model():
    return ln.load_pretrained("echo")


def without(dataset, name, value, n_curves=1):
    """A copy whose first curves lack a label."""
    values = dataset[name].to_numpy().astype(object)
    values[:n_curves] = value
    if value is np.nan:
        values = values.astype(float)
    elif isinstance(value, str):
        values = values.astype(str)
    return dataset.assign_coords({name: ("curve", values)})


def bare(dataset, **labels):
    """The curves with labels of the user's own alone."""
    names = [name for name in dataset.coords if dataset[name].dims == ("curve",)]
    found = dataset.drop_vars(set(names) - {"curve"})
    return found.assign_coords({name: ("curve", values) for name, values in labels.items()})


class TestForms:
    """A mapping, a data frame, a data set: the same labels."""

    def test_all_forms_are_the_same(self, echoes):
        names = ("W", "L", "kernel", "alpha_x", "alpha_z")
        columns = {name: echoes[name].to_numpy() for name in names}
        for given in (columns, pd.DataFrame(columns), echoes):
            found = labels_by_name(given, N_CURVES)
            assert list(found) == list(names)
            for name in names:
                np.testing.assert_array_equal(found[name], columns[name])
        assert labels_by_name(None, N_CURVES) == {}

    @pytest.mark.parametrize(
        "study",
        [
            lambda X, labels: ln.clusters(X, labels, **COUNTS),
            lambda X, labels: ln.evaluate(X, labels, "pca", **EVALUATED),
        ],
    )
    @pytest.mark.parametrize(
        ("labels", "reason"),
        [
            (np.ones(N_CURVES), "must be a mapping of arrays, a DataFrame or an xarray.Dataset"),
            ({"W": [1.0]}, r"one value per curve of .* \(104\), but W has shape \(1,\)"),
            ({"W": [[1.0], [1.0, 2.0]]}, r"one value per curve of .* \(104\), but W has shape"),
            ({"w": np.ones(N_CURVES) * 1j}, "w has the type complex128"),
        ],
    )
    def test_what_cannot_be_labels_is_named(self, study, labels, reason, echoes):
        with pytest.raises(ln.InputError, match=reason):
            study(ln.features(echoes), labels)

    def test_clusters_of_an_array_take_the_labels_of_a_data_set(self, echoes):
        found = ln.clusters(ln.features(echoes), echoes, **COUNTS).facts
        assert found["clusters"] == ln.clusters(echoes, **COUNTS).facts["clusters"]
        assert found["map_labels"] == ["W", "L", "kernel"]

    @pytest.mark.parametrize(("value", "count"), [(np.nan, 3), (None, 3), (np.inf, 3), (0.1, 0)])
    def test_what_is_missing_is_counted(self, value, count, echoes):
        labels = labels_by_name(without(echoes, "W", value, 3), N_CURVES)
        found = complete_labels(labels)
        assert found.incomplete == ({"W": count} if count else {})
        assert ("W" in found.known) == (not count)


# A label, and what it is for curves of which it is not known.
MISSING = [("W", np.nan), ("alpha_z", None), ("kernel", ""), ("kernel", None)]


@pytest.mark.parametrize(("name", "value"), MISSING)
class TestMissing:
    """A label that some curves lack is left out, and it says so; the others are used as ever."""

    def test_in_an_evaluation(self, name, value, echoes):
        gone = without(echoes, name, value)
        X = ln.features(echoes)
        found = ln.evaluate(X, gone, "pca", **EVALUATED)
        assert name not in found.facts["labels"]
        assert found.facts["incomplete_labels"] == {name: 1}
        assert found.facts["remarks"][0].startswith(f"{name} is not scored, being unknown for 1 c")
        split = (found.arrays["rows/training"], found.arrays["rows/held-out"])
        less = ln.evaluate(X, echoes.drop_vars(name), "pca", split=split, **EVALUATED)
        scores = [r.records.query("score != 'fit_seconds'") for r in (found, less)]
        assert scores[0]["value"].equals(scores[1]["value"])

    def test_in_a_further_set_of_an_evaluation(self, name, value, echoes):
        X = ln.features(echoes)
        also = {"again": (X, without(echoes, name, value))}
        found = ln.evaluate(X, echoes, "pca", also=also, **EVALUATED)
        assert name in found.facts["labels"]
        sentence = f"{name} is not scored, being unknown for 1 curve of the set again."
        assert sentence in found.facts["remarks"]

    def test_in_clusters(self, name, value, echoes):
        found = ln.clusters(without(echoes, name, value), **COUNTS)
        assert name not in found.facts["labels"]
        assert found.facts["incomplete_labels"] == {name: 1}
        assert any(f"{name} is not used, being unknown for 1 of" in line
                   for line in cluster_lines(found.facts))  # fmt: skip

    def test_in_named_axes(self, name, value, echoes, model):
        found = ln.name_axes(model, without(echoes, name, value), **PERMUTED)
        assert name not in set(found.table["label"])
        assert len(set(found.table["label"])) == 4
        assert f"left out   {name} is unknown for 1 curve" in axes_lines(axes_values(found))

    def test_in_a_probe_which_is_refused_only_if_it_is_asked_for(self, name, value, echoes):
        gone = without(echoes, name, value)
        found = ln.probe(gone, targets="L", **PROBED)
        assert found.facts["incomplete_labels"] == {name: 1}
        with pytest.raises(ln.InputError, match=f"{name} is unknown for 1 of 104. Leave it out"):
            ln.probe(gone, targets=("L", name), **PROBED)

    def test_an_embedding_shows_what_there_is(self, name, value, echoes, model):
        table = ln.embed(model, without(echoes, name, value))
        assert table[name].iloc[1:].tolist() == echoes[name].to_numpy()[1:].tolist()


class TestNeeded:
    """What a study cannot do without is asked for."""

    @pytest.mark.parametrize(("name", "value"), [("L", np.nan), ("kernel", ""), ("alpha_x", None)])
    def test_by_an_audit(self, name, value, echoes, model):
        with pytest.raises(ln.InputError, match=f"{name} is unknown for 2 of 104. Drop such"):
            ln.audit(model, without(echoes, name, value, 2), axes=1, n_steps=2)

    @pytest.mark.parametrize("value", [np.nan, None])
    def test_by_the_challenge(self, value):
        data = ln.simulate("challenge2021-gauss", 20, n_edge=8, scheme="source")
        with pytest.raises(ln.InputError, match=r"challenge_xi is unknown for 1 of 20. Drop such"):
            ln.challenge("2021-gauss", without(data, "challenge_xi", value), models=Ridge())


class TestTraversal:
    """Colours are those of the curves whose W is known."""

    @pytest.fixture(scope="class")
    @classmethod
    def table(cls, echoes, model):
        return ln.embed(model, echoes)

    def colours(self, figure):
        return [line.get_color() for line in figure.axes[0].lines]

    def test_curves_without_w_take_no_part(self, table, model):
        known = table["W"].notna() & (np.arange(N_CURVES) % 2 == 0)
        settings = {"span": 2.0, "n_steps": 5}
        found = draw_traversals(model, (1,), table.assign(W=table["W"].where(known)), **settings)
        alone = draw_traversals(model, (1,), table[known], **settings)
        assert self.colours(found) == self.colours(alone)

    @pytest.mark.parametrize("value", [np.nan, "strong", None])
    def test_without_any_w_they_are_places_on_the_axis(self, value, table, model):
        figure = draw_traversals(model, (1,), table.assign(W=value), span=2.0, n_steps=5)
        assert figure.axes[1].get_ylabel() == "position along the axis"


@pytest.mark.filterwarnings("ignore:Some inputs do not have OOB")
class TestOwnLabels:
    """Labels of any name, in every study."""

    @pytest.fixture(scope="class")
    @classmethod
    def own(cls, echoes):
        warm = np.where(echoes["W"].to_numpy() > 0.2, "warm", "cold")
        return bare(echoes, T=128 * echoes["W"].to_numpy(), phase=warm, name=np.arange(104.0) * 0)

    def test_axes_are_named_by_them(self, own, echoes, model):
        found = ln.name_axes(model, own, **PERMUTED)
        usual = ln.name_axes(model, echoes, **PERMUTED)
        assert found.table["label"].tolist() == ["T", "phase"] * 2
        values = [
            r.table.query(f"label == '{label}'")["abs_rho"].to_numpy()
            for r, label in ((found, "T"), (usual, "W"))
        ]
        np.testing.assert_allclose(*values)
        assert found.facts["axes"][0]["left_out"] == {"name": "is constant"}

    def test_names_of_curves_are_no_label(self, echoes, model):
        named = bare(echoes, sample=[f"sample {n}" for n in range(N_CURVES)])
        found = ln.name_axes(model, named, **PERMUTED)
        assert found.facts["axes"][0]["left_out"] == {
            "sample": "has a class of its own for most curves"
        }

    def test_clusters_are_described_by_them(self, own):
        found = ln.clusters(own, **COUNTS)
        assert found.facts["labels"] == ["T", "phase", "name"]
        assert found.facts["map_labels"] == ["T", "phase", "name"]
        assert found.facts["clusters"]["2"]["separation"][0].keys() == {"T", "name"}
        assert "adjusted_rand_index_phase" in found.table
        assert len(found.figures["baselines"].axes) > 5

    def test_a_probe_predicts_those_that_are_numbers(self, own, echoes, tmp_path):
        settings = PROBED | {"regressors": ("forest", "network"), "network": Ridge(), "n_trees": 9}
        settings |= {"features": ("points", "pca")}
        renamed = own.rename(T="T / K")
        found = ln.probe(renamed, targets="T / K", **settings)
        usual = ln.probe(bare(echoes, W=echoes["W"].to_numpy()), targets="W", **settings)
        r2, of_w = (r.records.query("score == 'r2'")["value"].to_numpy() for r in (found, usual))
        np.testing.assert_allclose(r2, of_w, rtol=1e-5, atol=1e-4)
        assert set(found.records["target"]) == {"T / K"}
        names = {path.name for path in found.figures.save(tmp_path)}
        assert {"regression.png", "parity.png", "importances_T-K.png"} <= names

    def test_a_probe_of_other_values_is_another(self, own, tmp_path):
        settings = PROBED | {"targets": "T", "folder": tmp_path}
        first = ln.probe(own, **settings)
        second = ln.probe(own.assign_coords(T=own["T"] ** 2), **settings)
        assert not first.records["value"].equals(second.records["value"])

    @pytest.mark.parametrize(
        ("targets", "reason"),
        [
            ({}, "at least one of the labels kernel, W, .* but has T, name, phase. Add one"),
            ({"targets": "phase"}, "labels that are numbers, but phase holds names"),
            ({"targets": ("T", "t")}, "targets must be one of kernel, W, .* T, phase, name, but"),
            ({"targets": "name"}, "must vary over the data, but name is 0.0 for every curve"),
        ],
    )
    def test_a_probe_names_what_it_cannot_predict(self, own, targets, reason):
        with pytest.raises(ln.InputError, match=reason):
            ln.probe(own, **PROBED, **targets)
