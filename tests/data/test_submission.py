"""Submission files of the challenge, written and checked."""

import numpy as np
import pytest

from latent_nmr.data.submission import SUBMISSION_NAMES, check_submission, write_submission
from latent_nmr.errors import InputError

GAUSS = np.array([[12.5, 6.9, 6.1], [8.2, 6.7, 6.5], [0.01, 180.0, 12.0]])


class TestRoundTrip:
    def test_what_is_written_is_what_is_read(self, tmp_path):
        path = tmp_path / "file.txt"
        write_submission(path, GAUSS, "2021-gauss")
        np.testing.assert_allclose(check_submission(path, "2021-gauss", 3), GAUSS, rtol=1e-6)
        assert path.read_text().splitlines()[0] == "12.5\t6.9\t6.1"

    def test_the_names_are_those_of_the_challenge(self):
        assert SUBMISSION_NAMES == {
            "2020": "submitted_mat_info.txt",
            "2021-gauss": "gauss_mat_info_eval.txt",
            "2021-rkky": "RKKY_mat_info_eval.txt",
        }

    def test_2020_has_four_columns(self, tmp_path):
        path = tmp_path / "file.txt"
        write_submission(path, np.array([[0.1, 10.0, 3.0, 4.0]]), "2020")
        assert check_submission(path, "2020").shape == (1, 4)

    def test_predictions_beyond_a_bound_are_moved_to_it(self, tmp_path):
        written = write_submission(
            tmp_path / "file.txt", np.array([[-0.2, -3.0, 6.0], [9.0, 5.0, 7.0]]), "2021-rkky"
        )
        assert written[0].tolist() == [0.0, 1e-3, 6.0]
        assert written[1].tolist() == [9.0, 5.0, 7.0]


class TestRefusals:
    def test_standardised_numbers_are_refused_and_nothing_is_written(self, tmp_path):
        path = tmp_path / "file.txt"
        scaled = np.random.default_rng(0).standard_normal((50, 3))
        np.savetxt(path, scaled, delimiter="\t")
        with pytest.raises(InputError, match="are they standardised\\? Undo the scaling"):
            check_submission(path, "2021-gauss")

    def test_small_physical_numbers_are_not_taken_for_standardised(self, tmp_path):
        path = tmp_path / "file.txt"
        np.savetxt(path, np.full((5, 3), 0.2), delimiter="\t")
        check_submission(path, "2021-gauss")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("1\t2\n", "line 1: a row must hold 3 numbers, but this one holds 2"),
            ("1 2 3\n", "line 1: numbers must be separated by one tab"),
            ("1\t2\t3\n1\t\t2 3\n", "line 2: numbers must be separated by one tab"),
            ("1\t2\tnan\n", "value 3 must be finite"),
            ("1\t2\tx\n", "value 3 must be a number, but is 'x'"),
            ("-1\t2\t3\n", "line 1: alpha must be >= 0, but is -1"),
            ("1\t0\t3\n", "line 1: xi must be > 0, but is 0"),
            ("", "must hold at least one row"),
        ],
    )
    def test_a_damaged_file_is_named_with_its_line(self, tmp_path, text, message):
        path = tmp_path / "file.txt"
        path.write_text(text)
        with pytest.raises(InputError, match=message):
            check_submission(path, "2021-gauss")

    def test_too_few_rows(self, tmp_path):
        path = tmp_path / "file.txt"
        write_submission(path, GAUSS, "2021-gauss")
        with pytest.raises(InputError, match=r"one row per evaluation curve \(6000\), but has 3"):
            check_submission(path, "2021-gauss", 6000)

    def test_an_edition_without_a_submission(self, tmp_path):
        with pytest.raises(InputError, match="edition must be one of 2020, 2021-gauss"):
            check_submission(tmp_path / "file.txt", "spin")

    def test_a_table_that_fails_the_checks_leaves_the_old_file(self, tmp_path):
        path = tmp_path / "file.txt"
        path.write_text("mine")
        with pytest.raises(InputError):
            write_submission(path, np.full((2, 3), np.nan), "2021-gauss")
        assert path.read_text() == "mine"
        assert [entry.name for entry in tmp_path.iterdir()] == ["file.txt"]
