"""Tables of the checks of a posterior that simulations alone make."""

from latent_nmr.report.posterior_checks import (
    checks_file,
    independent_table,
    predictive_table,
    repeats_table,
)
from latent_nmr.studies.posterior._quantities import QUANTITIES

CASE = {"kernel": "power", "flip_angle_deg": 60.0, "phase": False, "seed": 2, "error": 0.2}
ROWS = [
    {**CASE, "quantity": name, "local": [1.0, 2.0, 3.0], "amortised": [2.0, 3.0, 3.5]}
    for name in QUANTITIES
]
REPEATS = {name: {"ratio": 0.5, "beyond": 0.01, "n_pairs": 40} for name in QUANTITIES}
BANDS = [{"claimed": 41 / 51, "found": 0.79, "error": 0.012}]
VALUES = checks_file(ROWS, BANDS, REPEATS)


def test_widths_stand_over_those_of_simulations_and_shifts_in_their_halves():
    title, *cells = [cell.strip() for cell in independent_table(VALUES).splitlines()[2].split("|")][
        1:-1
    ]
    assert title == "power, 60°, M alone"
    assert cells == ["0.75 ± 0.15, +1.0"] * 4


def test_bands_and_repeats_say_what_was_found():
    assert "| 80 % | 79.0 ± 1.2 % |" in predictive_table(VALUES)
    assert repeats_table(VALUES).count("| 0.50 | 1.0 % | 40 |") == 4
