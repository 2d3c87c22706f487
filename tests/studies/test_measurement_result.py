"""Results of measured echoes: what is refused, the table, and files that keep all of it."""

import json

import numpy as np
import pytest

from latent_nmr.errors import InputError
from latent_nmr.studies.measurement._records import Estimate, FileResult
from latent_nmr.studies.measurement._result import MeasurementResult, ReferenceMap
from tests.studies.measurements import FACTS, REFUSED, STEPS, record, reference, result


class TestEstimate:
    """A mean and two intervals, one inside the other."""

    def test_the_narrow_interval_lies_in_the_wide_one(self):
        with pytest.raises(InputError, match=r"must rise.*quantiles of one draw"):
            Estimate(0.2, 0.02, low68=0.15, high68=0.22, low95=0.16, high95=0.24)

    @pytest.mark.parametrize("name", ["mean", "sd", "low95"])
    def test_numbers_are_finite(self, name):
        values = {"mean": 1, "sd": 1, "low68": 0, "high68": 2, "low95": -1, "high95": 3}
        with pytest.raises(InputError, match=name):
            Estimate(**(values | {name: np.nan}))


class TestRecordResult:
    """A record has what its verdict lets it have."""

    @pytest.mark.parametrize("verdict", ["NO ECHO", "TOO NOISY"])
    def test_without_an_echo_there_is_no_point(self, verdict):
        assert record(verdict).point is None
        with pytest.raises(InputError, match=f"point must be None where the verdict is {verdict}"):
            record(verdict, point=np.zeros(2), covariance=np.eye(2))

    def test_inside_there_is_a_point(self):
        with pytest.raises(InputError, match="point must be given where the verdict is INSIDE"):
            record("INSIDE", point=None, covariance=None, estimates={}, kernels={})

    def test_outside_there_may_be_a_point(self):
        assert record("OUTSIDE").point is not None
        bare = record("OUTSIDE", point=None, covariance=None, estimates={}, kernels={})
        assert bare.covariance is None

    def test_there_are_no_estimates_without_a_point(self):
        with pytest.raises(InputError, match="neither and with them no estimates"):
            record("OUTSIDE", point=None, covariance=None)

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"verdict": "FINE"}, "verdict must be one of NO ECHO, TOO NOISY, OUTSIDE, INSIDE"),
            ({"p_value": 1.2}, "p_value must be >= 0 and <= 1"),
            ({"decoded": np.zeros(3)}, "one value for each sample of the window"),
            ({"covariance": np.eye(3)}, "covariance"),
            ({"covariance": np.arange(16.0).reshape(4, 4)}, "covariance symmetric"),
            ({"covariance": np.diag([1.0, 1, 1, -1])}, "no negative eigenvalue"),
            ({"kernels": {"power": 0.6}}, "shares of 1 together"),
            ({"estimates": {"V": None}}, "a label of estimates must be one of W, L"),
        ],
    )
    def test_values_that_cannot_be_are_refused(self, changes, said):
        with pytest.raises(InputError, match=said):
            record(**changes)


class TestFileResult:
    """A file has records or a refusal."""

    @pytest.mark.parametrize("records", [(), (record(),)])
    def test_it_has_one_of_both(self, records):
        refused = REFUSED.refused if records else None
        with pytest.raises(InputError, match="Give records or the refusal"):
            FileResult("a.tnt", FACTS, STEPS, records, refused)

    def test_a_refusal_has_a_reason_and_a_cure(self):
        with pytest.raises(InputError, match="refused must have path, reason, cure"):
            FileResult("a.tnt", refused={"path": "a.tnt", "reason": "it is cut short"})


class TestTable:
    """One row per record."""

    def test_it_holds_the_verdict_the_point_and_the_estimates(self):
        own = record()
        table = result(own, record("NO ECHO", 1)).table
        assert table["verdict"].tolist() == ["INSIDE", "NO ECHO"]
        assert table["file"].tolist() == ["sample_SE.meas"] * 2
        first = table.iloc[0]
        assert own.point is not None
        assert own.covariance is not None
        assert first["LA3"] == own.point[2]
        assert first["LA3_sd"] == pytest.approx(np.sqrt(own.covariance[2, 2]))
        assert (first["W"], first["W_low95"], first["L_sd"]) == (0.19, pytest.approx(0.15), 5.0)
        assert (first["kernel"], first["rkky"]) == ("power", 0.18)

    def test_what_a_record_does_not_have_is_missing(self):
        row = result(record("NO ECHO")).table.iloc[0]
        assert np.isnan(row["LA1"])
        assert np.isnan(row["W"])
        assert row["kernel"] == ""

    def test_refused_files_have_no_row_but_are_listed(self):
        found = result()
        assert found.table["file"].tolist() == ["sample_SE.meas"]
        assert found.refused == [REFUSED.refused]
        assert repr(found).startswith("<MeasurementResult: 1 INSIDE, 1 refused; .table")


class TestFiles:
    """What is saved comes back."""

    def test_a_saved_result_comes_back_with_the_digits_of_single_precision(self, tmp_path):
        found = result(record(), record("TOO NOISY", 1), record("OUTSIDE", 7, seed=3))
        found.save(tmp_path / "r.json")
        back = MeasurementResult.load(tmp_path / "r.json")
        assert back.as_json() == found.as_json()
        for (_, one), (_, other) in zip(found.records(), back.records(), strict=True):
            for name in ("time", "measured", "decoded", "nearest"):
                kept = getattr(one, name).astype(np.float32)
                np.testing.assert_array_equal(kept, getattr(other, name).astype(np.float32))
            assert one.estimates == other.estimates
        assert back.map.labels["kernel"].tolist() == found.map.labels["kernel"].tolist()

    def test_probabilities_keep_their_smallness(self, tmp_path):
        result(record(p_value=1e-60)).save(tmp_path / "r.json")
        back = MeasurementResult.load(tmp_path / "r.json")
        assert back.table["p_value"].tolist() == [1e-60]

    def test_without_arrays_it_is_small(self):
        small = json.dumps(result().as_json(arrays=False))
        assert len(small) < 3000 < len(json.dumps(result().as_json()))

    def test_a_file_is_not_replaced_by_itself(self, tmp_path):
        path = tmp_path / "r.json"
        result().save(path)
        with pytest.raises(InputError, match="overwrite=True"):
            result().save(path)
        result(record("NO ECHO")).save(path, overwrite=True)
        assert MeasurementResult.load(path).table["verdict"].tolist() == ["NO ECHO"]

    @pytest.mark.parametrize(
        "change",
        [
            lambda text: text[: len(text) // 2],
            lambda text: text.replace('"version": 1', '"version": 9'),
            lambda text: text.replace("latent_nmr.measurement", "latent_nmr.audit"),
            lambda text: text.replace('"INSIDE"', '"SURE"'),
            lambda _: "[]",
        ],
    )
    def test_damaged_files_are_refused(self, tmp_path, change):
        path = tmp_path / "r.json"
        result().save(path)
        path.write_text(change(path.read_text("utf-8")), "utf-8")
        with pytest.raises(InputError, match="path must be a file that save wrote"):
            MeasurementResult.load(path)

    def test_a_map_has_labels_of_its_curves(self):
        known = reference(20)
        with pytest.raises(InputError, match=r"labels \(n_curves,\)"):
            MeasurementResult([], {}, ReferenceMap(known.points[:10], known.labels))


class TestFigures:
    """Figures have names that any system takes, and none hides another."""

    def test_each_record_has_its_own(self):
        names = set(result(record(), record("NO ECHO", 4)).figures)
        kinds = ("curves", "map", "estimates")
        assert names == {f"sample_SE_0_{kind}" for kind in kinds} | {"sample_SE_4_curves"}

    def test_files_of_one_name_are_numbered(self):
        files = [
            FileResult(path, FACTS, STEPS, [record("NO ECHO")])
            for path in ("a/1", "b/1", "c/ä ö?.tnt")
        ]
        found = MeasurementResult(files, {}, reference())
        assert list(found.figures) == ["1-1_0_curves", "2-1_0_curves", "ä-ö_0_curves"]

    def test_times_are_those_of_the_record(self):
        figure = result().figures["sample_SE_0_curves"]
        drawn = np.asarray(figure.axes[0].lines[0].get_xdata())
        np.testing.assert_allclose(drawn, record().time / FACTS["time_factor"])

    def test_an_axis_alone_has_no_map(self):
        found = result(record(n_components=1), n_components=1)
        assert "sample_SE_0_map" not in found.figures
