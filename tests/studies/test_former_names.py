"""Names that earlier versions wrote are read; those of the public parameters are written."""

import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.analysis.score_names import FORMER_NAMES, SCORES
from latent_nmr.report.evaluation import evaluation_lines, evaluation_values, write_csv
from latent_nmr.report.evaluation_page import page, write_page_and_tables
from latent_nmr.report.markdown import chosen, evaluation_table
from latent_nmr.report.score_table import Row
from latent_nmr.report.study_tables import likelihood_table
from latent_nmr.studies.settings import compare_settings

TABLES = Path(__file__).parents[2] / "artifacts" / "tables"
EARLIER = ("evaluation-echo", "evaluation-full", "noise", "likelihood")
FORMER = {"active_axes": "live_axes", "n_neighbors": "n_neighbours"}
NAMES = re.compile(r"live_axes|n_neighbours")
X = np.random.default_rng(0).uniform(size=(60, 12)).astype(np.float32)
LABELS = {"W": X[:, 0].astype(np.float64)}


def evaluated(folder):
    vae = ln.BetaVAE(2, max_epochs=1, min_epoch_steps=1, hidden_layer_sizes=(4,))
    settings = {"ceiling": False, "n_neighbors": 5, "progress": False, "n_seeds": 2}
    return ln.evaluate(X, LABELS, {"vae": vae, "pca": "pca"}, folder=folder, **settings)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A finished evaluation, its steps kept, and its result saved."""
    folder = tmp_path_factory.mktemp("kept")
    result = evaluated(folder)
    result.save(folder / "result")
    return folder


@pytest.fixture(scope="module")
def result(kept):
    return ln.EvaluationResult.load(kept / "result")


def as_before(value):
    """What an earlier version wrote of JSON values."""
    text = json.dumps(value)
    for name, former in FORMER.items():
        text = text.replace(f'"{name}"', f'"{former}"')
    return json.loads(text)


def rename_in_steps(folder):
    """Make the kept steps those of an earlier version; gives how many hold a name that changed."""
    n_changed = 0
    for path in (folder / "steps").iterdir():
        if path.suffix == ".json":
            known = json.loads(path.read_text("utf-8"))
            # The facts, by which a step is found, have always had the names of the parameters.
            before = {**known, "value": as_before(known["value"])}
            n_changed += before != known
            path.write_text(json.dumps(before), "utf-8")
            continue
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
        former = {name.replace("active_axes", "live_axes"): a for name, a in arrays.items()}
        n_changed += former.keys() != arrays.keys()
        content = io.BytesIO()
        np.savez(content, **former)
        path.write_bytes(content.getvalue())
    return n_changed


class TestWritten:
    """What is written has the names of the public parameters only."""

    def test_scores_have_them(self):
        assert not FORMER_NAMES.keys() & SCORES.keys()
        assert set(FORMER_NAMES.values()) <= SCORES.keys()

    @pytest.mark.slow
    def test_an_evaluation(self, kept, result, tmp_path):
        values = evaluation_values(result)
        assert values["n_neighbors"] == 5
        write_page_and_tables(result, values, tmp_path)
        rows = [Row.from_json(row) for row in values["tables"]["held-out"]]
        write_csv(rows, tmp_path / "scores.csv")
        texts = [json.dumps(values), (kept / "result" / "result.json").read_text("utf-8")]
        texts += [path.read_text("utf-8") for path in tmp_path.iterdir()]
        texts += [path.read_text("utf-8") for path in (kept / "steps").glob("*.json")]
        assert not [text for text in texts if NAMES.search(text)]
        assert all("active_axes" in text for text in texts[:2])
        for path in (kept / "steps").glob("*.npz"):
            with np.load(path) as file:
                assert not [name for name in file.files if NAMES.search(name)]

    @pytest.mark.slow
    def test_a_study_of_settings(self):
        split, vae = (np.arange(45), np.arange(45, 60)), {"max_epochs": 1, "min_epoch_steps": 1}
        settings = {"short": vae | {"hidden_layer_sizes": (4,)}}
        found = dict(compare_settings(X, LABELS, settings, split, n_seeds=1))
        assert "active_axes" in found["short"]
        assert not NAMES.search(json.dumps(found))
        assert likelihood_table("echo", as_before(found)) == likelihood_table("echo", found)


class TestRead:
    """What an earlier version wrote is read as if this one had written it."""

    def test_a_saved_result(self, kept, result, tmp_path):
        shutil.copytree(kept / "result", tmp_path / "result")
        path = tmp_path / "result" / "result.json"
        head = json.loads(path.read_text("utf-8"))
        before = {**head, "records": as_before(head["records"])}
        assert before != head
        path.write_text(json.dumps(before), "utf-8")
        again = ln.EvaluationResult.load(tmp_path / "result")
        assert again.records.equals(result.records)
        assert again.table.equals(result.table)
        assert again.summary.equals(result.summary)
        assert "active axes" in again.summary
        assert evaluation_values(again) == evaluation_values(result)
        again.save(tmp_path / "saved")
        assert not NAMES.search((tmp_path / "saved" / "result.json").read_text("utf-8"))

    def test_kept_steps(self, kept, result, tmp_path):
        shutil.copytree(kept / "steps", tmp_path / "steps")
        shutil.copytree(kept / "models", tmp_path / "models")
        # Fits and scores of two seeds.
        assert rename_in_steps(tmp_path) == 4
        before = {path: path.read_bytes() for path in (tmp_path / "steps").iterdir()}
        again = evaluated(tmp_path)
        assert again.records.equals(result.records)
        # Nothing was computed again.
        assert {path: path.read_bytes() for path in (tmp_path / "steps").iterdir()} == before

    def test_scores_of_kept_fits_where_only_the_fits_are_there(self, kept, result, tmp_path):
        shutil.copytree(kept / "steps", tmp_path / "steps")
        shutil.copytree(kept / "models", tmp_path / "models")
        for path in (tmp_path / "steps").glob("*.json"):
            path.unlink()
        assert rename_in_steps(tmp_path) == 2
        assert evaluated(tmp_path).records.equals(result.records)

    def test_rows_lines_and_page_of_a_kept_evaluation(self, result):
        more = {"data": "echoes.zarr", "window": "echo", "normalisation": "initial"}
        values = evaluation_values(result) | more
        before = as_before(values)
        assert "n_neighbors" not in before
        rows, former = (
            [Row.from_json(row) for row in found["tables"]["held-out"]]
            for found in (values, before)
        )
        assert former == rows
        assert any(row.cell("active_axes") for row in former)
        assert evaluation_lines(before) == evaluation_lines(values)
        text = page(before, former, [], [])
        assert text == page(values, rows, [], [])
        assert "its 5 nearest training curves" in text

    @pytest.mark.parametrize("name", EARLIER)
    def test_what_is_committed_is_of_the_one_or_the_other(self, name):
        """The kept results that the documents show are read without being written anew."""
        measured = json.loads((TABLES / f"{name}.json").read_text("utf-8"))
        if name == "likelihood":
            found = [likelihood_table(window, rows) for window, rows in measured["windows"].items()]
            assert all(re.search(r"\| Bernoulli \| \d", text) for text in found)
            return
        if name == "noise":
            tables = [part for of_fit in measured["tables"].values() for part in of_fit.values()]
            rows = [Row.from_json(row) for part in tables for row in part]
        else:
            rows = chosen(measured, "held-out")
            assert evaluation_table(rows).splitlines()[0].endswith("| active axes |")
            page_text = page(measured, rows, [], [])
            assert "its 15 nearest training curves" in page_text
        of_vaes = [row for row in rows if row.method == "vae"]
        assert of_vaes
        assert all(row.cell("active_axes") for row in of_vaes)
