"""Words and page of measured echoes."""

import re
import struct

import pytest

from latent_nmr.report._html import PageFigure
from latent_nmr.report.measurement import (
    VERDICT_MEANINGS,
    facts_text,
    file_title,
    measurement_lines,
    p_text,
)
from latent_nmr.report.measurement_page import CAPTIONS, page, write_page
from latent_nmr.studies.measurement._records import VERDICTS, FileResult
from latent_nmr.studies.measurement._result import MeasurementResult
from tests.report.test_evaluation_page import NASTY, Reader
from tests.studies.measurements import FACTS, STEPS, record, reference, result

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 640, 480) + b"pixels"


def page_of(found, figures=None, command="latent-nmr measure a.tnt"):
    values = found.as_json(arrays=False) | {"command": command}
    return page(values, figures or {}, [{} for _ in found.files])


class TestLines:
    """A table for each file."""

    def test_a_row_says_verdict_echo_and_estimates(self):
        lines = measurement_lines(result(refused=()).as_json())
        heads, row = (line.split() for line in lines[2:4])
        assert heads[:2] == ["record", "verdict"]
        assert row[:4] == ["0", "INSIDE", "58.2", "13.5"]
        assert "0.190 ± 0.020" in lines[3]
        assert "power law 62 %" in lines[3]
        assert row[-1] == "0.43"

    def test_columns_are_below_their_heads(self):
        lines = measurement_lines(result(record(), record("NO ECHO", 11)).as_json())
        heads, *rows = lines[2:5]
        place = heads.index("echo (µs)") + len("echo (µs)")
        assert all(row[place - 4 : place] == "58.2" for row in rows)
        words_begin = heads.index("verdict")
        assert [row[words_begin:].split("  ")[0] for row in rows] == ["INSIDE", "NO ECHO"]

    def test_the_reason_of_each_verdict_is_said_once(self):
        records = [record(number=k, reason=f"Reason {k}.") for k in range(5)]
        text = "\n".join(measurement_lines(result(*records).as_json()))
        assert "INSIDE (5 records; of record 0): Reason 0." in text
        assert "Reason 1" not in text

    def test_refused_files_come_with_reason_and_cure(self):
        assert measurement_lines(result().as_json())[-1] == (
            "refused    fid_1D.tnt: it must hold DATA, but is cut short. Copy it again."
        )

    def test_lines_are_the_same_without_arrays(self):
        found = result(record(), record("TOO NOISY", 1))
        assert measurement_lines(found.as_json(arrays=False)) == measurement_lines(found.as_json())

    def test_facts_say_what_was_scaled_and_interrupted(self):
        assert facts_text(FACTS) == (
            "NQR JSON, 209Bi, 83.56 MHz, 1000 scans, τ 124 µs, times multiplied by 0.806 for the "
            "model"
        )
        assert facts_text({"format": "TNT", "scans_done": 388, "scans_asked": 4096}) == (
            "TNT, 388 of 4096 scans"
        )

    @pytest.mark.parametrize(
        ("value", "text"), [(None, "–"), (0.43, "0.43"), (2.4e-8, "2·10⁻⁸"), (0.0, "0")]
    )
    def test_small_probabilities_are_powers_of_ten(self, value, text):
        assert p_text(value) == text

    def test_every_verdict_has_a_meaning(self):
        assert set(VERDICT_MEANINGS) == set(VERDICTS)


class TestPage:
    """The page as a browser reads it."""

    def test_it_is_well_formed_and_asks_nothing_of_a_network(self):
        read = Reader(page_of(result(), {(0, 0): [PageFigure("Curve", CAPTIONS["curves"], PNG)]}))
        assert read.flaws == []
        for tag, attributes in read.tags:
            assert tag not in ("script", "link", "iframe")
            for name in ("src", "href"):
                place = attributes.get(name, "#")
                assert place.startswith(("data:image/png;base64,", "#"))

    def test_names_inside_it_are_text(self):
        nasty = FileResult(NASTY, FACTS, STEPS, [record(reason=NASTY)])
        refused = FileResult(NASTY, refused={"path": NASTY, "reason": NASTY, "cure": NASTY})
        found = MeasurementResult([nasty, refused], {"name": NASTY}, reference())
        text = page_of(found, command=NASTY)
        assert "<script" not in text
        assert Reader(text).flaws == []

    def test_the_verdict_and_its_reason_come_before_all_else_of_a_file(self):
        text = page_of(result(refused=()), {(0, 0): [PageFigure("Curve", "", PNG)]})
        verdict = text.index("<strong>INSIDE</strong> The curve lies as near")
        assert verdict < text.index("<img") < text.index("Steps of reading")
        assert verdict < text.index("0.190")

    def test_of_many_records_all_are_in_the_table_and_the_first_have_figures(self):
        records = [record(number=k) for k in range(100)]
        figures = {(0, row): [PageFigure("Curve", "", PNG)] for row in range(3)}
        read = Reader(page_of(result(*records), figures))
        assert sum(tag == "img" for tag, _ in read.tags) == 3
        assert "Figures below are of the first of these 100 records (0, 1, 2)" in read.text
        assert [str(k) in read.cells for k in range(100)].count(True) == 100

    def test_refused_files_are_there_with_reason_and_cure(self):
        read = Reader(page_of(result()))
        for text in ("it must hold DATA, but is cut short.", "Copy it again.", "1 file refused"):
            assert text in read.text

    def test_numbers_outside_are_said_not_to_be_the_samples(self):
        caution = "these are numbers of the simulated curves"
        assert caution in page_of(result(record("OUTSIDE")))
        assert caution not in page_of(result(record("INSIDE")))

    def test_the_log_is_there_and_the_command(self):
        read = Reader(page_of(result(), command="latent-nmr measure b.tnt --tau 50us"))
        assert "Mixed down by 4.994 MHz, found." in read.text
        assert "latent-nmr measure b.tnt --tau 50us" in read.text

    def test_it_is_written_with_figures_and_one_caption_of_each_kind(self, tmp_path):
        found = result(record(n_components=2), record("NO ECHO", 1), n_components=2)
        write_page(found, found.as_json(arrays=False), tmp_path / "report.html")
        text = (tmp_path / "report.html").read_text("utf-8")
        assert len(re.findall("<img", text)) == 4
        assert text.count("Measured |M| on the times of the record") == 1
        # The range of W of the simulated curves, as that of this sample.
        strengths = found.map.labels["W"] * FACTS["time_factor"]
        assert f"{strengths.min():.3f} to {strengths.max():.3f}" in text


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("runs/echo.tnt", "echo.tnt"),
        ("runs/PbZrO3/1", "PbZrO3/1"),
        ("PbZrO3.fid/fid", "PbZrO3.fid/fid"),
        ("1", "1"),
    ],
)
def test_a_file_that_is_called_by_a_number_has_its_folders_name(path, title):
    assert file_title(path) == title
