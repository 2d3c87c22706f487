"""latent-nmr baselines: options, files, reruns; the numbers are tested with the study."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import latent_nmr as ln
from latent_nmr.commands.main import main
from latent_nmr.data.store import fill_store

ROOT = Path(__file__).parents[2]
N_CURVES = 40
FIGURES = {"baselines.png", "clusters.png"}
OTHERS = {"baselines.json", "report.html", "run.json"}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Threads of fits this small do little but wait for each other where cores are busy."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("baselines") / "echoes.zarr"
    assert list(fill_store(path, ln.Simulation(n_edge=8, step=4), N_CURVES))
    return path


@pytest.fixture(scope="module")
def dataset(store):
    return ln.open_echoes(store)


@pytest.fixture(scope="module")
def finished(store, tmp_path_factory):
    """Folder and JSON values of one run."""
    out = tmp_path_factory.mktemp("finished") / "result"
    assert main(["baselines", str(store), "--out", str(out)]) == 0
    return out, json.loads((out / "baselines.json").read_text("utf-8"))


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
        assert {path.name for path in out.iterdir()} == {*FIGURES, *OTHERS}
        assert values["command"] == (
            f"latent-nmr baselines {values['data']} --window echo --normalisation initial "
            "--part magnitude --seed 0"
        )

    def test_the_numbers_are_those_of_the_study(self, finished, dataset):
        _, values = finished
        facts = ln.clusters(dataset).facts
        same = {"data_sha256", "window", "pca", "sse", "silhouette", "clusters", "elbow", "labels"}
        for name in same:
            assert values[name] == facts[name], name

    def test_options_reach_the_study_and_json_is_one_object(self, dataset, tmp_path, capsys):
        data, out = tmp_path / "set.npz", tmp_path / "out"
        ln.save_echoes(dataset, data)
        options = ["--window", "echo300", "--normalisation", "window_max", "--seed", "5"]
        (line,) = lines_of(capsys, [data, "--out", out, "--json", *options])
        printed, written = json.loads(line), json.loads((out / "baselines.json").read_text())
        assert printed["out"] == str(out)
        assert {name: printed[name] for name in written} == written
        assert (written["n_features"], written["seed"]) == (300, 5)
        facts = ln.clusters(
            ln.open_echoes(data), window="echo300", normalisation="window_max", random_state=5
        ).facts
        assert written["clusters"] == facts["clusters"]

    def test_the_report_ends_with_what_was_written(self, finished, store, capsys):
        out, values = finished
        lines = lines_of(capsys, [store, "--out", out])
        assert lines[0] == f"{out} is already finished (use --force to recompute)."
        ratio = values["pca"]["explained_variance_ratio"]
        assert f"PC1 explains {100 * ratio[0]:.1f} %" in lines[2]
        assert lines[-1].startswith(f"written     {out}/: baselines.json, baselines.p")

    def test_equal_runs_give_equal_files(self, finished, store, tmp_path, capsys):
        out = tmp_path / "again"
        lines_of(capsys, [store, "--out", out])
        for name in (*FIGURES, "baselines.json"):
            assert (out / name).read_bytes() == (finished[0] / name).read_bytes(), name


class TestRefusals:
    """Bad input ends with exit code 2 and one line, and writes nothing."""

    def test_missing_data(self, tmp_path, capsys):
        complaint = refused(capsys, [tmp_path / "none.zarr", "--out", tmp_path / "out"])
        assert "nothing at" in complaint
        assert list(tmp_path.iterdir()) == []

    def test_fewer_curves_than_clusters(self, dataset, tmp_path, capsys):
        ln.save_echoes(dataset.isel(curve=slice(5)), tmp_path / "few.npz")
        complaint = refused(capsys, [tmp_path / "few.npz", "--out", tmp_path / "out"])
        assert "more distinct curves than there are clusters (10), but hold 5 of 5" in complaint
        assert not (tmp_path / "out").exists()

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
            (["--window", "ecko"], "--window"),
            (["--normalisation", "max"], "--normalisation"),
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

    def test_a_result_with_other_settings_is_kept_without_force(self, earlier, store, capsys):
        before = (earlier / "baselines.json").read_bytes()
        complaint = refused(capsys, [store, "--out", earlier, "--seed", "1"])
        assert "has seed = 0 and 1 is asked for. Choose another --out, or use --force" in complaint
        assert (earlier / "baselines.json").read_bytes() == before

    def test_force_replaces_it(self, earlier, store, capsys):
        lines_of(capsys, [store, "--out", earlier, "--seed", "1", "--force"])
        assert json.loads((earlier / "baselines.json").read_text("utf-8"))["seed"] == 1
        assert {path.name for path in earlier.iterdir()} == {*FIGURES, *OTHERS}
        assert list(earlier.parent.glob(".*.progress")) == []

    def test_force_removes_nothing_of_others(self, earlier, store, capsys):
        (earlier / "notes.txt").write_text("mine")
        assert "holds notes.txt." in refused(capsys, [store, "--out", earlier, "--force"])
        assert (earlier / "notes.txt").read_text() == "mine"

    def test_the_results_in_the_repository_can_be_made_again_in_place(self):
        for window in ("echo", "full"):
            folder = ROOT / "artifacts" / "figures" / "baselines" / window
            manifest = json.loads((folder / "run.json").read_text("utf-8"))
            written = {path.name for path in folder.iterdir()} - {"run.json"}
            assert written <= set(manifest["files"])
            numbers = json.loads((folder / "baselines.json").read_text("utf-8"))
            assert manifest["inputs"] == {numbers["data"]: numbers["data_sha256"]}
            settings = ("data", "window", "normalisation", "seed")
            assert manifest["settings"] == {name: numbers[name] for name in settings}


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
