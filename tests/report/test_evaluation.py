"""Table, CSV file and JSON values of an evaluation."""

import csv
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from latent_nmr.analysis.score_names import SCORES
from latent_nmr.report.evaluation import (
    MAX_WIDTH,
    table_lines,
    width,
    write_csv,
)
from latent_nmr.report.score_table import Row
from tests.evaluation_rows import realistic_rows, scored

FEW = settings(max_examples=40)  # a table takes a while to draw
NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)
NAMES = [*SCORES, "rho_1_W", "rho_2_L", "rho_12_W"]


@st.composite
def tables(draw):
    """Rows of any methods, scores and seeds."""
    keys = st.tuples(
        st.sampled_from(["vae", "pca", "ica, 漢字", "β\u0301, long" * 3]),
        st.sampled_from([None, 1, 2, 128]),
    )
    rows = []
    for method, n_components in draw(st.lists(keys, min_size=1, max_size=4, unique=True)):
        seeds = draw(st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True))
        values = st.tuples(*[NUMBERS] * len(seeds))
        scores = draw(st.dictionaries(st.sampled_from(NAMES), values, min_size=1, max_size=8))
        seconds = draw(st.one_of(st.just(()), values))
        rows.append(Row(method, n_components, tuple(seeds), scores, "method", seconds))
    return rows


def blocks_of(lines):
    """Blocks of lines that an empty line divides: heading, heads, rows."""
    return [block.split("\n") for block in "\n".join(lines).split("\n\n")]


def read_rows(path):
    """The rows of a CSV file, as far as it holds them."""
    found = {}
    with path.open(encoding="utf-8", newline="") as handle:
        for line in csv.DictReader(handle):
            key = line["role"], line["method"], line["n_components"]
            values = {name: float(text) for name, text in line.items() if "seed_" in name and text}
            found.setdefault(key, {})[line["score"]] = values
    return found


class TestTable:
    """Blocks of aligned columns for a terminal."""

    @FEW
    @given(tables())
    def test_lines_of_a_block_have_one_width(self, rows):
        for _, *lines in blocks_of(table_lines(rows)):
            assert len({width(line) for line in lines}) == 1

    @FEW
    @given(tables())
    def test_a_block_is_wider_than_a_terminal_only_if_it_has_a_single_score(self, rows):
        for _, head, *_ in blocks_of(table_lines(rows)):
            titles = [part for part in head.split("  ") if part.strip()]
            assert width(head) <= MAX_WIDTH or len(titles) == 3

    def test_it_fits_a_terminal(self):
        assert max(map(width, table_lines(realistic_rows()))) <= MAX_WIDTH

    def test_every_number_is_in_it(self):
        rows = realistic_rows()
        text = "\n".join(table_lines(rows))
        for row in rows:
            for name in row.scores:
                digits = SCORES[name].digits if name in SCORES else 3
                assert row.cell(name).text(digits) in text
        assert "3.0 ± 0.2" in text

    def test_columns_line_up_at_their_right_end(self):
        lines = table_lines([scored("pca", 2, (0.7, 0.9, -0.3, 0.5, 0.7), 0.0, seeds=(0,))])
        assert lines[:3] == [
            "Labels from nearest neighbours",
            "method  axes   R² W  R² α_x  R² α_z   R² L",
            "PCA        2  0.700   0.900  -0.300  0.500",
        ]

    def test_rows_go_by_dimension_ceiling_first_and_floor_last(self):
        # As they may come: the floor first, the ceiling last.
        rows = sorted(
            realistic_rows(), key=lambda row: ("floor", "method", "ceiling").index(row.role)
        )
        lines = table_lines(rows)[2:14]
        starts = [line[:21].split("  ")[0].strip() for line in lines]
        methods = ["β-VAE", "PCA", "UMAP", "K-means distances", "shuffled (floor)"]
        assert starts == ["forest (ceiling)", *methods, *methods, "β-VAE"]

    def test_a_missing_score_is_a_dash_and_a_row_without_any_left_out(self):
        some = scored("pca", 2, (0.7, 0.9, 0.3, 0.5, 0.7), 0.0, seeds=(0,), rms=(0.01, 0.0))
        other = replace(some, method="umap", scores={"r2_W": (0.6,)}, seconds=())
        lines = table_lines([some, other])
        assert "UMAP       2  0.600       -       -      -" in lines
        reconstruction = lines[lines.index("Reconstruction and cost") :]
        assert not any(line.startswith("UMAP") for line in reconstruction)

    def test_a_block_too_wide_continues_in_parts_of_like_size(self):
        blocks = blocks_of(table_lines(realistic_rows()))
        headings = [heading for heading, *_ in blocks]
        assert headings[:2] == [
            "Labels from nearest neighbours",
            "Labels from nearest neighbours, continued",
        ]
        assert [block[1].count("R²") for block in blocks[:2]] == [3, 3]

    def test_a_continued_part_leaves_out_rows_with_nothing_in_it(self):
        *_, last = blocks_of(table_lines(realistic_rows()))
        assert last[0] == "Rank correlation of axes with labels, continued"
        # Axes 7 and 8 are those of eight dimensions only.
        assert [line[:23].split()[-1] for line in last[2:]] == ["8"] * 4

    def test_without_rows_there_is_no_table(self):
        assert table_lines([]) == []

    def test_a_wide_sign_counts_twice_and_a_combining_one_not_at_all(self):
        assert [width(text) for text in ("α_x", "漢字", "e\u0301", "R²")] == [3, 4, 1, 2]


class TestCsv:
    """One line per row and score."""

    @FEW
    @given(tables())
    def test_the_file_holds_every_value_to_the_last_bit(self, rows):
        with tempfile.TemporaryDirectory() as folder:
            write_csv(rows, Path(folder) / "scores.csv")
            found = read_rows(Path(folder) / "scores.csv")
        for row in rows:
            n_components = "" if row.n_components is None else str(row.n_components)
            scores = dict(row.scores) | ({"fit_seconds": row.seconds} if row.seconds else {})
            assert found[row.role, row.method, n_components] == {
                name: {f"seed_{s}": v for s, v in zip(row.seeds, values, strict=True)}
                for name, values in scores.items()
            }

    def test_mean_and_deviation_stand_before_the_seeds(self, tmp_path):
        row = Row("vae", 2, (0, 3, 5), {"r2_W": (-0.5, 0.5, 1.5)})
        write_csv(
            [row, Row("forest", None, (1,), {"r2_W": (0.75,)}, "ceiling")], tmp_path / "a.csv"
        )
        lines = (tmp_path / "a.csv").read_text("utf-8").split("\n")
        assert lines == [
            "role,method,n_components,score,mean,sd,n_seeds,seed_0,seed_1,seed_3,seed_5",
            "method,vae,2,r2_W,0.5,1.0,3,-0.5,,0.5,1.5",
            "ceiling,forest,,r2_W,0.75,,1,,0.75,,",
            "",
        ]

    def test_rows_by_part_name_the_part_first(self, tmp_path):
        row = Row("vae", 2, (0,), {"r2_W": (0.5,)})
        write_csv({"held-out": [row], "other, data": [row]}, tmp_path / "a.csv")
        with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as handle:
            parts = [line["part"] for line in csv.DictReader(handle)]
        assert parts == ["held-out", "other, data"]
