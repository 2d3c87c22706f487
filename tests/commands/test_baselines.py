"""latent-nmr baselines, run whole."""

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from latent_nmr.commands import _baselines, _baselines_folder
from latent_nmr.commands._baselines import components_for, find, labels_of
from latent_nmr.commands._baselines_folder import FILES
from latent_nmr.commands.main import main
from latent_nmr.data.compact import save_compact
from latent_nmr.data.io import open_echoes
from latent_nmr.data.windows import features, window_time

ROOT = Path(__file__).parents[2]
N_CURVES = 90


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Threads of fits this small do little but wait for each other where cores are busy."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("baselines") / "echoes.zarr"
    size = ["--n-curves", str(N_CURVES), "--n-edge", "12", "--step", "4"]
    assert main(["simulate", *size, "--out", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def dataset(store):
    return open_echoes(store)


@pytest.fixture
def compact(dataset, tmp_path):
    path = tmp_path / "set.npz"
    save_compact(dataset, path)
    return path


@pytest.fixture
def undrawn(monkeypatch):
    """Leave the figures out, which take longer than all else."""
    monkeypatch.setattr(_baselines_folder, "draw", lambda *_: None)


@pytest.fixture(scope="module")
def finished(store, tmp_path_factory):
    """Folder and JSON values of one run."""
    out = tmp_path_factory.mktemp("finished") / "result"
    assert main(["baselines", str(store), "--out", str(out)]) == 0
    return out, json.loads((out / "baselines.json").read_text("utf-8"))


def without_labels(path, *names):
    """Take labels out of a compact set."""
    other = path.with_name("bare.npz")
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(other, "w") as bare:
        for entry in whole.namelist():
            if entry.removesuffix(".npy") not in names:
                bare.writestr(entry, whole.read(entry))
    return other


def lines_of(capsys, words):
    capsys.readouterr()
    assert main(["baselines", *map(str, words)]) == 0
    return capsys.readouterr().out.splitlines()


def refused(capsys, words):
    """Run the command, which must end with exit code 2; return its one line of complaint."""
    capsys.readouterr()
    assert main(["baselines", *map(str, words)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    (complaint,) = output.err.splitlines()
    return complaint


class TestResult:
    """Files, numbers and words."""

    def test_figures_and_numbers_are_written_and_nothing_else(self, finished):
        out, values = finished
        assert {path.name for path in out.iterdir()} == FILES
        assert len(FILES) == 5
        assert values["command"] == (
            f"latent-nmr baselines {values['data']} --window echo --normalisation initial "
            f"--seed 0 --out {out}"
        )

    def test_the_numbers_are_those_of_scikit_learn_on_the_features(self, finished, dataset):
        _, values = finished
        X = features(dataset).astype(np.float64)
        centred = X - X.mean(axis=0)
        squares = np.linalg.svd(centred, compute_uv=False) ** 2
        np.testing.assert_allclose(
            values["pca"]["explained_variance_ratio"], squares[:10] / squares.sum(), rtol=1e-6
        )
        assert (values["n_curves"], values["n_features"]) == X.shape
        assert values["sse"]["1"] == pytest.approx(squares.sum(), rel=1e-9)
        # K-means is given the rows turned onto their principal axes, less a millionth.
        kmeans = KMeans(2, n_init=10, random_state=0).fit(X)
        assert values["sse"]["2"] == pytest.approx(kmeans.inertia_, rel=1e-5)
        index = adjusted_rand_score(labels_of(dataset)["kernel"], kmeans.labels_)
        assert values["clusters"]["2"]["ari_kernel"] == pytest.approx(index)

    def test_clusters_are_numbered_by_w_and_hold_every_curve(self, finished, dataset):
        _, values = finished
        strength = dataset["W"].to_numpy()
        for count in ("2", "3"):
            members = values["clusters"][count]["members"]
            spreads = [member["W_MHz"] for member in members]
            assert len(members) == int(count)
            assert sum(member["n_curves"] for member in members) == N_CURVES
            assert sum(sum(member["kernel"].values()) for member in members) == N_CURVES
            assert (np.diff([spread["mean"] for spread in spreads]) > 0).all()
            assert min(spread["lowest"] for spread in spreads) == strength.min()
            assert max(spread["highest"] for spread in spreads) == strength.max()

    def test_every_k_has_its_sum_and_its_silhouette(self, finished):
        _, values = finished
        assert list(values["sse"]) == [str(count) for count in range(1, 11)]
        assert (np.diff(list(values["sse"].values())) < 0).all()
        assert list(values["silhouette"]) == [str(count) for count in range(2, 11)]
        best = max(values["silhouette"], key=values["silhouette"].get)
        assert values["largest_silhouette"] == int(best)

    @pytest.mark.usefixtures("undrawn")
    def test_the_words_say_what_the_numbers_are(self, finished, store, tmp_path, capsys):
        lines = lines_of(capsys, [store, "--out", tmp_path / "out"])
        text, (_, values) = "\n".join(lines), finished
        first, second = (100 * r for r in values["pca"]["explained_variance_ratio"][:2])
        assert f"PC1 explains {first:.1f} %, PC2 {second:.1f} % of the variance" in text
        assert f"at K = {values['elbow']}, where SSE" in text
        for count in ("2", "3"):
            described = values["clusters"][count]
            for number, member in enumerate(described["members"], 1):
                w = member["W_MHz"]
                assert (
                    f"cluster {number}: {member['n_curves']} curves, W {w['lowest']:.3f} to "
                    f"{w['highest']:.3f} MHz" in text
                )
            for number, by_label in enumerate(described["separation"], 1):
                assert set(by_label) == {"W", "L", "alpha_x", "alpha_z"}
                best = max(by_label, key=lambda label: abs(by_label[label] - 0.5))
                assert (
                    f"a curve of cluster {number + 1} has the larger value than one of cluster "
                    f"{number} with probability: {best} {by_label[best]:.2f}, " in text
                )
            assert f"{100 * described['W_overlap']['shared']:.0f} % of all curves lie" in text
            assert f"the kernel: adjusted Rand index {described['ari_kernel']:.3f}" in text
        assert lines[-1].startswith(f"written     {tmp_path / 'out'}/: baselines.json")

    def test_equal_seeds_give_equal_files_and_json_is_one_object(
        self, finished, store, tmp_path, capsys
    ):
        out = tmp_path / "again"
        (line,) = lines_of(capsys, [store, "--out", out, "--json"])
        printed = json.loads(line)
        assert printed.pop("out") == str(out)
        assert printed == json.loads((out / "baselines.json").read_text("utf-8"))
        for name in FILES - {"baselines.json"}:
            assert (out / name).read_bytes() == (finished[0] / name).read_bytes()
        assert printed | {"command": ""} == finished[1] | {"command": ""}

    @pytest.mark.usefixtures("undrawn")
    def test_a_compact_set_gives_the_numbers_of_its_store(self, finished, compact, capsys):
        (line,) = lines_of(capsys, [compact, "--out", compact.with_name("out"), "--json"])
        # Kept with 16 bits: 4e-6 of a signal of order one.
        assert list(json.loads(line)["sse"].values()) == pytest.approx(
            list(finished[1]["sse"].values()), rel=1e-3
        )

    def test_window_and_normalisation_are_used_and_drawn(
        self, dataset, store, tmp_path, capsys, monkeypatch
    ):
        figures = {}
        monkeypatch.setattr(
            _baselines_folder,
            "save_figure",
            lambda figure, stem: figures.update({stem.name: figure}),
        )
        options = ["--window", "echo300", "--normalisation", "window_max", "--json"]
        (line,) = lines_of(capsys, [store, "--out", tmp_path / "out", *options])
        values = json.loads(line)
        X = features(dataset, "echo300", "window_max").astype(np.float64)
        assert values["n_features"] == 300
        assert values["sse"]["1"] == pytest.approx(N_CURVES * X.var(axis=0).sum(), rel=1e-9)
        time = window_time(dataset, "echo300")
        panels = {ax.get_title(loc="left"): ax for ax in figures["baselines"].axes}
        for ax in (panels["(e)"], figures["clusters"].axes[0]):
            assert ax.get_xlim() == (time[0], time[-1])
            assert ax.get_ylabel() == "|M(t)| / max |M|"
            assert [text.get_text() for text in ax.texts] == ["echo"]
        members = values["clusters"]["3"]["members"]
        words = [text.get_text() for text in figures["clusters"].axes[1].get_legend().get_texts()]
        assert words == [
            f"cluster {k}: W {m['W_MHz']['lowest']:.2f} to {m['W_MHz']['highest']:.2f} MHz, "
            f"{m['n_curves']} curves"
            for k, m in enumerate(members, 1)
        ]


class TestFind:
    """The work beneath the command."""

    def test_every_step_is_told(self, dataset):
        steps = []
        find(features(dataset), {}, 0, lambda: steps.append(1))
        assert len(steps) == _baselines.N_STEPS == 12

    def test_turning_onto_principal_axes_changes_no_cluster(self, monkeypatch):
        # Noise has no direction that could be spared.
        X = np.random.default_rng(0).uniform(size=(80, 30)).astype(np.float32)
        quick = find(X, {}, 0, lambda: None)
        monkeypatch.setattr(_baselines, "LEFT_OUT", 0.1)
        spared = find(X, {}, 0, lambda: None)
        for count in _baselines.COUNTS:
            partition = KMeans(count, n_init=10, random_state=0).fit(X)
            assert quick.sums[count] == pytest.approx(partition.inertia_, rel=1e-5)
        assert quick.sums[5] != pytest.approx(spared.sums[5], rel=1e-5)

    def test_without_w_clusters_are_numbered_by_their_curves(self, dataset):
        X = features(dataset)
        for count, members in find(X, {}, 0, lambda: None).clusters.items():
            assert (np.diff([cluster.mean.mean() for cluster in members]) > 0).all()
            assert len(members) == count

    def test_components_are_counted_up_to_a_share(self):
        explained = np.array([0.5, 0.25, 0.25])
        assert [components_for(explained, share) for share in (0.5, 0.6, 1.0)] == [1, 2, 3]


class TestLabels:
    """What is said and drawn where labels are missing."""

    def test_without_any_the_figures_are_drawn_and_it_is_said(self, compact, capsys):
        bare = without_labels(compact, "W", "L", "kernel", "alpha_x", "alpha_z")
        out = bare.with_name("out")
        lines = lines_of(capsys, [bare, "--out", out])
        notes = [line.removeprefix("note").strip() for line in lines if line.startswith("note")]
        assert notes == [
            "the data do not give W, L, kernel of every curve: no map shows it",
            "without W the clusters are numbered by the mean of their curves",
        ]
        assert not any(
            word in line
            for word in (" W ", "Rand", "probab")
            for line in lines
            if "note" not in line
        )
        assert {path.name for path in out.iterdir()} == FILES
        assert json.loads((out / "baselines.json").read_text("utf-8"))["labels"] == []

    def test_a_label_that_some_curves_lack_is_left_out(self, dataset):
        broken = dataset.copy(deep=True)
        broken["W"][3] = np.nan
        assert list(labels_of(broken)) == ["L", "kernel", "alpha_x", "alpha_z"]
        broken["kernel"] = ("curve", np.array(["", *["rkky"] * (N_CURVES - 1)]))
        assert list(labels_of(broken)) == ["L", "alpha_x", "alpha_z"]

    def test_kernels_of_a_store_are_strings_that_scikit_learn_takes(self, dataset):
        assert dataset["kernel"].dtype.kind == "T"
        assert labels_of(dataset)["kernel"].dtype.kind == "U"

    @pytest.mark.usefixtures("undrawn")
    def test_one_kernel_has_nothing_to_follow(self, dataset, tmp_path, capsys):
        path = tmp_path / "one.npz"
        save_compact(dataset.isel(curve=labels_of(dataset)["kernel"] == "rkky"), path)
        lines = lines_of(capsys, [path, "--out", tmp_path / "out"])
        assert any(
            "all curves are of one kernel, rkky: there is none to follow" in x for x in lines
        )
        assert not any("Rand" in line for line in lines)


class TestRefusals:
    """Bad input ends with exit code 2 and one line, and writes nothing."""

    def test_missing_data(self, tmp_path, capsys):
        complaint = refused(capsys, [tmp_path / "none.zarr", "--out", tmp_path / "out"])
        assert "nothing at" in complaint
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize("n_curves", [1, 2, 10])
    def test_fewer_curves_than_clusters(self, n_curves, dataset, tmp_path, capsys):
        save_compact(dataset.isel(curve=slice(n_curves)), tmp_path / "few.npz")
        complaint = refused(capsys, [tmp_path / "few.npz", "--out", tmp_path / "out"])
        assert f"more different curves than there are clusters (10), but hold {n_curves} of" in (
            complaint
        )
        assert not (tmp_path / "out").exists()

    def test_curves_that_are_all_the_same(self, dataset, tmp_path, capsys):
        save_compact(dataset.isel(curve=np.zeros(30, int)), tmp_path / "same.npz")
        complaint = refused(capsys, [tmp_path / "same.npz", "--out", tmp_path / "out"])
        assert "but hold 1 of 30" in complaint

    def test_curves_that_are_not_finite(self, store, tmp_path, capsys):
        import zarr

        broken = tmp_path / "broken.zarr"
        shutil.copytree(store, broken)
        array = zarr.open_group(broken, mode="r+")["mx"]
        array[5, 7] = np.nan
        complaint = refused(capsys, [broken, "--out", tmp_path / "out"])
        assert "mx of curve 5 is nan at sample 7" in complaint

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--window", "ecko"], "--window must be one of full, echo, echo300, but is 'ecko'"),
            (["--normalisation", "max"], "--normalisation must be one of"),
            (["--seed", "-1"], "--seed must be a whole number of at least 0"),
        ],
    )
    def test_options_out_of_range_before_anything_is_read(self, options, message, capsys):
        assert message in refused(capsys, ["none.zarr", *options])


class TestFolder:
    """An existing folder is replaced by --force only, and only if it holds a result."""

    @pytest.fixture
    def earlier(self, finished, tmp_path):
        shutil.copytree(finished[0], tmp_path / "result")
        return tmp_path / "result"

    def test_an_earlier_result_is_kept_without_force(self, earlier, store, capsys):
        before = (earlier / "baselines.json").read_bytes()
        complaint = refused(capsys, [store, "--out", earlier, "--seed", "1"])
        assert "holds an earlier result. Choose another, or use --force" in complaint
        assert (earlier / "baselines.json").read_bytes() == before

    @pytest.mark.usefixtures("undrawn")
    def test_force_replaces_it(self, earlier, store, capsys, monkeypatch):
        seeds, find_all = [], find
        monkeypatch.setattr(
            _baselines,
            "find",
            lambda X, labels, seed, on_step: (
                seeds.append(seed) or find_all(X, labels, seed, on_step)
            ),
        )
        lines_of(capsys, [store, "--out", earlier, "--seed", "1", "--force"])
        assert json.loads((earlier / "baselines.json").read_text("utf-8"))["seed"] == 1
        assert seeds == [1]
        # All is new: no figure of the earlier result stays behind.
        assert [path.name for path in earlier.iterdir()] == ["baselines.json"]

    def test_force_removes_nothing_of_others(self, earlier, store, capsys):
        (earlier / "notes.txt").write_text("mine")
        complaint = refused(capsys, [store, "--out", earlier, "--force"])
        assert "holds notes.txt. Choose another." in complaint
        assert (earlier / "notes.txt").read_text() == "mine"

    def test_a_file_is_no_folder(self, store, tmp_path, capsys):
        (tmp_path / "out").write_text("mine")
        complaint = refused(capsys, [store, "--out", tmp_path / "out", "--force"])
        assert complaint.endswith("out is a file. Choose another.")
        assert (tmp_path / "out").read_text() == "mine"

    @pytest.mark.usefixtures("undrawn")
    def test_an_empty_folder_is_as_good_as_none(self, store, tmp_path, capsys):
        (tmp_path / "out").mkdir()
        lines_of(capsys, [store, "--out", tmp_path / "out"])
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["baselines.json"]

    def test_a_failure_while_writing_leaves_the_earlier_result(
        self, earlier, store, capsys, monkeypatch
    ):
        def full_disk(*_):
            raise OSError(28, "No space left on device", "clusters.pdf")

        before = {path.name: path.read_bytes() for path in earlier.iterdir()}
        monkeypatch.setattr(_baselines_folder, "save_figure", full_disk)
        assert "No space left" in refused(capsys, [store, "--out", earlier, "--force"])
        assert {path.name: path.read_bytes() for path in earlier.iterdir()} == before
        assert [path.name for path in earlier.parent.iterdir()] == ["result"]


class TestDocument:
    """The table of docs/baselines.md is what was measured."""

    def test_every_number_of_the_table_is_in_the_results(self):
        results = [
            json.loads((ROOT / f"artifacts/figures/baselines/{window}/baselines.json").read_text())
            for window in ("echo", "full")
        ]
        assert [result["n_curves"] for result in results] == [15000, 15000]
        text = (ROOT / "docs" / "baselines.md").read_text("utf-8")
        for name, cell in TABLE.items():
            assert f"| {name} | {' | '.join(cell(result) for result in results)} |" in text


def member(result, count, number):
    """A cluster of the table: its size and its W."""
    found = result["clusters"][count]["members"][number]
    w = found["W_MHz"]
    return (
        f"{found['n_curves']} curves, {w['lowest']:.3f} to {w['highest']:.3f}, "
        f"{w['mean']:.3f} ± {w['deviation']:.3f}"
    )


TABLE = {
    "PC1, PC2": lambda r: ", ".join(
        f"{100 * share:.1f} %" for share in r["pca"]["explained_variance_ratio"][:2]
    ),
    "components for 99 %": lambda r: str(r["pca"]["n_components_for"]["0.99"]),
    "elbow, largest silhouette": lambda r: f"K = {r['elbow']}, K = {r['largest_silhouette']}",
    "SSE(K) / SSE(1), K = 2, 3, 4": lambda r: ", ".join(
        f"{r['sse'][count] / r['sse']['1']:.2f}" for count in "234"
    ),
    "silhouette, K = 2, 3, 4": lambda r: ", ".join(f"{r['silhouette'][k]:.2f}" for k in "234"),
    **{
        f"K = {count}, cluster {number + 1}: W (MHz)": (
            lambda r, count=count, number=number: member(r, count, number)
        )
        for count in "23"
        for number in range(int(count))
    },
    **{
        f"K = 2: probability that cluster 2 has the larger {label}": (
            lambda r, label=label: f"{r['clusters']['2']['separation'][0][label]:.2f}"
        )
        for label in ("alpha_x", "W", "alpha_z", "L")
    },
    **{
        f"K = {count}: curves in more than one range of W": (
            lambda r, count=count: f"{100 * r['clusters'][count]['W_overlap']['shared']:.0f} %"
        )
        for count in "23"
    },
    **{
        f"K = {count}: ARI with the kernel": (
            lambda r, count=count: f"{r['clusters'][count]['ari_kernel']:.3f}"
        )
        for count in "23"
    },
}
