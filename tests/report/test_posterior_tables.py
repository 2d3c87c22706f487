"""Tables of the shipped posteriors, from what is kept of their calibration."""

import json
from pathlib import Path

import pytest

from latent_nmr.report.posterior_tables import (
    contraction_table,
    coverage_table,
    gate_table,
    sharpness_table,
)
from latent_nmr.shipped import shipped_names

KEPT = Path(__file__).parents[2] / "artifacts" / "tables" / "posterior.json"


@pytest.fixture(scope="module")
def receivers():
    return json.loads(KEPT.read_text("utf-8"))["receivers"]


def rows(table):
    return [line[2:-2].split(" | ") for line in table.splitlines()]


@pytest.mark.parametrize("make", [gate_table, coverage_table, contraction_table, sharpness_table])
def test_every_row_has_a_cell_under_every_head(receivers, make):
    heads, _, *others = rows(make(receivers))
    assert others
    assert {len(row) for row in others} == {len(heads)}


def test_a_failed_check_says_so(receivers):
    gate = receivers["record"]["gate"]
    n_failed = sum(not one["passed"] for own in receivers.values() for one in own["gate"])
    assert gate_table(receivers).count("(failed)") == n_failed
    assert any(one["model"] == "corrected" for one in gate)


def test_corrected_intervals_of_whole_records_pass_every_check(receivers):
    gate = receivers["record"]["gate"]
    assert all(one["passed"] for one in gate if one["model"] == "corrected")


def test_posteriors_are_sharper_than_a_forest_on_the_same_inputs(receivers):
    for row in receivers["record"]["sharpness"]:
        if row["model"] == "posterior":
            (forest,) = (
                other
                for other in receivers["record"]["sharpness"]
                if other["model"] == "forest"
                and (other["features"], other["band"]) == (row["features"], row["band"])
            )
            assert all(row[name] > forest[name] for name in ("alpha_x", "alpha_z", "W", "L"))


def test_the_models_are_those_of_the_package_and_took_under_20_minutes(receivers):
    for own in receivers.values():
        assert own["model"] in shipped_names("models")
        assert own["seconds"] < 20 * 60
        assert own["seconds_for_one_echo"] < 0.05
