"""Clusters of a data set: the numbers, what labels add, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

import latent_nmr as ln
from latent_nmr.studies.clusters._numbers import components_for

N_CURVES = 60
LABELS = ("W", "L", "kernel", "alpha_x", "alpha_z")


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Threads of fits this small do little but wait for each other where cores are busy."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def dataset():
    return ln.simulate("paper", N_CURVES, n_edge=8, scheme="source")


@pytest.fixture(scope="module")
def result(dataset):
    return ln.clusters(dataset)


@pytest.fixture(scope="module")
def noise():
    """Curves without a direction that could be spared."""
    return np.random.default_rng(0).uniform(size=(80, 30)).astype(np.float32)


def panels(figure):
    return {ax.get_title(loc="left"): ax for ax in figure.axes if ax.get_title(loc="left")}


class TestNumbers:
    """They are those of scikit-learn on the features."""

    def test_pca_and_sums_of_squares(self, result, dataset):
        X = ln.features(dataset).astype(np.float64)
        squares = np.linalg.svd(X - X.mean(axis=0), compute_uv=False) ** 2
        facts = result.facts
        np.testing.assert_allclose(
            facts["pca"]["explained_variance_ratio"], squares[:10] / squares.sum(), rtol=1e-6
        )
        assert (facts["n_curves"], facts["n_features"]) == X.shape
        assert facts["sse"]["1"] == pytest.approx(squares.sum(), rel=1e-9)
        # K-means is given the rows turned onto their principal axes, less a millionth.
        kmeans = KMeans(2, n_init=10, random_state=0).fit(X)
        assert facts["sse"]["2"] == pytest.approx(kmeans.inertia_, rel=1e-5)
        index = adjusted_rand_score(dataset["kernel"].to_numpy().astype(str), kmeans.labels_)
        assert facts["clusters"]["2"]["ari_kernel"] == pytest.approx(index)

    def test_clusters_are_numbered_by_w_and_hold_every_curve(self, result, dataset):
        strength = dataset["W"].to_numpy()
        for count in ("2", "3"):
            members = result.facts["clusters"][count]["members"]
            spreads = [member["W_MHz"] for member in members]
            assert len(members) == int(count)
            assert sum(member["n_curves"] for member in members) == N_CURVES
            assert sum(sum(member["kernel"].values()) for member in members) == N_CURVES
            assert (np.diff([spread["mean"] for spread in spreads]) > 0).all()
            assert min(spread["lowest"] for spread in spreads) == strength.min()
            assert max(spread["highest"] for spread in spreads) == strength.max()

    def test_every_k_has_its_sum_and_its_silhouette(self, result):
        facts = result.facts
        assert list(facts["sse"]) == [str(count) for count in range(1, 11)]
        assert (np.diff(list(facts["sse"].values())) < 0).all()
        assert list(facts["silhouette"]) == [str(count) for count in range(2, 11)]
        best = max(facts["silhouette"], key=facts["silhouette"].get)
        assert facts["largest_silhouette"] == int(best)

    def test_leaving_out_a_millionth_of_the_variance_changes_no_cluster(self, noise):
        quick, spared = ln.clusters(noise), ln.clusters(noise, left_out=0.1)
        for count in range(1, 11):
            inertia = KMeans(count, n_init=10, random_state=0).fit(noise).inertia_
            assert quick.facts["sse"][str(count)] == pytest.approx(inertia, rel=1e-5)
        assert quick.facts["sse"]["5"] != pytest.approx(spared.facts["sse"]["5"], rel=1e-5)

    def test_window_and_normalisation_are_used_and_drawn(self, dataset):
        result = ln.clusters(
            dataset, window="echo300", normalisation="window_max", n_clusters=range(1, 4)
        )
        X = ln.features(dataset, "echo300", "window_max").astype(np.float64)
        assert result.facts["n_features"] == 300
        assert result.facts["sse"]["1"] == pytest.approx(N_CURVES * X.var(axis=0).sum(), rel=1e-9)
        time = ln.window_time(dataset, "echo300")
        drawn = result.figures["clusters"].axes
        for ax in (panels(result.figures["baselines"])["(e)"], drawn[0]):
            assert ax.get_xlim() == (time[0], time[-1])
            assert ax.get_ylabel() == "|M(t)| / max |M|"
            assert [text.get_text() for text in ax.texts] == ["echo"]
        members = result.facts["clusters"]["3"]["members"]
        assert [text.get_text() for text in drawn[1].get_legend().get_texts()] == [
            f"cluster {k}: W {m['W_MHz']['lowest']:.2f} to {m['W_MHz']['highest']:.2f} MHz, "
            f"{m['n_curves']} curves"
            for k, m in enumerate(members, 1)
        ]

    def test_components_are_counted_up_to_a_share(self):
        explained = np.array([0.5, 0.25, 0.25])
        assert [components_for(explained, share) for share in (0.5, 0.6, 1.0)] == [1, 2, 3]


class TestResult:
    """Records, table and files."""

    def test_the_records_are_the_facts(self, result):
        records, facts = result.records, result.facts
        sums = records[records["score"] == "sse"].set_index("n_clusters")["value"]
        assert sums.to_dict() == {int(count): value for count, value in facts["sse"].items()}
        two = records[(records["n_clusters"] == 2) & (records["cluster"] == 1)]
        parted = two[two["score"] == "probability_next_is_larger"].set_index("target")["value"]
        assert parted.to_dict() == facts["clusters"]["2"]["separation"][0]
        assert list(parted.index) == ["W", "L", "alpha_x", "alpha_z"]
        kernels = two[two["target"] == "kernel"].set_index("group")["value"]
        assert kernels.to_dict() == facts["clusters"]["2"]["members"][0]["kernel"]

    def test_the_table_has_one_row_per_number_of_clusters(self, result):
        table, facts = result.table, result.facts
        assert list(table.index) == list(range(1, 11))
        assert table["sse_fraction"].loc[3] == facts["sse"]["3"] / facts["sse"]["1"]
        described = facts["clusters"]["3"]
        assert table["adjusted_rand_index_kernel"].loc[3] == described["ari_kernel"]
        assert table["shared_fraction"].loc[3] == described["W_overlap"]["shared"]
        assert (
            table[["adjusted_rand_index_kernel", "shared_fraction"]].loc[4:].isna().to_numpy().all()
        )

    def test_a_saved_result_comes_back_the_same_and_draws_the_same(self, result, tmp_path):
        result.save(tmp_path / "clusters")
        loaded = ln.ClustersResult.load(tmp_path / "clusters")
        assert loaded.facts == result.facts
        pd.testing.assert_frame_equal(loaded.table, result.table)
        for name in ("baselines", "clusters"):
            one, other = (
                [line.get_xydata() for ax in r.figures[name].axes for line in ax.lines]
                for r in (result, loaded)
            )
            assert len(one) > 0
            for line, same in zip(one, other, strict=True):
                np.testing.assert_array_equal(line, same)

    def test_finished_steps_are_taken_from_the_folder(self, dataset, result, tmp_path):
        ln.clusters(dataset, folder=tmp_path)
        steps = {path: path.stat().st_mtime_ns for path in (tmp_path / "steps").iterdir()}
        assert len(steps) == 10
        again = ln.clusters(dataset, folder=tmp_path)
        assert {path: path.stat().st_mtime_ns for path in steps} == steps
        assert again.facts == result.facts
        ln.clusters(dataset, random_state=1, folder=tmp_path)
        assert len(list((tmp_path / "steps").iterdir())) == 20


class TestLabels:
    """Labels describe the clusters; none is needed."""

    def test_without_w_clusters_are_numbered_by_their_curves(self, noise):
        result = ln.clusters(noise, n_clusters=range(1, 5))
        for count in (2, 3):
            assert (np.diff(result.arrays[f"mean {count}"].mean(axis=1)) > 0).all()
        assert result.facts["labels"] == []
        assert panels(result.figures["baselines"]).keys() == {"(a)", "(b)", "(c)"}
        assert result.figures["clusters"].axes[0].get_xlabel() == "feature"

    def test_a_label_that_some_curves_lack_is_left_out(self, dataset):
        broken = dataset.copy(deep=True)
        broken["W"][3] = np.nan
        counts = {"n_clusters": range(1, 4)}
        assert ln.clusters(broken, **counts).facts["labels"] == [
            "L",
            "kernel",
            "alpha_x",
            "alpha_z",
        ]
        broken["kernel"] = ("curve", np.array(["", *["rkky"] * (N_CURVES - 1)]))
        assert ln.clusters(broken, **counts).facts["labels"] == [LABELS[1], *LABELS[3:]]

    def test_curves_without_a_label_are_counted(self, noise):
        n = len(noise)
        labels = {
            "all": np.arange(n),
            "nan": np.where(np.arange(n) < 3, np.nan, 1.0),
            "none": [None, None, *["dry"] * (n - 2)],
            "blank": ["", *["dry"] * (n - 1)],
            "infinite": [np.inf, *[1.0] * (n - 1)],
        }
        facts = ln.clusters(noise, labels, n_clusters=range(1, 4)).facts
        assert facts["labels"] == ["all"]
        assert facts["incomplete_labels"] == {"nan": 3, "none": 2, "blank": 1, "infinite": 1}

    def test_labels_of_others_have_maps_and_scores(self, noise):
        kind = np.where(noise[:, 0] > 0.5, "wet", "dry")
        frame = pd.DataFrame({"temperature": noise.mean(axis=1), "sample": kind})
        result = ln.clusters(noise, frame, n_clusters=range(1, 4))
        found = result.facts["clusters"]["2"]
        assert found["separation"][0].keys() == {"temperature"}
        index = result.table["adjusted_rand_index_sample"].loc[2]
        assert index == found["ari_sample"]
        assert -0.5 < index < 1
        assert len(panels(result.figures["baselines"])) == 4

    def test_a_label_of_another_length_is_refused(self, noise):
        with pytest.raises(ln.InputError, match=r"one value per curve of the data \(80\), but W"):
            ln.clusters(noise, {"W": np.ones(79)})

    def test_one_kernel_agrees_with_nothing(self, noise):
        result = ln.clusters(noise, {"kernel": ["rkky"] * 80}, n_clusters=range(1, 4))
        assert "ari_kernel" not in result.facts["clusters"]["2"]


class TestRefusals:
    """What cannot be clustered is named."""

    @pytest.mark.parametrize("n_curves", [1, 2, 10])
    def test_fewer_curves_than_clusters(self, n_curves, noise):
        with pytest.raises(ln.InputError, match=f"there are clusters .10., but hold {n_curves} of"):
            ln.clusters(noise[:n_curves])

    def test_curves_that_are_all_the_same(self, noise):
        with pytest.raises(ln.InputError, match="but hold 1 of 30"):
            ln.clusters(noise[np.zeros(30, int)])

    @pytest.mark.parametrize(
        "data", [[1.0, 2.0], [["a", "b"]], [[1.0, np.nan]]], ids=["flat", "text", "nan"]
    )
    def test_data_that_are_no_features(self, data):
        with pytest.raises(ln.InputError, match="data must be a data set of echoes, or finite"):
            ln.clusters(data)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"n_clusters": (2, 3, 4)}, "n_clusters must hold 1 and at least two more"),
            ({"n_clusters": (1, 2)}, "n_clusters must hold 1 and at least two more"),
            ({"n_clusters": ()}, r"n_clusters must hold .* but is \(\). Give range\(1, 4\)"),
            ({"n_clusters": 5}, r"n_clusters must hold .* but is 5. Give range\(1, 6\)"),
            ({"n_clusters": "five"}, "n_clusters must be a whole number .* but is 'five'"),
            ({"n_clusters": None}, "n_clusters must be a whole number .* but is None"),
            ({"described": 2.5}, "described must be a whole number .* but is 2.5"),
            ({"described": (2, 11)}, r"described must hold one or more of n_clusters"),
            ({"random_state": -1}, "random_state must be a whole number of at least 0"),
            ({"left_out": 2}, "left_out must be"),
            ({"n_silhouette_curves": 0}, "n_silhouette_curves must be"),
        ],
    )
    def test_settings_out_of_range(self, options, message, noise):
        with pytest.raises(ln.InputError, match=message):
            ln.clusters(noise, **options)

    def test_one_number_to_describe_may_come_alone(self, noise):
        found = ln.clusters(noise, n_clusters=range(1, 4), described=np.int64(3))
        assert list(found.facts["clusters"]) == ["3"]

    def test_an_unknown_window(self, dataset):
        with pytest.raises(ln.InputError, match="window must be one of full, echo, echo300"):
            ln.clusters(dataset, window="ecko")
