"""Files of the field: what is read from them, exact round trips, and what is refused."""

import json
import math
import re

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from latent_nmr.data._csv import write_csv
from latent_nmr.data._csv_reading import read_csv
from latent_nmr.data._kernel_sums import kernel_sums
from latent_nmr.data.challenge_files import open_challenge, save_challenge
from latent_nmr.data.echoes import assemble
from latent_nmr.data.lattice_code import open_lattice_code
from latent_nmr.data.windows import features
from latent_nmr.errors import InputError
from latent_nmr.physics.kernels import coupling_length, kernel_sum, kernel_table

# Kind: names of the two signal files and of the label file, columns, two rows of labels.
KINDS = {
    "2021-gauss": (
        "gauss_echos_model_{}.txt",
        "gauss_mat_info_model.txt",
        ("alpha", "xi", "d"),
        [[12.499, 6.89, 6.07], [8.181, 6.72, 6.5]],
    ),
    "2021-rkky": (
        "RKKY_echos_model_{}.txt",
        "RKKY_mat_info_model.txt",
        ("alpha", "xi", "d"),
        [[5.25, 15.45, 7.5], [0.5, 40.0, 6.0]],
    ),
    "2020": (
        "echos_{}.txt",
        "mat_info.txt",
        ("alpha", "xi", "p", "d"),
        [[0.1, 11.0, 2.5, 3.5], [0.02, 0.0, 3.75, 6.0]],
    ),
}
# One curve of each stencil: Gaussian, power law, RKKY.
LATTICE_ROWS = [
    "0.00010000 0.00010000 0.00005000 12.50000000 0.00000000 0.00000000 0 1 1 0 1.0 1.0",
    "0.00200000 0.00200000 0.00100000 0.00000000 2.25000000 0.00200000 1 1 1 0 1.0 1.0",
    "-0.0002000 -0.0002000 -0.0001000 15.45000000 0.00000000 0.00000000 2 1 1 0 1.0 1.0",
]
SIGNALS = st.floats(-0.5, 0.5, width=32)


def write_kind(folder, kind="2021-gauss", n_curves=2, seed=0):
    """Files of a challenge as np.savetxt makes them, with 18 decimals."""
    signal_name, label_name, _, labels = KINDS[kind]
    signals = np.random.default_rng(seed).uniform(-0.5, 0.5, (2, n_curves, 471))
    for axis, rows in zip("ri", signals, strict=True):
        np.savetxt(
            folder / signal_name.format(axis), rows, delimiter="\t" if "2020" in kind else " "
        )
    np.savetxt(folder / label_name, labels[:n_curves])
    return signals


def write_lattice(folder, n_samples=1884, end=" "):
    """An output folder of the lattice code, with a space at the end of each line of signals."""
    signals = np.random.default_rng(1).uniform(-0.5, 0.5, (2, 3, n_samples))
    for axis, rows in zip("ri", signals, strict=True):
        text = "".join(" ".join(f"{x:.8f}" for x in row) + f"{end}\n" for row in rows)
        (folder / f"echos_{axis}").write_text(text)
    (folder / "echo_params.txt").write_text("\n".join(LATTICE_ROWS) + "\n")
    (folder / "w_list.txt").write_text("0.12\n0.21\n0.29\n")
    return signals


def challenge_set(kind="2021-gauss", n_curves=2, n_samples=471, signals=None, **changes):
    """Data set in memory with the labels that `save_challenge` needs."""
    if signals is None:
        signals = np.random.default_rng(2).uniform(-0.5, 0.5, (2, n_curves, n_samples))
    _, _, columns, rows = KINDS[kind]
    own = np.array(rows)[:n_curves].T
    labels = {f"challenge_{name}": values for name, values in zip(columns, own, strict=True)}
    time = np.arange(n_samples) / math.pi
    attributes = {"echo_index": 314, "n_edge": 100}
    return assemble({"mx": signals[0], "my": signals[1]}, time, labels | changes, attributes)


def small_set(**attributes):
    """Three curves of four samples with every kind of label."""
    labels = {
        "W": np.array([0.1, 1 / 3, 0.3]),
        "L": np.array([7.0, 5e-324, 1.7e308]),
        "kernel": np.array(["gaussian", "power", "rkky"]),
    }
    signals = np.random.default_rng(3).uniform(-0.5, 0.5, (2, 3, 4))
    time = np.arange(4) / math.pi
    return assemble(
        {"mx": signals[0], "my": signals[1]}, time, labels, {"echo_index": 2} | attributes
    )


def edit(path, line, change):
    """Replace one line (from 1) of a file by `change` of it."""
    lines = path.read_text().split("\n")
    lines[line - 1] = change(lines[line - 1])
    path.write_text("\n".join(lines))


def put(value, column=0):
    """Put a text in place of one of the numbers in a line."""

    def change(line):
        cells = line.split()
        cells[column] = value
        return " ".join(cells)

    return change


def bytes_in(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class TestKernelSums:
    """κ and L by distances, for many parameters at once."""

    @pytest.mark.parametrize(
        ("kernel", "parameters"),
        [("gaussian", (0.7, 8, 32, 900)), ("power", (0.2, 1, 3, 9)), ("rkky", (3, 13, 52, 300))],
    )
    @pytest.mark.parametrize("n_edge", [100, 7])
    def test_they_equal_the_sums_over_the_lattice(self, kernel, parameters, n_edge):
        total, length = kernel_sums(kernel, np.array(parameters, float), n_edge)
        for found_sum, found_length, parameter in zip(total, length, parameters, strict=True):
            table = kernel_table(kernel, parameter, n_edge)
            # 10⁴ terms, each good to some 1e-16 of itself; signs may cancel, by at most 1e3 here.
            tolerance = 1e-13 * np.abs(table).sum() / abs(kernel_sum(table))
            assert found_sum == pytest.approx(kernel_sum(table), rel=tolerance)
            assert found_length == pytest.approx(coupling_length(table), rel=tolerance)

    def test_more_curves_than_are_computed_at_once_are_all_computed(self):
        parameters = np.linspace(5, 30, 1100)
        together = kernel_sums("gaussian", parameters, 20)
        for row in (0, 400, 511, 512, 1023, 1099):
            alone = kernel_sums("gaussian", parameters[row : row + 1], 20)
            for many, one in zip(together, alone, strict=True):
                assert many[row] == pytest.approx(one[0], rel=1e-13)

    def test_a_kernel_whose_sum_cancels_has_no_length(self):
        low, high = 0.4, 0.5  # γ; κ of RKKY changes sign between them
        for _ in range(60):
            middle = (low + high) / 2
            total, _ = kernel_sums("rkky", np.array([low, middle]), 20)
            low, high = (middle, high) if total[0] * total[1] > 0 else (low, middle)
        assert high - low < 1e-15
        assert np.isnan(kernel_sums("rkky", np.array([high]), 20)[1]).all()

    def test_a_kernel_that_reaches_no_neighbour_has_no_length(self):
        assert np.isnan(kernel_sums("gaussian", np.array([0.01]), 20)[1]).all()


class TestReadChallenge:
    """The challenge's files as data sets."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_signals_come_back_in_single_precision_real_part_as_mx(self, tmp_path, kind):
        signals = write_kind(tmp_path, kind)
        dataset = open_challenge(tmp_path, kind)
        np.testing.assert_array_equal(dataset["mx"], signals[0].astype(np.float32))
        np.testing.assert_array_equal(dataset["my"], signals[1].astype(np.float32))
        assert dataset["mx"].dtype == np.float32

    @pytest.mark.parametrize("kind", KINDS)
    def test_time_starts_at_zero_in_steps_of_1_over_pi_with_the_echo_at_314(self, tmp_path, kind):
        write_kind(tmp_path, kind)
        dataset = open_challenge(tmp_path, kind)
        np.testing.assert_allclose(dataset["time"], np.arange(471) / np.pi, rtol=1e-15)
        assert dataset.attrs["echo_index"] == 314
        assert dataset.attrs["pulse_samples"] == [0, 157]

    @pytest.mark.parametrize(
        ("kind", "kernel"), [("2021-gauss", "gaussian"), ("2021-rkky", "rkky")]
    )
    def test_labels_of_2021_follow_from_the_signed_kernel_sum(self, tmp_path, kind, kernel):
        write_kind(tmp_path, kind)
        dataset = open_challenge(tmp_path, kind)
        for row, (alpha, xi, d) in enumerate(KINDS[kind][3]):
            curve = dataset.isel(curve=row)
            table = kernel_table(kernel, xi, 100)
            coupling = abs(alpha * kernel_sum(table)) / 2e4
            assert float(curve["alpha_x"]) == pytest.approx(coupling, rel=1e-12)
            assert float(curve["alpha_y"]) == pytest.approx(coupling, rel=1e-12)
            assert float(curve["alpha_z"]) == 0
            assert float(curve["W"]) == pytest.approx(2 * coupling, rel=1e-12)
            assert float(curve["L"]) == pytest.approx(coupling_length(table), rel=1e-12)
            assert float(curve["decay_rate"]) == pytest.approx(1.25 * 10 ** (-d / 2), rel=1e-12)
            assert (str(curve["kernel"].values), float(curve["kernel_parameter"])) == (kernel, xi)
            assert [float(curve[f"challenge_{n}"]) for n in ("alpha", "xi", "d")] == [alpha, xi, d]

    def test_labels_of_2020_follow_from_a_kernel_of_unit_sum(self, tmp_path):
        write_kind(tmp_path, "2020")
        curve = open_challenge(tmp_path, "2020").isel(curve=0)
        alpha, _, p, d = KINDS["2020"][3][0]
        assert float(curve["alpha_x"]) == float(curve["alpha_y"]) == alpha / 2
        assert float(curve["W"]) == alpha
        length = coupling_length(kernel_table("power", p, 100))
        assert float(curve["L"]) == pytest.approx(length, rel=1e-12)
        assert float(curve["decay_rate"]) == pytest.approx(0.5 * 10**-d, rel=1e-12)
        assert (str(curve["kernel"].values), float(curve["kernel_parameter"])) == ("power", p)
        names = ("alpha", "xi", "p", "d")
        assert [float(curve[f"challenge_{n}"]) for n in names] == KINDS["2020"][3][0]

    @pytest.mark.parametrize(
        ("kind", "name"),
        [
            ("2021-gauss", "gauss_echos_eval_{}.txt"),
            ("2021-rkky", "RKKY_echos_eval_{}.txt"),
            ("2020", "submit_echos_{}.txt"),
        ],
    )
    def test_evaluation_files_have_signals_and_no_labels(self, tmp_path, kind, name):
        for axis, value in (("r", 0.25), ("i", -0.125)):
            np.savetxt(tmp_path / name.format(axis), np.full((3, 471), value))
        dataset = open_challenge(tmp_path, kind, part="eval")
        assert set(dataset.coords) == {"curve", "time"}
        assert (dataset["mx"] == 0.25).all()
        assert (dataset["my"] == -0.125).all()
        assert features(dataset, "full").shape == (3, 471)

    @pytest.mark.parametrize(
        "change",
        [
            lambda text: text.replace("\n", "\r\n"),
            lambda text: text.replace("\n", " \n"),
            lambda text: text.replace(" ", "\t"),
            lambda text: text.replace(" ", "   "),
            lambda text: text.rstrip("\n"),
            lambda text: "\ufeff" + text,
        ],
        ids=["CRLF", "trailing space", "tabs", "aligned", "no last newline", "byte order mark"],
    )
    def test_other_white_space_is_the_same_table(self, tmp_path, change):
        write_kind(tmp_path)
        expected = open_challenge(tmp_path, "2021-gauss")
        for path in tmp_path.iterdir():
            path.write_bytes(change(path.read_text()).encode())
        xr.testing.assert_identical(open_challenge(tmp_path, "2021-gauss"), expected)


class TestReadLatticeCode:
    """Output folders of the code behind the paper."""

    @pytest.mark.parametrize("end", [" ", ""], ids=["trailing space", "none"])
    def test_a_space_at_the_end_of_a_line_is_no_column(self, tmp_path, end):
        signals = write_lattice(tmp_path, end=end)
        dataset = open_lattice_code(tmp_path)
        assert dataset.sizes == {"curve": 3, "time": 1882}
        np.testing.assert_allclose(dataset["mx"], signals[0, :, :1882], atol=1e-8)
        np.testing.assert_allclose(dataset["my"], signals[1, :, :1882], atol=1e-8)

    def test_time_grid_and_echo_are_those_of_the_paper(self, tmp_path):
        write_lattice(tmp_path)
        dataset = open_lattice_code(tmp_path)
        np.testing.assert_allclose(dataset["time"], np.arange(1882) / (2 * np.pi), rtol=1e-15)
        assert dataset.attrs["echo_index"] == 1256
        assert features(dataset, "echo").shape == (3, 400)

    def test_labels_are_couplings_times_the_kernel_sum(self, tmp_path):
        write_lattice(tmp_path)
        dataset = open_lattice_code(tmp_path)
        assert dataset["kernel"].values.tolist() == ["gaussian", "power", "rkky"]
        np.testing.assert_array_equal(dataset["kernel_parameter"], [12.5, 2.25, 15.45])
        np.testing.assert_array_equal(dataset["W"], [0.12, 0.21, 0.29])
        np.testing.assert_array_equal(dataset["decay_rate"], [0, 0.001, 0])
        rows = zip([1e-4, 2e-3, 2e-4], dataset["kernel"].values, [12.5, 2.25, 15.45], strict=True)
        for curve, (alpha, kernel, parameter) in enumerate(rows):
            table = kernel_table(kernel, parameter, 100)
            expected = alpha * abs(kernel_sum(table)) * np.array([1, 1, 0.5])
            found = [float(dataset[f"alpha_{axis}"][curve]) for axis in "xyz"]
            np.testing.assert_allclose(found, expected, rtol=1e-12)
            assert float(dataset["L"][curve]) == pytest.approx(coupling_length(table), rel=1e-12)

    def test_either_sign_of_an_rkky_coupling_gives_its_magnitude(self, tmp_path):
        write_lattice(tmp_path)
        expected = open_lattice_code(tmp_path)
        edit(tmp_path / "echo_params.txt", 3, lambda line: line.replace("-", ""))
        xr.testing.assert_identical(open_lattice_code(tmp_path), expected)

    @pytest.mark.parametrize(("n_samples", "kept"), [(None, 1884), (5000, 1884), (1300, 1300)])
    def test_the_first_samples_are_kept_or_all_there_are(self, tmp_path, n_samples, kept):
        write_lattice(tmp_path)
        assert open_lattice_code(tmp_path, n_samples=n_samples).sizes["time"] == kept

    def test_a_shorter_record_is_read_with_its_own_pulse_spacing(self, tmp_path):
        write_lattice(tmp_path, n_samples=50)
        with pytest.raises(
            InputError, match=r"echos_r must reach the echo, sample 1256.*50 samples"
        ):
            open_lattice_code(tmp_path)
        assert open_lattice_code(tmp_path, pulse_spacing=20).attrs["echo_index"] == 40
        with pytest.raises(InputError, match="sample 50 "):
            open_lattice_code(tmp_path, pulse_spacing=25)

    @pytest.mark.parametrize(
        ("line", "column", "value", "rule"),
        [
            (2, 6, "3", "stencil_type must be 0, 1 or 2, but is 3"),
            (2, 6, "0.5", "stencil_type must be 0, 1 or 2, but is 0.5"),
            (1, 3, "0", "ξ must be > 0, but is 0"),
            (3, 3, "-1", "ξ must be > 0, but is -1"),
            (2, 4, "0", "pow must be > 0, but is 0"),
            (2, 5, "-0.1", "Γ3 must be >= 0, but is -0.1"),
            (1, 0, "-0.1", "αx must be >= 0, but is -0.1"),
            (2, 2, "-0.1", "αz must be >= 0, but is -0.1"),
            (3, 2, "0.1", "αx, αy, αz must be of one sign"),
            (1, 3, "0.01", "kernel's sum is away from zero, but is 0.01"),
            (3, 11, "nan", "value 12 must be finite"),
        ],
    )
    def test_a_parameter_out_of_range_is_named(self, tmp_path, line, column, value, rule):
        write_lattice(tmp_path)
        edit(tmp_path / "echo_params.txt", line, put(value, column))
        with pytest.raises(InputError, match=rf"echo_params\.txt, line {line}: .*{rule}"):
            open_lattice_code(tmp_path)

    @pytest.mark.parametrize("name", ["echos_i", "echo_params.txt", "w_list.txt"])
    def test_files_of_different_length_give_both_counts(self, tmp_path, name):
        write_lattice(tmp_path)
        path = tmp_path / name
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
        with pytest.raises(InputError, match=rf"echos_r and .*{name} must have one row.* 3 and 2"):
            open_lattice_code(tmp_path)

    def test_real_and_imaginary_parts_must_have_equally_many_samples(self, tmp_path):
        write_lattice(tmp_path)
        path = tmp_path / "echos_i"
        path.write_text(re.sub(r"(?m)^\S+ ", "", path.read_text()))
        with pytest.raises(InputError, match=r"echos_i, line 1: a row must hold 1884 numbers"):
            open_lattice_code(tmp_path)


class TestMalformedTables:
    """What is wrong with a file of numbers is said with file, line, rule and value."""

    @pytest.mark.parametrize(
        ("value", "rule"),
        [
            ("abc", "value 1 must be a number, but is 'abc'"),
            ("0,25", "value 1 must be a number, but is '0,25'"),
            ("1d-3", "value 1 must be a number"),
            ("1_0", "value 1 must be a number"),
            ("0x10", "value 1 must be a number"),
            ("--1", "value 1 must be a number"),
            ("１", "value 1 must be a number"),
            ("\0", "the file must be UTF-8 text, but holds zero bytes"),
            ("9" + "x" * 5000, "value 1 must be a number, but is '9x{39}…'"),
            ("nan", "value 1 must be finite .*but is 'nan'"),
            ("-Inf", "value 1 must be finite .*but is '-Inf'"),
            ("1e39", "value 1 must be finite and at most 3.4e[+]38 in size, but is '1e39'"),
            ("1e999", "value 1 must be finite"),
            ("0.1 0.2", "a row must hold 471 numbers, but this one holds 472"),
            ("", "a row must hold 471 numbers, but this one holds 470"),
        ],
    )
    @pytest.mark.parametrize("axis", ["r", "i"])
    def test_a_bad_value_is_named_with_file_and_line(self, tmp_path, value, rule, axis):
        write_kind(tmp_path)
        edit(tmp_path / f"gauss_echos_model_{axis}.txt", 1, put(value))
        with pytest.raises(InputError, match=rf"gauss_echos_model_{axis}\.txt, line 1: {rule}"):
            open_challenge(tmp_path, "2021-gauss")

    def test_the_line_is_that_of_the_fault_not_the_first(self, tmp_path):
        write_kind(tmp_path)
        edit(tmp_path / "gauss_echos_model_i.txt", 2, put("?", 470))
        with pytest.raises(InputError, match=r"model_i\.txt, line 2: value 471 must be .*'\?'"):
            open_challenge(tmp_path, "2021-gauss")

    def test_a_blank_line_between_rows_is_named(self, tmp_path):
        write_kind(tmp_path)
        edit(tmp_path / "gauss_echos_model_r.txt", 2, lambda line: "\n" + line)
        with pytest.raises(InputError, match=r"line 2: a row must hold 471 numbers.* is blank"):
            open_challenge(tmp_path, "2021-gauss")

    def test_a_file_cut_short_is_recognised(self, tmp_path):
        write_kind(tmp_path)
        path = tmp_path / "gauss_echos_model_r.txt"
        path.write_text(path.read_text()[:-40])
        match = r"model_r\.txt, line 2: a row must hold 471 .*holds 470\. .*cut short"
        with pytest.raises(InputError, match=match):
            open_challenge(tmp_path, "2021-gauss")

    @pytest.mark.parametrize("text", ["", "\n", " \r\n\t\n"])
    @pytest.mark.parametrize("name", ["gauss_echos_model_r.txt", "gauss_mat_info_model.txt"])
    def test_an_empty_file_is_named(self, tmp_path, name, text):
        write_kind(tmp_path)
        (tmp_path / name).write_text(text)
        with pytest.raises(InputError, match=rf"{name} must hold at least one row, but is empty"):
            open_challenge(tmp_path, "2021-gauss")

    @pytest.mark.parametrize(
        "name",
        ["gauss_echos_model_r.txt", "gauss_echos_model_i.txt", "gauss_mat_info_model.txt"],
    )
    def test_a_missing_file_is_named(self, tmp_path, name):
        write_kind(tmp_path)
        (tmp_path / name).unlink()
        with pytest.raises(InputError, match=rf"{name} must be a file, but there is none"):
            open_challenge(tmp_path, "2021-gauss")

    def test_a_folder_in_place_of_a_file_is_named(self, tmp_path):
        write_kind(tmp_path)
        path = tmp_path / "gauss_echos_model_i.txt"
        path.unlink()
        path.mkdir()
        with pytest.raises(InputError, match=r"model_i\.txt must be a readable file"):
            open_challenge(tmp_path, "2021-gauss")

    def test_bytes_that_are_no_text_are_named_with_their_line(self, tmp_path):
        write_kind(tmp_path)
        path = tmp_path / "gauss_echos_model_r.txt"
        path.write_bytes(path.read_bytes() + b"\x1f\x8b\x08")
        with pytest.raises(InputError, match=r"model_r\.txt, line 3: .*must be UTF-8.*0x8b"):
            open_challenge(tmp_path, "2021-gauss")

    @given(garbage=st.binary(min_size=1, max_size=300))
    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_garbage_is_an_input_error_and_nothing_else(self, tmp_path, garbage):
        write_kind(tmp_path)
        path = tmp_path / "gauss_echos_model_i.txt"
        path.write_bytes(garbage)
        with pytest.raises(InputError, match=re.escape(path.name)):
            open_challenge(tmp_path, "2021-gauss")
        with pytest.raises(InputError, match=re.escape(path.name)):
            read_csv(path)

    def test_signal_files_of_different_length_give_both_counts(self, tmp_path):
        write_kind(tmp_path)
        path = tmp_path / "gauss_echos_model_i.txt"
        path.write_text(path.read_text().splitlines(keepends=True)[0])
        match = r"model_r\.txt and .*model_i\.txt must have one row.*have 2 and 1 rows"
        with pytest.raises(InputError, match=match):
            open_challenge(tmp_path, "2021-gauss")

    def test_labels_of_other_length_give_both_counts(self, tmp_path):
        write_kind(tmp_path)
        path = tmp_path / "gauss_mat_info_model.txt"
        path.write_text(path.read_text() * 2)
        match = r"model_r\.txt and .*mat_info_model\.txt must have one row.*have 2 and 4 rows"
        with pytest.raises(InputError, match=match):
            open_challenge(tmp_path, "2021-gauss")

    @pytest.mark.parametrize(
        ("kind", "column", "value", "rule"),
        [
            ("2021-gauss", 0, "-0.5", "alpha must be >= 0, but is -0.5"),
            ("2021-gauss", 1, "0", "xi must be > 0, but is 0"),
            ("2021-rkky", 1, "-3", "xi must be > 0, but is -3"),
            ("2021-rkky", 2, "-1", "d must be >= 0, but is -1"),
            ("2021-gauss", 1, "0.01", "xi must be such that the kernel's sum is away from zero"),
            ("2020", 0, "-1", "alpha must be >= 0"),
            ("2020", 1, "-1", "xi must be >= 0"),
            ("2020", 2, "0", "p must be > 0"),
            ("2020", 3, "1 2", "a row must hold 4 numbers, but this one holds 5"),
            ("2021-gauss", 0, "inf", "value 1 must be finite"),
        ],
    )
    def test_a_label_out_of_range_is_named(self, tmp_path, kind, column, value, rule):
        write_kind(tmp_path, kind)
        name = KINDS[kind][1]
        edit(tmp_path / name, 2, put(value, column))
        with pytest.raises(InputError, match=rf"{name}, line 2: {rule}"):
            open_challenge(tmp_path, kind)

    def test_an_unknown_kind_or_part_is_refused(self, tmp_path):
        with pytest.raises(InputError, match=r"kind.*'2021-gaus'.*Did you mean '2021-gauss'"):
            open_challenge(tmp_path, "2021-gaus")
        with pytest.raises(InputError, match=r"part must be one of model, eval.*'test'"):
            save_challenge(challenge_set(), tmp_path, "2021-gauss", part="test")


class TestWriteChallenge:
    """Files written here come back bit for bit."""

    @pytest.mark.parametrize("part", ["model", "eval"])
    @pytest.mark.parametrize("kind", KINDS)
    def test_data_set_to_text_to_data_set_is_exact(self, tmp_path, kind, part):
        save_challenge(challenge_set(kind), tmp_path / "a", kind, part)
        first = open_challenge(tmp_path / "a", kind, part)
        save_challenge(first, tmp_path / "b", kind, part)
        xr.testing.assert_identical(open_challenge(tmp_path / "b", kind, part), first)
        assert bytes_in(tmp_path / "a") == bytes_in(tmp_path / "b")
        assert len(bytes_in(tmp_path / "a")) == (3 if part == "model" else 2)

    @given(signals=arrays(np.float32, (2, 1, 471), elements=SIGNALS))
    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_every_single_precision_number_survives(self, tmp_path, signals):
        save_challenge(challenge_set(n_curves=1, signals=signals), tmp_path, "2021-gauss", "eval")
        dataset = open_challenge(tmp_path, "2021-gauss", "eval")
        # As integers, so that -0.0 is not 0.0.
        for name, rows in zip(("mx", "my"), signals, strict=True):
            np.testing.assert_array_equal(dataset[name].to_numpy().view("i4"), rows.view("i4"))

    @given(values=st.tuples(st.floats(0, 1e6), st.floats(0.5, 1e3), st.floats(0, 50)))
    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_the_challenges_parameters_survive_to_the_last_bit(self, tmp_path, values):
        own = dict(zip(("alpha", "xi", "d"), values, strict=True))
        changes = {f"challenge_{name}": np.array([value]) for name, value in own.items()}
        save_challenge(challenge_set(n_curves=1, **changes), tmp_path, "2021-gauss")
        dataset = open_challenge(tmp_path, "2021-gauss")
        assert {name: float(dataset[f"challenge_{name}"][0]) for name in own} == own

    def test_2020_is_separated_by_tabs_and_2021_by_spaces(self, tmp_path):
        save_challenge(challenge_set("2020"), tmp_path, "2020")
        save_challenge(challenge_set(), tmp_path, "2021-gauss")
        assert (
            tmp_path / "mat_info.txt"
        ).read_text() == "0.1\t11.0\t2.5\t3.5\n0.02\t0.0\t3.75\t6.0\n"
        assert (tmp_path / "echos_r.txt").read_text().count("\t") == 2 * 470
        text = (tmp_path / "gauss_mat_info_model.txt").read_text()
        assert text == "12.499 6.89 6.07\n8.181 6.72 6.5\n"

    def test_axes_in_another_order_are_the_same_set(self, tmp_path):
        dataset = challenge_set()
        save_challenge(dataset, tmp_path / "a", "2021-gauss")
        save_challenge(dataset.transpose("time", "curve"), tmp_path / "b", "2021-gauss")
        assert bytes_in(tmp_path / "a") == bytes_in(tmp_path / "b")

    @pytest.mark.parametrize(
        ("dataset", "rule"),
        [
            (challenge_set(n_samples=470), "must have 471 samples .* but has 470"),
            (
                challenge_set().assign_coords(time=np.arange(471) / (2 * np.pi)),
                r"0\.31831 µs apart.* first two 0\.159155 µs apart",
            ),
            (challenge_set(kernel=np.array(["gaussian", "power"])), "'gaussian' only.*'power'"),
            (challenge_set().assign_attrs(n_edge=20), "100 × 100 sites, but n_edge is 20"),
            (challenge_set().drop_vars("challenge_d"), "lacks it"),
            (
                challenge_set(challenge_xi=np.array([3.0, -1.0])),
                "xi must be .*> 0, .*-1 for curve 1",
            ),
            (
                challenge_set(challenge_d=np.array([np.nan, 1.0])),
                "d must be finite.*nan for curve 0",
            ),
            (challenge_set().isel(curve=[]), "at least one curve"),
        ],
    )
    def test_a_set_that_the_files_cannot_hold_is_refused(self, tmp_path, dataset, rule):
        with pytest.raises(InputError, match=rule):
            save_challenge(dataset, tmp_path, "2021-gauss")
        assert bytes_in(tmp_path) == {}

    def test_a_place_that_cannot_be_written_is_named(self, tmp_path):
        (tmp_path / "taken").write_text("")
        with pytest.raises(InputError, match=r"taken.* must be writable, but"):
            save_challenge(challenge_set(), tmp_path / "taken", "2021-gauss")

    def test_all_files_appear_or_none_changes(self, tmp_path, monkeypatch):
        save_challenge(challenge_set(), tmp_path, "2021-gauss")
        before = bytes_in(tmp_path)
        monkeypatch.setattr("latent_nmr.data._text.SIGNAL_FORMAT", "%d %")
        with pytest.raises(ValueError, match="format"):
            save_challenge(challenge_set(), tmp_path, "2021-gauss")
        assert bytes_in(tmp_path) == before


class TestCsv:
    """One CSV file that describes itself."""

    def test_signals_labels_time_and_attributes_come_back_exactly(self, tmp_path):
        attributes = {"note": 'µ "a",\n# b', "list": [1, [2.5, None]], "flag": True, "x": 0.1 + 0.2}
        dataset = small_set(**attributes).assign_coords(curve=[5, 2, 9])
        write_csv(dataset, tmp_path / "echoes.csv")
        xr.testing.assert_identical(read_csv(tmp_path / "echoes.csv"), dataset)

    def test_a_data_set_read_from_the_challenge_comes_back_exactly(self, tmp_path):
        write_kind(tmp_path, "2020")
        dataset = open_challenge(tmp_path, "2020")
        write_csv(dataset, tmp_path / "a.csv")
        back = read_csv(tmp_path / "a.csv")
        xr.testing.assert_identical(back, dataset)
        write_csv(back, tmp_path / "b.csv")
        assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()

    @given(
        signals=arrays(np.float32, (2, 2, 4), elements=SIGNALS),
        strength=arrays(np.float64, 2, elements=st.floats(allow_nan=False, allow_infinity=False)),
        time=st.lists(st.floats(0, 1e9), min_size=4, max_size=4, unique=True)
        .map(sorted)
        .filter(lambda times: np.median(np.diff(times)) >= 1e-3),  # shorter ones are ms or s
    )
    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_every_number_survives(self, tmp_path, signals, strength, time):
        data = {"mx": signals[0], "my": signals[1]}
        dataset = assemble(data, np.array(time), {"W": strength}, {"echo_index": 3})
        write_csv(dataset, tmp_path / "a.csv")
        back = read_csv(tmp_path / "a.csv")
        for name in ("mx", "my", "W", "time"):
            assert back[name].to_numpy().tobytes() == dataset[name].to_numpy().tobytes()

    def test_the_longitudinal_signal_is_kept(self, tmp_path):
        signals = {name: np.full((1, 3), 0.25) for name in ("mx", "my", "mz")}
        dataset = assemble(signals, np.arange(3.0), {}, {"echo_index": 1})
        write_csv(dataset, tmp_path / "a.csv")
        xr.testing.assert_identical(read_csv(tmp_path / "a.csv"), dataset)

    def test_the_file_says_what_it_holds(self, tmp_path):
        write_csv(small_set(note="in µs"), tmp_path / "a.csv")
        lines = (tmp_path / "a.csv").read_text("utf-8").splitlines()
        assert lines[0] == "# latent_nmr echo table, version 2"
        assert lines[1] == '# attributes: {"echo_index": 2, "note": "in µs"}'
        assert lines[2].startswith("# time_us: [0.0, 0.318")
        variables = json.loads(lines[3].removeprefix("# variables: "))
        assert variables["W"]["attrs"]["units"] == "MHz"
        assert (variables["mx"]["dtype"], variables["kernel"]["dtype"]) == ("float32", "text")
        assert json.loads(lines[4].removeprefix("# checksums: ")).keys() > variables.keys()
        assert lines[5] == "curve,W,L,kernel,mx_0,mx_1,mx_2,mx_3,my_0,my_1,my_2,my_3"
        assert lines[6].startswith("0,0.1,7.0,gaussian,")
        assert len(lines) == 9

    def test_a_table_of_version_1_is_read(self, tmp_path):
        write_csv(small_set(), tmp_path / "a.csv")
        edit(tmp_path / "a.csv", 1, lambda text: text.replace("version 2", "version 1"))
        edit(tmp_path / "a.csv", 4, lambda _: '# units: {"W": "MHz", "L": "", "kernel": ""}')
        xr.testing.assert_identical(read_csv(tmp_path / "a.csv"), small_set())
        edit(tmp_path / "a.csv", 6, lambda text: text.replace("W", "V"))
        with pytest.raises(InputError, match=r"line 6: .*'V' is out of place"):
            read_csv(tmp_path / "a.csv")

    def test_numpy_values_in_attributes_are_written_as_numbers(self, tmp_path):
        dataset = small_set(a=np.float64(0.5), b=np.arange(2), c=(1, 2))
        write_csv(dataset, tmp_path / "a.csv")
        attributes = read_csv(tmp_path / "a.csv").attrs
        assert attributes == {"echo_index": 2, "a": 0.5, "b": [0, 1], "c": [1, 2]}

    @pytest.mark.parametrize(
        ("dataset", "rule"),
        [
            (small_set(made_by=object()), "made_by cannot be written .*object"),
        ],
    )
    def test_what_the_file_cannot_hold_is_refused(self, tmp_path, dataset, rule):
        with pytest.raises(InputError, match=rule):
            write_csv(dataset, tmp_path / "a.csv")
        assert bytes_in(tmp_path) == {}

    @pytest.mark.parametrize(
        ("line", "old", "new", "rule"),
        [
            (1, "version 2", "version 9", "the first line must be .*but is .*version 9"),
            (2, "}", "", "a comment must be '# name: JSON'"),
            (2, '"echo_index": 2', "", "must say .* no attribute echo_index"),
            (2, '"echo_index": 2', '"echo_index": true', "echo_index of .* must be .* but is True"),
            (2, '{"echo_index": 2}', "[" * 100_000, "a comment must be"),
            (3, "[0.0", "[1.0", "time_us must be a list of rising numbers"),
            (3, "[0.0", '["0.0"', "time_us must be a list of rising numbers"),
            (3, "[0.0", "[-1e999", "time_us must be a list of rising numbers"),
            (3, "[0.0", "[-1" + "0" * 400, "time_us must be a list of rising numbers"),
            (4, '"float32"', '"float33"', "must give dims, dtype"),
            (4, '"dims"', '"dim"', "must give dims, dtype"),
            (6, "curve", "Curve", "columns must be curve, labels.* 'Curve' is out of place"),
            (6, ",W,", ",V,", "'V' is out of place"),
            (6, ",L,", ",W,", "'W' is out of place"),
            (6, "mx_1,mx_2", "mx_2,mx_1", "'mx_2' is out of place"),
            (6, ",my_3", "", "there are 11 columns"),
            (6, "W,L,kernel,mx_0,mx_1,mx_2,mx_3,my_0,my_1,my_2,my_3", "W", "there are 2 columns"),
            (7, "0,0.1,", "0.5,0.1,", "curve must be a whole number, but is '0.5'"),
            (7, "0,0.1,", "0,NaN,", "W must be finite"),
            (7, "0,0.1,", "0,1e999,", "W must be finite"),
            (7, "0,0.1,", "0,,", "W must be a number, but is ''"),
            (8, "power,", "power,0.1,", "a row must hold 12 cells.* holds 13"),
            (9, "rkky,", "rkky,x", "mx_0 must be a number, but is 'x"),
            (9, "rkky,", "rkky,nan,", "a row must hold 12 cells.* holds 13.*cut short"),
        ],
    )
    def test_a_flaw_is_named_with_its_line(self, tmp_path, line, old, new, rule):
        path = tmp_path / "a.csv"
        write_csv(small_set(), path)
        edit(path, line, lambda text: text.replace(old, new, 1))
        with pytest.raises(InputError, match=rf"a\.csv, line {line}: .*{rule}"):
            read_csv(path)

    @pytest.mark.parametrize(
        ("kept", "rule"),
        [
            (1, "line 1: a row of column names must follow"),
            (5, "line 5: a row of column names must follow"),
            (6, "line 6: a row per curve must follow"),
        ],
    )
    def test_a_file_that_stops_early_is_refused(self, tmp_path, kept, rule):
        path = tmp_path / "a.csv"
        write_csv(small_set(), path)
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:kept]))
        with pytest.raises(InputError, match=rf"a\.csv, {rule}"):
            read_csv(path)

    @pytest.mark.parametrize("name", ["attributes", "time_us"])
    def test_a_file_without_a_needed_comment_is_refused(self, tmp_path, name):
        path = tmp_path / "a.csv"
        write_csv(small_set(), path)
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(text for text in lines if not text.startswith(f"# {name}")))
        with pytest.raises(InputError, match=rf"a\.csv, line 1: the line '# {name}: …' must"):
            read_csv(path)

    def test_a_blank_beside_a_number_is_not_taken_for_the_flaw(self, tmp_path):
        path = tmp_path / "a.csv"
        write_csv(small_set(), path)
        edit(path, 7, lambda text: text.replace(",", ", ").replace(", gaussian", ",gaussian"))
        xr.testing.assert_identical(read_csv(path), small_set())
        edit(path, 9, lambda text: text + "?")
        with pytest.raises(InputError, match=r"a\.csv, line 9: my_3 must be a number"):
            read_csv(path)

    def test_a_file_saved_anew_with_other_line_ends_is_the_same(self, tmp_path):
        write_csv(small_set(), tmp_path / "a.csv")
        text = (tmp_path / "a.csv").read_bytes()
        (tmp_path / "b.csv").write_bytes(b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"))
        xr.testing.assert_identical(read_csv(tmp_path / "b.csv"), small_set())
