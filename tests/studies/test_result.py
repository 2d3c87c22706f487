"""What every study returns: tidy records that are saved and read without loss."""

import copy
import json
import pickle

import numpy as np
import pandas as pd
import pytest

from latent_nmr.errors import InputError
from latent_nmr.plots.style import new_figure
from latent_nmr.studies._result import (
    RECORD_COLUMNS,
    Figures,
    StudyResult,
    as_records,
    record,
    summarise,
)


class Trial(StudyResult):
    """A result with one figure."""

    study = "trial"

    def _drawers(self):
        return {"sum": lambda: [float(self.arrays["curve"].sum())]}


class Other(StudyResult):
    """A result of another study."""

    study = "other"


def rows():
    return [
        record("trial", target="W", model=model, seed=seed, score="r2", value=value, n_components=2)
        for model, values in {"PCA": (0.1, 0.3), "mine": (np.nan, 0.5)}.items()
        for seed, value in enumerate(values)
    ]


@pytest.fixture
def result():
    arrays = {"curve": np.arange(3, dtype=np.float32), "names": np.array(["a", "β"])}
    failures = [{"model": "mine", "seed": 0, "reason": "NaN"}]
    return Trial(as_records(rows()), {"n_curves": 3, "window": None}, arrays, failures)


def test_figures_are_written_as_png_or_in_the_formats_asked_for(tmp_path):
    figures = Figures({"first": lambda: new_figure(1, 1), "second": lambda: new_figure(1, 1)})
    made = tmp_path / "made" / "figures"
    assert [path.name for path in figures.save(made)] == ["first.png", "second.png"]
    assert len(list(made.iterdir())) == 2
    written = figures.save(made, (".png", ".pdf"))
    names = [f"{name}.{suffix}" for name in ("first", "second") for suffix in ("png", "pdf")]
    assert [path.name for path in written] == names
    assert all(path.stat().st_size for path in written)


class TestRecords:
    """One measurement per row, with columns of one order."""

    def test_the_common_columns_come_first(self, result):
        assert tuple(result.records.columns) == (*RECORD_COLUMNS, "n_components")

    def test_no_measurements_still_have_the_columns(self):
        assert tuple(as_records([]).columns) == RECORD_COLUMNS

    def test_the_table_is_a_group_by_over_seeds(self, result):
        table = result.table.set_index("model")
        assert table.loc["PCA", "mean"] == pytest.approx(0.2)
        assert table.loc["PCA", "sd"] == pytest.approx(np.std([0.1, 0.3], ddof=1))
        assert table.loc["PCA", "n_seeds"] == 2

    def test_a_missing_value_is_not_counted(self, result):
        assert result.table.set_index("model").loc["mine", "n_seeds"] == 1

    def test_groups_keep_their_order(self):
        assert summarise(as_records(rows()[::-1]))["model"].tolist() == ["mine", "PCA"]


class TestFigures:
    """Figures are drawn when they are asked for, once."""

    def test_nothing_is_drawn_before_it_is_asked_for(self):
        drawn = []
        figures = Figures({"map": lambda: drawn.append(1) or "figure"})
        assert list(figures) == ["map"]
        assert len(figures) == 1
        assert "map" in repr(figures)
        assert drawn == []
        assert figures["map"] == figures["map"] == "figure"
        assert drawn == [1]

    def test_what_is_changed_in_a_figure_of_a_result_is_saved(self, result, tmp_path):
        class Drawn(Trial):
            def _drawers(self):
                return {"map": lambda: new_figure(1, 1)}

        drawn = Drawn(result.records, result.facts)
        assert drawn.figures is drawn.figures
        drawn.figures["map"].suptitle("of my own")
        (written,) = drawn.figures.save(tmp_path, (".svg",))
        assert "of my own" in written.read_text("utf-8")
        assert drawn.figures["map"].get_suptitle() == "of my own"

    @pytest.mark.parametrize(
        "copied", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))]
    )
    def test_a_copy_of_a_result_draws_for_itself(self, result, copied):
        result.figures["sum"].append(1.0)
        assert copied(result).figures["sum"] == [3.0]

    def test_an_unknown_name_is_a_key_error(self):
        with pytest.raises(KeyError, match="scree"):
            Figures({})["scree"]


class TestFiles:
    """A saved result comes back the same; nothing else is touched."""

    def test_a_round_trip_is_exact(self, result, tmp_path):
        result.save(tmp_path / "trial")
        found = Trial.load(tmp_path / "trial")
        pd.testing.assert_frame_equal(found.records, result.records)
        assert found.facts == result.facts
        assert found.failures == result.failures
        assert found.arrays.keys() == result.arrays.keys()
        for name, values in result.arrays.items():
            assert found.arrays[name].dtype == values.dtype
            np.testing.assert_array_equal(found.arrays[name], values)

    def test_a_loaded_result_draws_the_same(self, result, tmp_path):
        result.save(tmp_path / "trial")
        assert Trial.load(tmp_path / "trial").figures["sum"] == result.figures["sum"] == [3.0]

    def test_a_result_is_replaced_only_if_asked_for(self, result, tmp_path):
        result.save(tmp_path / "trial")
        with pytest.raises(InputError, match="overwrite=True"):
            result.save(tmp_path / "trial")
        Trial(result.records, {"n_curves": 4}).save(tmp_path / "trial", overwrite=True)
        assert Trial.load(tmp_path / "trial").facts == {"n_curves": 4}

    def test_other_files_are_never_removed(self, result, tmp_path):
        result.save(tmp_path / "trial")
        (tmp_path / "trial" / "thesis.tex").write_text("years of work", "utf-8")
        with pytest.raises(InputError, match="holds something else"):
            result.save(tmp_path / "trial", overwrite=True)
        assert (tmp_path / "trial" / "thesis.tex").read_text("utf-8") == "years of work"

    def test_a_file_is_no_place_for_a_result(self, result, tmp_path):
        (tmp_path / "note").write_text("x", "utf-8")
        with pytest.raises(InputError, match="holds something else"):
            result.save(tmp_path / "note", overwrite=True)

    def test_a_result_of_another_study_is_refused(self, result, tmp_path):
        result.save(tmp_path / "trial")
        with pytest.raises(InputError, match=r"latent_nmr\.other.*latent_nmr\.trial"):
            Other.load(tmp_path / "trial")

    @pytest.mark.parametrize("damage", ["missing", "cut", "no records", "no arrays"])
    def test_a_damaged_result_is_named(self, result, tmp_path, damage):
        folder = tmp_path / "trial"
        result.save(folder)
        path = folder / "result.json"
        if damage == "missing":
            path.unlink()
        elif damage == "cut":
            path.write_text(path.read_text("utf-8")[:-20], "utf-8")
        elif damage == "no records":
            head = json.loads(path.read_text("utf-8"))
            del head["records"]
            path.write_text(json.dumps(head), "utf-8")
        else:
            (folder / "arrays.npz").write_bytes(b"PK")
        with pytest.raises(InputError, match="cannot be read"):
            Trial.load(folder)
