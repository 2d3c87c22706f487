"""Kept results are found, titled and published by what they say, wherever and however they lie."""

import importlib.util
import json
import re
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor

import latent_nmr as ln
from latent_nmr.data.reference import load_reference
from latent_nmr.errors import InputError
from latent_nmr.report.challenge_tables import challenge_tables
from latent_nmr.report.kept_results import (
    CHALLENGE,
    EVALUATION,
    PROBE,
    read_results,
    write_result,
)
from latent_nmr.report.probe_tables import flip_angle, probe_tables
from latent_nmr.report.probes import probe_values
from latent_nmr.report.study_tables import rows_as_json, settings_row, settings_table, truth_row
from latent_nmr.studies.description import describe_store, origin, write_excerpt
from latent_nmr.studies.settings import score_setting, true_parameter_scores

ROOT = Path(__file__).parents[2]
TABLES = ROOT / "artifacts" / "tables"


@pytest.fixture(scope="module")
def probes():
    return read_results(TABLES, PROBE)


@pytest.fixture(scope="module")
def challenges():
    return read_results(TABLES, CHALLENGE)


@pytest.fixture(scope="module")
def dataset():
    return load_reference(60)


class TestNames:
    """The name of a file, its folder and the working directory say nothing."""

    @pytest.mark.parametrize(
        ("kind", "tables"), [(PROBE, probe_tables), (CHALLENGE, challenge_tables)]
    )
    def test_files_of_other_names_give_the_same_tables(self, kind, tables, tmp_path, monkeypatch):
        known = read_results(TABLES, kind)
        for number, result in enumerate(reversed(known)):
            write_result(tmp_path / f"{number:02}.json", result)
        monkeypatch.chdir(tmp_path)
        assert sorted(tables(read_results(Path(), kind))) == sorted(tables(known))

    def test_no_module_and_no_script_but_the_recipe_knows_the_name_of_a_kept_result(self):
        names = [path.stem for path in TABLES.glob("*.json") if path.stem.count("-") > 1]
        assert len(names) > 10
        sources = [*(ROOT / "latent_nmr").rglob("*.py"), *(ROOT / "scripts").glob("*.py")]
        for path in sources:
            if path.name != "reproduce.py":
                found = [name for name in names if name in path.read_text("utf-8")]
                assert not found, f"{path} knows {found}"

    def test_other_kinds_and_the_file_of_a_study_itself_are_left_out(self, tmp_path):
        write_result(tmp_path / "a.json", {"format": PROBE, "command": "latent-nmr probe x"})
        write_result(tmp_path / "b.json", {"format": PROBE, "version": 1, "records": {}})
        write_result(tmp_path / "c.json", {"format": EVALUATION, "command": "latent-nmr evaluate"})
        write_result(tmp_path / "d.json", {"command": "make data"})
        assert [one["command"] for one in read_results(tmp_path, PROBE)] == ["latent-nmr probe x"]

    @pytest.mark.parametrize("content", ["{", "[1]", "\xff"])
    def test_a_damaged_file_is_named(self, content, tmp_path):
        (tmp_path / "x.json").write_bytes(content.encode("latin-1"))
        with pytest.raises(InputError, match=r"must be a JSON object, but .*x\.json"):
            read_results(tmp_path, PROBE)


class TestFacts:
    """Another fact in a result gives another table, the file being the same."""

    def test_columns_are_titled_by_offsets_and_number_of_samples(self, probes):
        changed = deepcopy(probes)
        for result in changed:
            if result["line_draw"] == "stratified":
                result |= {"line_draw": "frozen", "window": "full", "n_samples": 1882}
        before, after = (next(iter(probe_tables(found))) for found in (probes, changed))
        assert "stratified ν" in before
        assert after == before.replace("stratified ν", "frozen ν, 1882 samples")

    def test_rows_are_titled_and_ordered_by_the_angle_of_the_first_pulse(self, probes):
        changed = deepcopy(probes)
        for result in changed:
            if flip_angle(result) == 60:
                result["pulse_angles_rad"] = [np.radians(135.0), np.pi]
        angles = [
            re.findall(r"θ = (\d+)°, forest", list(probe_tables(found))[-1])
            for found in (probes, changed)
        ]
        assert angles == [["60", "90", "120"], ["90", "120", "135"]]

    def test_a_probe_of_another_number_of_curves_shares_no_table_of_angles(self, probes):
        changed = deepcopy(probes)
        for result in changed:
            result["n_curves"] += flip_angle(result) == 60
        before, after = (list(probe_tables(found)) for found in (probes, changed))
        assert len(after) == len(before) + 1
        assert "θ = 60°" not in after[-1]

    def test_probes_that_do_not_say_how_they_were_turned_have_tables_of_their_own(self, probes):
        silent = [{**one, "pulse_angles_rad": None} for one in probes]
        before, after = (list(probe_tables(found)) for found in (probes, silent))
        assert len(after) == len(before) + 2
        assert not any("θ =" in table for table in after)

    def test_without_the_probe_that_is_set_beside_the_paper_only_networks_are_shown(self, probes):
        others = [one for one in probes if not one["tables"]["leak"]]
        assert list(probe_tables(others)) == list(probe_tables(probes))[-2:]
        assert list(probe_tables([])) == list(challenge_tables([])) == []

    def test_the_challenge_of_most_curves_is_set_beside_that_of_fewest(self, challenges):
        *_, before = challenge_tables(challenges)
        assert "2000 curves | 6000 curves | 6000 to submit" in before
        changed = deepcopy(challenges)
        for result in changed:
            if result["n_curves"] == 6000:
                result["edition"] = "2021-rkky"
        *_, after = challenge_tables(changed)
        assert after != before

    def test_a_challenge_of_frozen_offsets_is_a_column_of_its_edition(self, challenges):
        changed = deepcopy(challenges)
        for result in changed:
            if result["line_draw"] == "frozen":
                result["line_draw"] = "stratified"
        before, after = ("\n".join(challenge_tables(found)) for found in (challenges, changed))
        assert before.count("| frozen line |") == 3
        assert "frozen line" not in after

    @pytest.mark.parametrize(
        ("said", "expected"),
        [
            (
                {"line_draw": "frozen", "pulse_angles_rad": np.radians([60.0, 120.0])},
                ("frozen", 60),
            ),
            ({}, (None, None)),
        ],
    )
    def test_a_probe_keeps_what_its_curves_say_of_themselves(self, said, expected):
        curves = load_reference(110)
        for name in ("line_draw", "pulse_angles_rad"):
            del curves.attrs[name]
        curves.attrs |= said
        result = ln.probe(
            curves, features="points", targets="W", regressors=DummyRegressor(), n_seeds=1
        )
        kept = probe_values(result, command="", settings={"data": ""})
        assert kept["line_draw"] == expected[0]
        assert flip_angle(kept) == expected[1]


class TestStudies:
    """What studies say of their data."""

    @pytest.mark.slow
    def test_settings_are_scored_and_kept_as_rows(self):
        dataset = load_reference(160)
        result = score_setting(
            dataset,
            {"max_epochs": 1, "hidden_layer_sizes": (4,)},
            n_components=2,
            n_seeds=1,
            share=0.5,
        )
        assert result.facts["n_training"] == 64
        assert result.facts["n_held_out"] == 32
        found = true_parameter_scores(dataset, ["alpha_x"])
        rows = {"a": {"2": settings_row(result, 2)}, "true": {"1": truth_row(found, 1)}}
        assert rows["a"]["2"].scores["epochs"] == (1.0,)
        table = settings_table(rows).splitlines()
        assert [line.split(" | ")[:2] for line in table[2:]] == [["| a", "2"], ["| true", "1"]]
        kept = rows_as_json(rows)
        assert kept["a"]["2"]["scores"]["rms"] == list(rows["a"]["2"].scores["rms"])
        json.dumps(kept)

    def test_curves_are_described_as_in_the_manifest_of_the_reference_set(self, dataset, tmp_path):
        manifest = json.loads((TABLES / "reference-set.json").read_text("utf-8"))
        assert origin("reference", dataset) == {
            "data": "reference", "n_curves": 60, "line_draw": "stratified",
        }  # fmt: skip
        for name, store in manifest["stores"].items():
            assert store["settings"]["line_draw"] == name
            assert set(store) == set(describe_store("x.zarr", dataset))
        excerpt = write_excerpt(dataset, 20, tmp_path / "few.npz")
        assert set(excerpt) | {"of"} == set(manifest["compact"])
        assert excerpt["largest_rounding"] <= excerpt["step"] / 2
        assert ln.open_echoes(tmp_path / "few.npz").sizes["curve"] == excerpt["n_curves"] == 20


class TestPublishing:
    """`scripts/publish.py` goes by what a run says of itself."""

    @pytest.fixture(scope="class")
    @staticmethod
    def publish():
        spec = importlib.util.spec_from_file_location("publish", ROOT / "scripts" / "publish.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.main

    @pytest.mark.parametrize("more", [[], ["--tables-only"]])
    def test_an_evaluation_is_published_by_the_name_of_its_run(
        self, more, publish, tmp_path, monkeypatch
    ):
        run, out = tmp_path / "reference-echo", tmp_path / "out"
        for folder in (run / "figures", out / "tables", out / "reports"):
            folder.mkdir(parents=True)
        write_result(run / "evaluation.json", {"format": EVALUATION, "window": "full"})
        for name in ("scores.csv", "report.html", "figures/maps.png", "figures/maps.pdf"):
            (run / name).write_text(name)
        words = ["publish", str(run), "--artifacts", str(out), *more]
        monkeypatch.setattr("sys.argv", words)
        publish()
        files = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
        page = {
            "tables/evaluation-echo.csv", "reports/echo.html", "figures/evaluation-echo/maps.png",
        }  # fmt: skip
        assert files == {"tables/evaluation-echo.json"} | (set() if more else page)

    def test_a_probe_is_published_without_what_only_figures_show(
        self, publish, tmp_path, monkeypatch
    ):
        run, out = tmp_path / "any", tmp_path / "out"
        (run / "figures").mkdir(parents=True)
        entry = {"model": "forest", "importances": [1.0]}
        tables = {"importances": [entry], "screening": [entry], "regression": []}
        write_result(run / "probe.json", {"format": PROBE, "command": "c", "tables": tables})
        monkeypatch.setattr("sys.argv", ["publish", str(run), "--artifacts", str(out)])
        publish()
        (kept,) = read_results(out / "tables", PROBE)
        assert kept["tables"] == {"screening": [{"model": "forest"}], "regression": []}

    def test_a_model_is_shipped_of_one_run_only(self, publish, monkeypatch, capsys):
        monkeypatch.setattr("sys.argv", ["publish", "a", "b", "--ship", "echo"])
        with pytest.raises(SystemExit):
            publish()
        assert "--ship takes one run" in capsys.readouterr().err
