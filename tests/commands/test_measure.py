"""`latent-nmr measure`: exit codes, messages, the page, and reruns."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from latent_nmr.commands.main import main
from latent_nmr.report.measurement import in_options
from latent_nmr.studies.measurement import MeasurementResult
from tests.data.measured.writers import write_npz, write_table
from tests.studies.test_measurement_study import DT, TAU, simulated_record

BESIDE = Path(__file__).parents[2].parent / "shared" / "measured"
FOLDER = Path(os.environ.get("LATENT_NMR_MEASURED", BESIDE))
TAU_OPTION = ["--tau", f"{1000 * TAU}ns"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A good file, one of noise, and one that is cut short, by name."""
    folder = tmp_path_factory.mktemp("files")
    noise = np.random.default_rng(1).standard_normal((1000, 2)) @ [1, 1j]
    good = write_npz(folder / "good.npz", simulated_record()[0], DT)
    found = {"good": good, "noise": write_npz(folder / "noise.npz", noise, DT)}
    found["cut"] = folder / "cut.npz"
    found["cut"].write_bytes(good.read_bytes()[:2000])
    return {name: str(path) for name, path in found.items()}


def refused(capsys, arguments):
    """Run a command that must end with exit code 2; return its one line of complaint."""
    assert main(["measure", *arguments]) == 2
    found = capsys.readouterr()
    assert found.out == ""
    (line,) = found.err.splitlines()
    return line


class TestExitCodes:
    """0, 4 where some files were refused, 2 where all were."""

    def test_good_files_end_with_0_and_a_table(self, files, capsys):
        assert main(["measure", files["good"], *TAU_OPTION]) == 0
        text = capsys.readouterr().out
        assert files["good"] in text
        assert "INSIDE" in text

    def test_noise_is_a_verdict_and_no_error(self, files, capsys):
        assert main(["measure", files["noise"], *TAU_OPTION]) == 0
        assert "NO ECHO" in capsys.readouterr().out

    def test_some_refused_files_end_with_4_after_the_others_are_done(self, files, capsys):
        assert main(["measure", files["cut"], files["noise"], "absent.tnt", *TAU_OPTION]) == 4
        lines = capsys.readouterr().out.splitlines()
        assert any("NO ECHO" in line for line in lines)
        assert [line.split()[:2] for line in lines if line.startswith("refused")] == [
            ["refused", f"{files['cut']}:"],
            ["refused", "absent.tnt:"],
        ]

    def test_all_refused_end_with_2_and_write_nothing(self, files, capsys, tmp_path):
        out = tmp_path / "report.html"
        line = refused(capsys, [files["cut"], "absent.tnt", *TAU_OPTION, "--out", str(out)])
        assert files["cut"] in line
        assert "absent.tnt" in line
        assert not out.exists()

    def test_without_tau_the_cure_is_the_option(self, files, capsys):
        line = refused(capsys, [files["good"]])
        assert "--tau must be given where the file does not say τ" in line
        assert line.endswith("--tau 100.")

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (["--tau", "1,5ms"], "tau must be a number and one of the units"),
            (["--tau=-5us"], "--tau must be > 0 µs, but is -5.0"),
            (["--tau", "100us", "--fwhm", "50us"], "fwhm must be a number and one of the units Hz"),
            (["--tau", "100us", "--model", "echo"], "model must be one of measured echoes"),
            (["--tau", "100us", "--out", "page.pdf"], "--out must be one of .html, .json"),
            (["--tau", "100us", "--fwhm", "80kHz"], "--fwhm times --tau must be within 10 %"),
        ],
    )
    def test_wrong_options_are_named(self, files, capsys, options, said):
        assert said in refused(capsys, [files["good"], *options])

    def test_without_files_it_says_so(self, capsys):
        assert "at least one file" in refused(capsys, [])


class TestPage:
    """What --out writes, and a second run."""

    def test_a_rerun_reports_the_finished_page_with_the_same_lines_and_code(
        self, files, capsys, tmp_path
    ):
        out = tmp_path / "report.html"
        arguments = ["measure", files["noise"], files["cut"], *TAU_OPTION, "--out", str(out)]
        assert main(arguments) == 4
        first = capsys.readouterr().out.splitlines()
        assert first[-1] == f"written    {out}"
        content = out.read_bytes()
        assert b"NO ECHO" in content
        assert b"Refused files" in content
        assert main(arguments) == 4
        again = capsys.readouterr().out.splitlines()
        assert again[:-1] == first[:-1]
        assert "already finished" in again[-1]
        assert out.read_bytes() == content
        assert "seed = 0 and 1 is asked for" in refused(capsys, [*arguments[1:], "--seed", "1"])

    def test_a_changed_file_is_noticed(self, capsys, tmp_path):
        noise = np.random.default_rng(2).standard_normal((2, 600, 2)) @ [1, 1j]
        path, out = tmp_path / "own.npz", tmp_path / "report.html"
        arguments = [str(path), *TAU_OPTION, "--out", str(out)]
        write_npz(path, noise[0], DT)
        assert main(["measure", *arguments]) == 0
        write_npz(path, noise[1], DT)
        capsys.readouterr()
        assert "has changed since" in refused(capsys, arguments)

    def test_json_beside_holds_all_curves(self, files, capsys, tmp_path):
        out = tmp_path / "result.json"
        assert main(["measure", files["good"], *TAU_OPTION, "--out", str(out), "--json"]) == 0
        shown = json.loads(capsys.readouterr().out)
        kept = MeasurementResult.load(out)
        (_, record) = next(kept.records())
        assert shown["files"][0]["records"][0]["verdict"] == record.verdict == "INSIDE"
        assert "measured" not in shown["files"][0]["records"][0]
        assert np.isfinite(record.measured).sum() > 300


class TestOptionsForFiles:
    """Options that tables and trains need."""

    def test_a_table_without_header_is_read_as_declared(self, capsys, tmp_path):
        path = write_table(tmp_path / "echo.txt", simulated_record()[0], DT, header="")
        line = refused(capsys, [str(path), *TAU_OPTION])
        assert "--columns time real imaginary" in line
        columns = ["--columns", "time", "real", "imaginary", "--time-unit", "us"]
        assert main(["measure", str(path), *TAU_OPTION, *columns]) == 0
        assert "INSIDE" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Give the time in µs: pulse_separation=100.", "Give the time in µs: --tau 100."),
        ("State columns=('time', 'real').", "State --columns time real."),
        ("Give time_unit='µs'.", "Give --time-unit us."),
        ("Use ln.Line(fwhm=0.05).", "Use ln.Line(fwhm=0.05)."),
        ("fwhm times pulse_separation is 5.", "--fwhm times --tau is 5."),
        (
            "ln.train(ln.simulate('paper', 6000, fwhm=0.08), window='top', model=ln.BetaVAE())).",
            "latent-nmr train-vae --simulate 6000 --fwhm 0.08 --setting thorough "
            "--augment spectrometer.",
        ),
    ],
)
def test_messages_name_options_in_place_of_parameters(text, said):
    file = {"refused": {"path": "a", "reason": text, "cure": text}}
    assert in_options({"files": [file]})["files"][0]["refused"]["cure"] == said
    assert file["refused"]["cure"] == text


@pytest.mark.slow
@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no measured files in {FOLDER}")
class TestRealFiles:
    """Files that others measured; they are no part of the repository."""

    def test_the_sample_has_an_echo_and_the_empty_coil_has_none(self, capsys):
        paths = [str(FOLDER / "nqr" / name) for name in ("sample_SE.meas", "no_sample_SE.meas")]
        assert main(["measure", *paths, "--json"]) == 0
        one, other = json.loads(capsys.readouterr().out)["files"]
        assert one["records"][0]["verdict"] in ("INSIDE", "OUTSIDE")
        assert 57 < one["records"][0]["echo_time"] < 61
        assert one["facts"]["pulse_separation"] == 124
        assert other["records"][0]["verdict"] == "NO ECHO"

    def test_liquids_and_free_induction_decays_lie_outside(self, capsys):
        paths = [str(FOLDER / name) for name in ("tnt/fid_1D.tnt", "csdm/satRec.csdf")]
        assert main(["measure", *paths, "--tau", "100us", "--json"]) == 0
        for file in json.loads(capsys.readouterr().out)["files"]:
            assert {record["verdict"] for record in file["records"]} == {"OUTSIDE"}
