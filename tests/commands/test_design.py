"""latent-nmr design: the table, the folder, and what is refused."""

import json

import pandas as pd
import pytest

import latent_nmr as ln
from latent_nmr.commands.main import main
from latent_nmr.report.design import design_lines
from latent_nmr.studies.design import _linear as linear_module
from latent_nmr.studies.posterior._data import flip_angles
from tests.studies.test_design_linear import FakeSlopes

FEW = ["--n-materials", "2", "--n-draws", "10"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    curves = ln.simulate("challenge2021-spin", n_curves=48, n_edge=6, seed=0)
    fitted = ln.EchoPosterior((16,), n_mixtures=2, max_epochs=2, batch_size=32, random_state=0)
    path = tmp_path_factory.mktemp("posterior") / "model"
    fitted.fit(ln.record_rows(curves), curves, flip_angles(curves)).save(path)
    return str(path)


def values_of(capsys, arguments):
    assert main(["design", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_folder_holds_table_and_figure_and_a_rerun_reports_it(model, capsys, tmp_path):
    out = tmp_path / "next"
    arguments = ["--model", model, "--candidates", "theta 90", "pair 60", *FEW, "--out", str(out)]
    values = values_of(capsys, arguments)
    assert {row["candidate"] for row in values["gains"]} == {"90", "60+120"}
    assert values["best"] == values["gains"][0]["candidate"]
    names = {path.name for path in out.iterdir()}
    assert {"gains.csv", "gains.png"} <= names
    assert "steps" not in names
    assert len(pd.read_csv(out / "gains.csv")) == 2
    again = values_of(capsys, arguments)
    assert again["gains"] == values["gains"]
    assert main(["design", *arguments, "--snr", "50"]) == 2
    assert "has snr = 30.0 and 50.0 is asked for" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--candidates", "phi 60"], "candidates must be written as"),
        (["--candidates", "theta 10"], "θ must be"),
        (["--model", "posterior-echo"], "--model must be one of whole records"),
        (["--snr", "-1"], "snr must be > 0"),
        (["--candidates", "tau 50"], "but one is 90:50. Ask for it with --linear"),
    ],
)
def test_wrong_options_are_named(model, capsys, arguments, said):
    assert main(["design", "--model", model, *FEW, *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.slow
def test_the_linear_check_stands_in_a_column_and_a_table_of_its_own(
    model, capsys, tmp_path, monkeypatch
):
    monkeypatch.setattr(linear_module, "Slopes", FakeSlopes)
    arguments = ["--model", model, "--candidates", "theta 60", "tau 50", *FEW, "--linear"]
    values = values_of(capsys, [*arguments, "--out", str(tmp_path / "next")])
    assert {row["candidate"]: row["gain"] is None for row in values["gains"]} == {
        "60": False,
        "90:50": True,
    }
    assert list(pd.read_csv(tmp_path / "next" / "linear.csv")["gain"]) == [
        row["linear"] for row in values["gains"]
    ]
    assert values["n_linear"] == 2


def test_candidates_within_the_error_are_named_as_equal():
    row = {"error": 0.1, "alpha_x": 1.0, "alpha_z": 0.0, "W": 0.5, "L": 0.0, "kernel": 0.2}
    values = {
        "phase": False,
        "n_materials": 9,
        "n_known": 0,
        "snr": 30.0,
        "flip_error": 0.03,
        "gains": [
            {"candidate": "60+120", "gain": 2.0, **row},
            {"candidate": "60", "gain": 1.9, **row},
            {"candidate": "90", "gain": 1.5, **row},
        ],
    }
    lines = design_lines(values)
    assert lines[-1].endswith("θ = 60+120°; within the error as good: 60")
    # e⁻¹ of α_x is left, and all of α_z.
    assert "37 %" in lines[3]
    assert "100 %" in lines[3]
    assert "pulses +3 % off" in lines[0]
