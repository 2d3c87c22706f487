"""Text files that passed through an editor: blank lines, comments and headers, at every reader."""

import functools
import re
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest

from latent_nmr.data._text import read_table
from latent_nmr.data.challenge_files import CHALLENGES
from latent_nmr.data.echoes import assemble, fingerprint
from latent_nmr.data.io import open_echoes, save_echoes
from latent_nmr.data.submission import SUBMISSION_NAMES, check_submission
from latent_nmr.errors import InputError, StoreWarning

N_CURVES = 4
LATTICE_ROW = "0.0001 0.0001 0.00005 12.5 0 0 0 1 1 0 1 1"


def write_challenge(folder, kind):
    edition = CHALLENGES[kind]
    rows = np.random.default_rng(0).uniform(-0.5, 0.5, (2, N_CURVES, 471))
    for path, signal in zip(edition.signal_paths(folder, "model"), rows, strict=True):
        np.savetxt(path, signal, delimiter=edition.separator)
    labels = {"alpha": 5.25, "xi": 12.5, "p": 2.5, "d": 6.5}
    table = np.array([[labels[name] for name in edition.rules]] * N_CURVES)
    np.savetxt(folder / edition.label_name, table)


def write_lattice(folder):
    rows = np.random.default_rng(0).uniform(-0.5, 0.5, (2, N_CURVES, 1260))
    for name, signal in zip(("echos_r", "echos_i"), rows, strict=True):
        np.savetxt(folder / name, signal)
    (folder / "echo_params.txt").write_text("\n".join([LATTICE_ROW] * N_CURVES) + "\n")
    np.savetxt(folder / "w_list.txt", np.full(N_CURVES, 0.12))


def write_table(folder):
    signals = np.random.default_rng(0).uniform(-0.5, 0.5, (2, N_CURVES, 5)).astype(np.float32)
    labels = {"W": np.full(N_CURVES, 0.1), "kernel": np.array(["power", "rkky"] * 2)}
    data = dict(zip(("mx", "my"), signals, strict=True))
    save_echoes(assemble(data, np.arange(5.0), labels, {"echo_index": 2}), folder / "a.csv")


def write_submission(folder, kind):
    n_columns = len(CHALLENGES[kind].rules)
    table = np.random.default_rng(0).uniform(2, 9, (N_CURVES, n_columns))
    np.savetxt(folder / "s.txt", table, fmt="%.7g", delimiter="\t")


def dataset_of(path):
    return lambda folder: fingerprint(open_echoes(folder / path))


# Reader: what writes its files, what reads them, and those that may be edited.
READERS = {
    **{
        kind: (
            lambda folder, kind=kind: write_challenge(folder, kind),
            dataset_of("."),
            [CHALLENGES[kind].signal_names["model"], CHALLENGES[kind].label_name],
        )
        for kind in CHALLENGES
    },
    "lattice": (
        write_lattice,
        dataset_of("."),
        ["echos_r", "echos_i", "echo_params.txt", "w_list.txt"],
    ),
    "table": (write_table, dataset_of("a.csv"), ["a.csv"]),
    **{
        f"submission {kind}": (
            lambda folder, kind=kind: write_submission(folder, kind),
            lambda folder, kind=kind: check_submission(folder / "s.txt", kind).tolist(),
            ["s.txt"],
        )
        for kind in SUBMISSION_NAMES
    },
}
FILES = [(reader, name.format("r")) for reader, (_, _, names) in READERS.items() for name in names]


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Folder of the whole files of a reader, and what it reads there; each made once."""

    @functools.cache
    def made(reader):
        write, read, _ = READERS[reader]
        folder = tmp_path_factory.mktemp("original")
        write(folder)
        return folder, read(folder)

    return made


def insert(place, *new):
    """Put lines in; `place` counts from the first row of numbers, or the end if it is negative."""

    def change(lines):
        first = next(n for n, line in enumerate(lines) if not re.match(r"#|curve", line))
        start = first + place if place >= 0 else len(lines) + 1 + place
        return [*lines[:start], *new, *lines[start:]]

    return change


HARMLESS = {
    "a blank line at the end": insert(-1, ""),
    "several at the end": insert(-1, "", "  ", "\t", ""),
    "no end of line at the end": None,
    "a comment above": insert(0, "# made on a Monday"),
    "a comment between": insert(2, "# ok from here", "#"),
    "a comment at the end": insert(-1, "# the end", ""),
    "a comment and a blank line above": insert(0, "# columns: see below", ""),
    "Windows line ends made twice": lambda lines: [f"{line}\r\r" for line in lines],
    "a mark of UTF-8": lambda lines: ["\ufeff" + lines[0], *lines[1:]],
    "an end of file of DOS": lambda lines: [*lines, "\x1a"],
    "a form feed at the end": insert(-1, "\x0c"),
    "Windows line ends": lambda lines: [f"{line}\r" for line in lines],
}


def a_third_of(files, edits):
    """Every edit and every file with some of the others; all pairs in the slow run."""
    return [
        pytest.param(*file, edit, marks=[pytest.mark.slow] if (row + column) % 3 else [])
        for row, file in enumerate(files)
        for column, edit in enumerate(edits)
    ]


@pytest.mark.filterwarnings("ignore:.*a file should end with a line end")
@pytest.mark.parametrize(("reader", "name", "edit"), a_third_of(FILES, HARMLESS))
def test_what_editors_leave_changes_no_number(original, tmp_path, reader, name, edit):
    (folder, before), read = original(reader), READERS[reader][1]
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    path = tmp_path / name
    lines = path.read_text("utf-8").removesuffix("\n").split("\n")
    # A table's header stands between its comments and its rows.
    if reader == "table" and edit == "a comment and a blank line above":
        lines = [*lines[:4], "# note", "", *lines[4:]]
    elif HARMLESS[edit]:
        lines = HARMLESS[edit](lines)
    end = "" if edit in ("no end of line at the end", "an end of file of DOS") else "\n"
    path.write_bytes(("\n".join(lines) + end).encode())
    assert read(tmp_path) == before


def header_of(line):
    """Names in place of the numbers of a row."""
    mark = "\t" if "\t" in line else "," if "," in line else " "
    return mark.join(f"c{n}" for n, _ in enumerate(line.split(mark)))


REFUSED = {
    "a header": (lambda row: [header_of(row), row], "line {first}: .*(header|curve must be)"),
    "a header of another width": (lambda row: ["4 9", row], "line {first}: .*must"),
    "a title": (lambda row: ["Echoes of a Monday", row], "line {first}: .*(header|must hold)"),
    "a blank line between rows": (lambda row: [row, "", row], "line {second}: .* is blank"),
    "a word in a row": (lambda row: [row, row[:-3] + "x"], "line {second}: .*must"),
}


@pytest.mark.parametrize("edit", REFUSED)
@pytest.mark.parametrize(("reader", "name"), FILES)
def test_a_header_or_a_gap_is_named_with_its_line(original, tmp_path, reader, name, edit):
    read = READERS[reader][1]
    shutil.copytree(original(reader)[0], tmp_path, dirs_exist_ok=True)
    path = tmp_path / name
    lines = path.read_text("utf-8").removesuffix("\n").split("\n")
    first = next(n for n, line in enumerate(lines) if not re.match(r"#|curve", line))
    change, rule = REFUSED[edit]
    # Comments above, so that rows and lines do not count alike.
    lines[first : first + 1] = ["# one", "# two", *change(lines[first])]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    wanted = rule.format(first=first + 3, second=first + 4)
    with pytest.raises(InputError, match=f"{re.escape(name)}, {wanted}"):
        read(tmp_path)


@pytest.mark.parametrize("mark", [",", ";", ", "])
@pytest.mark.parametrize("name", ["s.txt"])
def test_other_separators_are_named_as_the_cause(tmp_path, mark, name):
    (tmp_path / name).write_text(f"1{mark}2{mark}3\n4{mark}5{mark}6\n")
    with pytest.raises(InputError, match=r"white space|value 1 must be a number"):
        check_submission(tmp_path / name, "2021-gauss")


def test_a_value_out_of_range_is_named_with_its_line_below_comments(tmp_path):
    write_challenge(tmp_path, "2020")
    path = tmp_path / "mat_info.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(["# α ξ p d", "", *lines[:2], "#", "-1 2 3 4", *lines[3:]]))
    with pytest.raises(InputError, match=r"mat_info\.txt, line 6: alpha must be >= 0"):
        open_echoes(tmp_path)


@pytest.mark.parametrize("text", ["# only\n#comments\n", "\n\n", "% \n"])
def test_a_file_without_rows_is_named(tmp_path, text):
    (tmp_path / "s.txt").write_text(text)
    with pytest.raises(InputError, match="must hold at least one row"):
        check_submission(tmp_path / "s.txt", "2020")


def test_a_numbered_text_label_that_looks_like_a_comment_is_kept(tmp_path):
    write_table(tmp_path)
    dataset = open_echoes(tmp_path / "a.csv").assign_coords(curve=["#1", "#2", "3", "4"])
    save_echoes(dataset, tmp_path / "b.csv")
    assert open_echoes(tmp_path / "b.csv").curve.values.tolist() == ["#1", "#2", "3", "4"]


def test_the_kept_examples_are_read(tmp_path):
    """A submission as `echo >>` leaves it."""
    Path(tmp_path / "s.txt").write_text("1\t2\t3\n4\t5\t6\n\n")
    assert check_submission(tmp_path / "s.txt", "2021-gauss").shape == (2, 3)


NUMBERS_OTHERWISE = {
    "decimal commas": lambda row: row.replace(".", ","),
    "commas behind them": lambda row: ",".join(row.split()) + ",",
    "a comma at the end": lambda row: row + ",",
    "quotation marks": lambda row: " ".join(f'"{cell}"' for cell in row.split()),
    "exponents of Fortran": lambda row: row.replace("e", "D"),
    "typographic minus signs": lambda row: row.replace("-", "\u2212"),
}
WRITTEN_WITH_E = [(r, n) for r, n in FILES if r in ("2020", "2021-gauss", "lattice")]


@pytest.mark.parametrize("edit", NUMBERS_OTHERWISE)
@pytest.mark.parametrize(("reader", "name"), WRITTEN_WITH_E)
@pytest.mark.parametrize("place", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_numbers_written_otherwise_are_named_as_the_cause(
    original, tmp_path, reader, name, edit, place
):
    (folder, before), read = original(reader), READERS[reader][1]
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    path = tmp_path / name
    lines = path.read_text().splitlines()
    row = lines[place]
    lines[place] = NUMBERS_OTHERWISE[edit](row)
    path.write_text("\n".join(lines) + "\n", "utf-8")
    if lines[place] == row:
        assert read(tmp_path) == before
        return
    with pytest.raises(InputError, match=rf"line {place + 1}: .*Write numbers as 0\.5"):
        read(tmp_path)


@pytest.mark.parametrize("n_bytes", [1, 3, 8, 20])
@pytest.mark.parametrize("name", ["echos_r", "echos_i"])
def test_a_last_number_that_is_cut_is_no_other_number(tmp_path, name, n_bytes):
    write_lattice(tmp_path)
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[: -1 - n_bytes])
    with pytest.raises(InputError, match="line 4: the last number must have as many digits"):
        open_echoes(tmp_path)


def test_where_numbers_vary_in_length_a_missing_line_end_is_told(tmp_path):
    rows = ["0.5 0.25 0.125 0.0625 1 2 3.5 4.25 0.5", "0.5 0.25 0.125 0.0625 1 2 3.5 4.25 0.12"]
    path = tmp_path / "table.txt"
    path.write_text("\n".join(rows))
    with pytest.warns(StoreWarning, match=r"line 2: .* ends with 0\.12\. Digits may be missing"):
        found = read_table(path)
    path.write_text("\n".join(rows) + "\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(read_table(path).values, found.values)


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"<!DOCTYPE html>\n<html>404</html>\n", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\nsize 12\n", "a pointer to a large file"),
        ("1\t2\t3\n".encode("utf-16"), "Save text as UTF-8"),
        (b"1\t2\t3\n4\t5\t6\n\0\0\0", "line 3: .*zero bytes.*copy a damaged one again"),
        (b"1\t2\t3\t\n", r"is '1\\t2\\t3\\t'.*between them only"),
    ],
)
def test_another_file_is_called_what_it_is(tmp_path, content, cause):
    (tmp_path / "s.txt").write_bytes(content)
    with pytest.raises(InputError, match=cause):
        check_submission(tmp_path / "s.txt", "2021-gauss")
