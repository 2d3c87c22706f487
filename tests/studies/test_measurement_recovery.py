"""Recovery of W and L: numbers for each format and part of the signal-to-noise ratio."""

import numpy as np
import pandas as pd
import pytest

from latent_nmr.studies.measurement.recovery import recovered, recovery_summary
from tests.studies.measurements import record

TRUTH = {"W": 0.2, "L": 12.0}


def test_a_row_has_what_was_found_beside_the_truth():
    row = recovered(record(), TRUTH, 20.0)
    assert (row["W"], row["W found"]) == (0.2, 0.19)
    assert (row["L"], row["L found"]) == (12.0, 14.0)


def test_a_record_without_estimates_is_a_file_that_is_not_counted_among_them():
    rows = [recovered(record("NO ECHO"), TRUTH, 20.0), recovered(record(), TRUTH, 20.0)]
    (part,) = (
        row
        for row in recovery_summary(pd.DataFrame(rows).assign(format="TNT"))
        if row["snr"] == [10.0, 30.0]
    )
    assert (part["files"], part["estimated"], part["r2_W"]) == (2, 1, None)


@pytest.mark.parametrize("error", [0.0, 0.01])
def test_scores_are_those_of_the_errors_in_each_part(error):
    rng = np.random.default_rng(0)
    truth, sign = rng.uniform(0.1, 0.4, 600), rng.choice([-1, 1], 600)
    table = pd.DataFrame({"W": truth, "W found": truth + error * sign, "L": truth, "L found": 0.2})
    table["snr"], table["format"] = rng.uniform(3, 100, 600), rng.choice(["TNT", "npz"], 600)
    found = recovery_summary(table)
    assert sum(row["files"] for row in found) == 600
    assert [row["snr"] for row in found] == 2 * [[3.0, 10.0], [10.0, 30.0], [30.0, 100.0]]
    for row in found:
        assert row["rms_W"] == pytest.approx(error)
        # The variance of numbers between 0.1 and 0.4 is 0.3²/12 = 0.0075, that of few a third off.
        assert 1 - row["r2_W"] == pytest.approx(error**2 / 0.0075, rel=0.4)
        assert row["r2_L"] <= 0
