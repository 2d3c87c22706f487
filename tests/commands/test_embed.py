"""latent-nmr embed: a table of latent coordinates, written while the data are read."""

import functools
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zarr

from latent_nmr.commands.main import main
from latent_nmr.data.compact import load_compact, save_compact
from latent_nmr.data.feature_settings import FeatureSettings
from latent_nmr.data.io import open_echoes
from latent_nmr.data.reading import BLOCK
from latent_nmr.data.store import fill_store
from latent_nmr.data.windows import features
from latent_nmr.errors import InputError
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.physics.simulate import Simulation
from latent_nmr.studies._known_curves import training_split
from latent_nmr.studies.embedding import embed as embedding_of
from latent_nmr.studies.embedding import embedding_table
from latent_nmr.studies.trained_model import describe_data
from tests.sealing import seal

N_SIMULATED = 16
# Two blocks, and the last one is not full; the slow test has twenty.
N_CURVES = BLOCK + 100
COLUMNS = ["curve", "LA1", "LA2", "LA1_sd", "LA2_sd", "rms", "W", "L", "kernel"]
COLUMNS += ["alpha_x", "alpha_z", "split"]


def make_store(path, n_curves):
    """Store of few simulated curves, repeated with a fall in time that is each copy's own."""
    for _ in fill_store(path, Simulation(n_edge=12, step=4), N_SIMULATED):
        pass
    few = open_echoes(path)
    group = zarr.open_group(path)
    names = [name for name in group.array_keys() if name not in ("time", "checksum")]
    for name in (*names, "checksum"):
        group[name].resize((n_curves, *group[name].shape[1:]))
    ramp = np.linspace(0, 1, few.sizes["time"], dtype=np.float32)
    for start in range(0, n_curves, BLOCK):
        rows = np.arange(start, min(start + BLOCK, n_curves))
        source = rows % N_SIMULATED
        fall = 1 - np.multiply.outer(rows / n_curves, ramp).astype(np.float32) / 2
        for name in names:
            if name == "done":
                values = np.ones(len(rows), bool)
            elif name in ("mx", "my"):
                values = few[name].to_numpy()[source] * fall
            elif name == "kernel":
                values = few[name].to_numpy()[source]
            else:
                values = few[name].to_numpy()[source] + rows / n_curves
            group[name][rows[0] : rows[-1] + 1] = values
    seal(path)
    return path


def make_model(path, dataset):
    X = features(dataset)
    model = BetaVAE(hidden_layer_sizes=(8,), max_epochs=1, min_epoch_steps=1, random_state=0).fit(X)
    model.save(path, metadata=describe_data(dataset, X, FeatureSettings()))
    return BetaVAE.load(path)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """Store, model trained on it, and the table that the whole set in memory gives."""
    folder = tmp_path_factory.mktemp("embed")
    dataset = open_echoes(make_store(folder / "echoes.zarr", N_CURVES))
    model = make_model(folder / "model", dataset)
    return folder, embedding_of(model, dataset)


def embed(folder, out, *more, data="echoes.zarr"):
    return main(["embed", str(folder / "model"), str(folder / data), "--out", str(out), *more])


@pytest.fixture(scope="module")
def written(workplace, tmp_path_factory):
    """Path of the store's table by its ending, each written once; not to be changed."""
    out = tmp_path_factory.mktemp("tables")

    @functools.cache
    def path_of(suffix):
        assert embed(workplace[0], out / f"table{suffix}") == 0
        return out / f"table{suffix}"

    return path_of


def read(path):
    """Table of any of the formats, as a data frame."""
    if path.suffix == ".csv":
        # The shortest text that names a float32 is not that of the float64 next to it.
        single = dict.fromkeys(["LA1", "LA2", "LA1_sd", "LA2_sd", "rms"], np.float32)
        return pd.read_csv(path, dtype=single)
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    with np.load(path, allow_pickle=False) as columns:
        return pd.DataFrame(dict(columns))


class TestTable:
    """What is written, in every format."""

    @pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz"])
    def test_the_rows_are_those_of_the_whole_set_to_the_bit(self, workplace, written, suffix):
        if suffix == ".parquet":
            pytest.importorskip("pyarrow")
        _, wanted = workplace
        table = read(written(suffix))
        assert list(table.columns) == COLUMNS
        for name in COLUMNS:
            np.testing.assert_array_equal(table[name].to_numpy(), wanted[name].to_numpy(), name)
            if table[name].dtype.kind == "f":
                assert table[name].dtype == wanted[name].dtype

    def test_a_csv_file_has_one_header_and_is_that_of_the_run_folder(
        self, workplace, written, tmp_path
    ):
        _, wanted = workplace
        wanted.to_csv(tmp_path / "whole.csv", index=False)
        assert written(".csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()

    def test_parquet_has_a_row_group_per_block(self, written):
        parquet = pytest.importorskip("pyarrow.parquet")
        groups = parquet.ParquetFile(written(".parquet")).metadata
        rows = [groups.row_group(index).num_rows for index in range(groups.num_row_groups)]
        assert rows == [BLOCK, 100]

    def test_text_in_npz_is_unicode_and_nothing_is_pickled(self, written):
        with np.load(written(".npz"), allow_pickle=False) as columns:
            assert {columns[name].dtype.kind for name in ("kernel", "split")} == {"U"}
            assert columns["LA1"].dtype == np.float32

    def test_rms_is_that_of_curve_minus_reconstruction(self, workplace):
        folder, table = workplace
        X = features(open_echoes(folder / "echoes.zarr"))
        misfit = BetaVAE.load(folder / "model").reconstruct(X).astype(np.float64) - X
        # Residuals of numbers up to 1 are rounded to 2^-24, and rms rounded once more.
        np.testing.assert_allclose(
            table["rms"], np.sqrt((misfit**2).mean(axis=1)), rtol=2.0**-23, atol=2.0**-23
        )

    def test_both_parts_of_the_training_data_are_named(self, workplace, written):
        folder, _ = workplace
        split = read(written(".npz"))["split"].to_numpy()
        model = BetaVAE.load(folder / "model")
        assert (split[model.training_rows_] == "training").all()
        assert (split[model.validation_rows_] == "validation").all()

    @pytest.mark.slow
    def test_one_changed_number_makes_its_curve_new(self, workplace, tmp_path):
        folder, whole = workplace
        shutil.copytree(folder, tmp_path / "copy")
        zarr.open_group(tmp_path / "copy" / "echoes.zarr")["my"][BLOCK + 5, 1200] = 0.123
        seal(tmp_path / "copy" / "echoes.zarr")
        assert embed(tmp_path / "copy", tmp_path / "table.npz") == 0
        split = read(tmp_path / "table.npz")["split"].to_numpy()
        changed = np.flatnonzero(split != whole["split"].to_numpy())
        assert changed.tolist() == [BLOCK + 5]
        assert split[BLOCK + 5] == "new"

    def test_curves_are_known_in_any_company(self, workplace):
        folder, whole = workplace
        dataset = open_echoes(folder / "echoes.zarr")
        model = BetaVAE.load(folder / "model")
        order = np.random.default_rng(0).permutation(N_CURVES)[:50]
        some = dataset.isel(curve=order)
        found = embedding_table(model, some, features(some))["split"].to_numpy()
        np.testing.assert_array_equal(found, whole["split"].to_numpy()[order])
        assert set(found) == {"training", "validation"}

    @pytest.mark.slow
    def test_curves_are_known_in_the_digits_of_a_compact_set_and_no_others_are(
        self, workplace, tmp_path
    ):
        folder, whole = workplace
        dataset = open_echoes(folder / "echoes.zarr")
        save_compact(dataset, tmp_path / "same.npz")
        rounded = features(load_compact(tmp_path / "same.npz"))
        split = training_split(BetaVAE.load(folder / "model"), rounded)
        known = split == whole["split"].to_numpy()
        assert known.mean() > 0.95
        assert set(split[~known]) <= {"new"}
        others = training_split(BetaVAE.load(folder / "model"), 0.99 * features(dataset))
        assert set(others) == {"new"}

    def test_a_model_that_does_not_know_its_curves_is_refused(self, workplace):
        folder, _ = workplace
        model = BetaVAE.load(folder / "model")
        dataset = open_echoes(folder / "echoes.zarr", 3)
        for means in ("AAAA", "####", 7):
            model.metadata_["curve_means"] = means
            with pytest.raises(InputError, match="must say which curves it was trained on"):
                embedding_of(model, dataset)
        del model.metadata_["window"]
        with pytest.raises(InputError, match=r"model must say what .* lack window"):
            embedding_of(model, dataset)

    def test_unfinished_curves_are_left_out_and_the_rest_keep_their_index(
        self, workplace, tmp_path, capsys
    ):
        folder, wanted = workplace
        shutil.copytree(folder, tmp_path / "copy")
        zarr.open_group(tmp_path / "copy" / "echoes.zarr")["done"][3:7] = False
        assert embed(tmp_path / "copy", tmp_path / "table.npz") == 0
        assert "warning: all curves of a store should be" in (words := capsys.readouterr().err)
        assert words.count(f"4 of {N_CURVES}") == words.count("are left out (curves 3 to 6)") == 1
        table, left = read(tmp_path / "table.npz"), wanted.drop(index=range(3, 7))
        assert table["curve"].tolist() == left["curve"].tolist()
        np.testing.assert_array_equal(table["W"], left["W"])

    def test_a_compact_set_is_embedded_too(self, workplace, tmp_path):
        folder, _ = workplace
        dataset = open_echoes(folder / "echoes.zarr", 40)
        save_compact(dataset, tmp_path / "few.npz")
        arguments = [str(folder / "model"), str(tmp_path / "few.npz")]
        assert main(["embed", *arguments, "--out", str(tmp_path / "table.csv")]) == 0
        held = open_echoes(tmp_path / "few.npz")
        wanted = embedding_table(BetaVAE.load(folder / "model"), held, features(held))
        np.testing.assert_array_equal(read(tmp_path / "table.csv")["LA1"], wanted["LA1"])

    def test_an_equal_rerun_reports_and_writes_nothing(self, workplace, written, capsys):
        out = written(".npz")
        before = out.stat().st_mtime_ns
        assert embed(workplace[0], out, "--json") == 0
        assert json.loads(capsys.readouterr().out.splitlines()[-1])["n_curves"] == N_CURVES
        assert embed(workplace[0], out) == 0
        assert "already finished" in capsys.readouterr().out
        assert out.stat().st_mtime_ns == before

    def test_json_tells_what_was_written(self, workplace, tmp_path, capsys):
        assert embed(workplace[0], tmp_path / "table.csv", "--json") == 0
        result = json.loads(capsys.readouterr().out)
        assert (result["n_curves"], result["columns"]) == (N_CURVES, COLUMNS)


class TestRefusals:
    """Bad input: one line, exit code 2, and the old file or none."""

    def refused(self, capsys, folder, out, *more, data="echoes.zarr"):
        assert embed(folder, out, *more, data=data) == 2
        return capsys.readouterr().err

    @pytest.mark.parametrize("name", ["table.txt", "table", "table.csv.gz"])
    def test_another_ending_is_refused_with_the_three_there_are(
        self, workplace, tmp_path, capsys, name
    ):
        complaint = self.refused(capsys, workplace[0], tmp_path / name)
        assert f"must end in .csv, .parquet, .npz, which names the format, but is {tmp_path}" in (
            complaint
        )
        assert "Use " in complaint
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.slow
    def test_parquet_without_pyarrow_names_the_cure(self, workplace, tmp_path):
        folder, _ = workplace
        out = tmp_path / "table.parquet"
        # None in sys.modules is how Python itself marks a module that cannot be imported.
        code = (
            "import sys; sys.modules['pyarrow'] = None\n"
            "from latent_nmr.commands.main import main\n"
            f"sys.exit(main(['embed', '{folder}/model', '{folder}/echoes.zarr', '--out', '{out}']))"
        )
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert run.returncode == 2
        assert "the file must end in .csv or .npz where pyarrow is not installed" in run.stderr
        assert "pip install latent-nmr[parquet]" in run.stderr
        assert not out.exists()

    @pytest.mark.parametrize(
        "suffix", [".csv", *(pytest.param(s, marks=pytest.mark.slow) for s in (".parquet", ".npz"))]
    )
    def test_a_bad_curve_in_the_last_block_leaves_the_old_file(
        self, workplace, tmp_path, capsys, suffix
    ):
        if suffix == ".parquet":
            pytest.importorskip("pyarrow")
        folder, _ = workplace
        shutil.copytree(folder, tmp_path / "copy")
        zarr.open_group(tmp_path / "copy" / "echoes.zarr")["mx"][N_CURVES - 1, 7] = np.nan
        out = tmp_path / f"table{suffix}"
        out.write_text("mine")
        complaint = self.refused(capsys, tmp_path / "copy", out, "--force")
        assert f"mx of curve {N_CURVES - 1} is nan at sample 7" in complaint
        assert out.read_text() == "mine"
        assert {path.name for path in tmp_path.iterdir()} == {"copy", out.name}

    def test_a_taken_name_is_refused_without_force(self, workplace, tmp_path, capsys):
        out = tmp_path / "table.npz"
        out.write_text("mine")
        assert "--out must be a new path" in self.refused(capsys, workplace[0], out)
        assert out.read_text() == "mine"
        assert embed(workplace[0], out, "--force") == 0
        assert len(read(out)) == N_CURVES

    def test_data_sampled_otherwise_are_refused_before_they_are_read(
        self, workplace, tmp_path, capsys
    ):
        folder, _ = workplace
        shutil.copytree(folder, tmp_path / "copy")
        group = zarr.open_group(tmp_path / "copy" / "echoes.zarr")
        group["time"][:] = 2 * group["time"][:]
        group.attrs["dt_us"] *= 2
        seal(tmp_path / "copy" / "echoes.zarr")
        complaint = self.refused(capsys, tmp_path / "copy", tmp_path / "table.csv")
        assert "data must be sampled like those the model was trained on" in complaint

    def test_a_store_without_a_finished_curve_is_refused(self, workplace, tmp_path, capsys):
        folder, _ = workplace
        shutil.copytree(folder, tmp_path / "copy")
        zarr.open_group(tmp_path / "copy" / "echoes.zarr")["done"][:] = False
        complaint = self.refused(capsys, tmp_path / "copy", tmp_path / "table.csv")
        assert "must hold at least one curve" in complaint


# Embeds a small store, so that all is imported and compiled, and then the large one, with only
# so much more memory than is in use.
CAPPED = """
import resource, sys
from pathlib import Path
from latent_nmr.commands.main import main

model, small, large, out, growth = sys.argv[1:]
assert main(["embed", model, small, "--out", out + ".small.npz"]) == 0
status = dict(line.split(":", 1) for line in Path("/proc/self/status").open())
in_use = 1024 * int(status["VmData"].split()[0])
resource.setrlimit(resource.RLIMIT_DATA, (in_use + int(growth), resource.RLIM_INFINITY))
sys.exit(main(["embed", model, large, "--out", out]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the system must count private memory")
class TestMemory:
    """A store may be larger than memory."""

    def test_a_store_is_embedded_in_less_memory_than_half_its_curves_take(self, tmp_path):
        n_curves = 20_000
        make_store(tmp_path / "small.zarr", N_SIMULATED)
        dataset = open_echoes(make_store(tmp_path / "large.zarr", n_curves))
        model = make_model(tmp_path / "model", dataset)
        wanted = embedding_table(model, dataset, features(dataset))
        size = dataset["mx"].nbytes + dataset["my"].nbytes
        names = [str(tmp_path / name) for name in ("model", "small.zarr", "large.zarr", "e.npz")]
        run = subprocess.run(
            [sys.executable, "-c", CAPPED, *names, str(size // 2)], capture_output=True, text=True
        )
        assert run.returncode == 0, run.stderr
        table = read(Path(names[-1]))
        for name in COLUMNS:
            np.testing.assert_array_equal(table[name].to_numpy(), wanted[name].to_numpy(), name)
        assert set(table["split"]) == {"training", "validation"}
