"""Outputs that are not UTF-8: letters in plain ones, values and exit codes as they are."""

import codecs
import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import latent_nmr
from latent_nmr._files import write_json
from latent_nmr._letters import PLAIN_LETTERS, path_text, plain
from latent_nmr.commands._shell import Report, execute
from latent_nmr.commands.card import Options
from latent_nmr.report.table_files import table_format

PACKAGE = Path(latent_nmr.__file__).parent
ENCODINGS = ("ascii", "latin-1", "cp1252", "cp437", "koi8-r", "shift-jis", "utf-8", "utf-16")
# A name of a file that is not UTF-8, as Python holds it.
NO_TEXT = os.fsdecode(b"donn\xe9")

any_bytes_in_names = pytest.mark.skipif(
    sys.platform != "linux", reason="names of files must be text on this system"
)


class TestPlainLetters:
    """What the encoding lacks is spelt."""

    @pytest.mark.parametrize(
        ("text", "typed"),
        [
            ("β-VAE", "beta-VAE"),
            ("α_x, ΔE, Ω, ς", "alpha_x, DeltaE, Omega, sigma"),
            ("τ = 200 µs × 2", "tau = 200 us x 2"),
            ("μs", "us"),  # the Greek letter, for the micro sign
            ("R² = 0.97 ± 0.01", "R^2 = 0.97 +- 0.01"),
            ("10⁻¹² s⁻¹", "10^-12 s^-1"),
            ("H₂O", "H_2O"),
            ("−0.5 … 0.5 → ≥ ½", "-0.5 ... 0.5 -> >= 1/2"),
            ("naïve Łódź, ﬁt", "naive Lodz, fit"),
            ("x̄ of ⟨Ix⟩ at 90°", "x of <Ix> at 90 deg"),
            ("漢", "?"),
        ],
    )
    def test_they_are_typed_as_a_physicist_would(self, text, typed):
        assert plain(text) == typed
        assert text.encode("ascii", PLAIN_LETTERS).decode() == typed

    @pytest.mark.parametrize("encoding", ENCODINGS)
    @given(text=st.text(st.characters(codec="utf-8")))
    def test_any_text_is_written_and_known_letters_are_kept(self, encoding, text):
        written = text.encode(encoding, PLAIN_LETTERS)
        with contextlib.suppress(UnicodeEncodeError):
            assert written == text.encode(encoding)
        if encoding == "ascii":
            assert written.decode() == plain(text)

    def test_only_letters_that_the_encoding_lacks_are_spelt(self):
        assert "2 µs, β".encode("latin-1", PLAIN_LETTERS) == b"2 \xb5s, beta"

    def test_bytes_of_a_name_are_printed_as_they_are(self):
        for encoding in ("ascii", "utf-8"):
            assert NO_TEXT.encode(encoding, PLAIN_LETTERS) == b"donn\xe9"
        assert NO_TEXT.encode("utf-16-le", PLAIN_LETTERS).decode("utf-16-le") == "donn?"

    def test_every_letter_that_the_package_prints_has_a_plain_form(self):
        rooms = ("commands", "report", "studies", "data", "models", "physics", "analysis")
        sources = [path for room in rooms for path in (PACKAGE / room).rglob("*.py")]
        letters = set().union(*(path.read_text("utf-8") for path in sources))
        assert len(letters - set(map(chr, range(128)))) > 30
        assert [letter for letter in sorted(letters) if plain(letter) == "?" != letter] == []

    def test_errors_of_decoding_are_left_to_python(self):
        with pytest.raises(UnicodeDecodeError):
            codecs.decode(b"\xff", "utf-8", PLAIN_LETTERS)


def printed(encoding, values, *switches):
    """What a command with these values prints to an output of some encoding."""
    raw = io.BytesIO()
    output = io.TextIOWrapper(raw, encoding, PLAIN_LETTERS)
    with contextlib.redirect_stdout(output):
        code = execute("card", Options, lambda _: Report(["β"], values), ["echo", *switches])
    assert code == 0
    return raw.getvalue().decode(encoding)


VALUES = {"β": 1.5, "out": Path("modèle"), "where": "Łódź 漢"}


class TestJson:
    """`--json` is for programs: nothing is spelt."""

    @pytest.mark.parametrize("encoding", ENCODINGS)
    def test_values_are_the_same_in_every_encoding(self, encoding):
        known = {"β": 1.5, "out": "modèle", "where": "Łódź 漢"}
        assert json.loads(printed(encoding, VALUES, "--json")) == known

    def test_letters_that_can_be_written_are(self):
        assert '"β"' in printed("utf-8", VALUES, "--json")
        assert printed("ascii", VALUES) == "beta\n"


class TestNamesOfFiles:
    """Names are text in every file that is written, whatever the locale makes of them."""

    @given(name=st.binary(min_size=1))
    def test_a_name_becomes_text(self, name):
        text = path_text(os.fsdecode(name))
        text.encode("utf-8")
        with contextlib.suppress(UnicodeDecodeError):
            assert text == name.decode("utf-8")

    def test_paths_in_json_are_text(self, tmp_path):
        write_json(tmp_path / "a.json", {"out": Path(NO_TEXT), "kept": [Path("é")]})
        known = json.loads((tmp_path / "a.json").read_text("utf-8"))
        assert known == {"out": "donn\\xe9", "kept": ["é"]}

    @any_bytes_in_names
    @pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz"])
    def test_a_table_may_have_a_name_that_is_no_text(self, tmp_path, suffix):
        path = tmp_path / (NO_TEXT + suffix)
        table = table_format(path)(path)
        for start in (0, 2):
            table.add(pd.DataFrame({"curve": [start, start + 1]}))
        table.close()
        assert path.stat().st_size > 0
        if suffix == ".parquet":
            with path.open("rb") as file:
                assert pd.read_parquet(file)["curve"].tolist() == [0, 1, 2, 3]

    @any_bytes_in_names
    @pytest.mark.parametrize("name", [pytest.param("donnée", marks=pytest.mark.slow), NO_TEXT])
    def test_a_result_is_the_same_in_every_locale(self, tmp_path, name):
        (tmp_path / f"{name}.txt").write_text("12.5\t6.9\t6.1\n8.2\t6.7\t6.5\n")
        words = ["2021-gauss", f"{name}.txt", "--n-rows", "2", "--out", f"{name}.json"]
        program = [sys.executable, "-m", "latent_nmr.commands.main", "check-submission", *words]
        plain_locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        said = []
        for locale in (plain_locale, {"PYTHONUTF8": "1"}):
            finished = subprocess.run(
                list(map(os.fsencode, program)),
                env={**os.environ, "PYTHONPATH": str(PACKAGE.parent), **locale},
                cwd=tmp_path,
                check=True,
                capture_output=True,
            )
            said.append(finished.stdout)
            assert finished.stderr == b""
        assert os.fsencode(f"{name}.txt: 2 rows that can be submitted") in said[0]
        assert b"is already finished" in said[1]
