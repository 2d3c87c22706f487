"""Tables of designs."""

import math

from latent_nmr.report.design import gain_table, proof_table

ROW = {"error": 0.1, "alpha_x": 0.0, "alpha_z": math.log(2), "W": 0.0, "L": 0.0, "kernel": 0.2}


def test_gains_are_by_condition_and_single_echoes_first():
    gains = [{"candidate": name, "gain": 1.0, **ROW} for name in ("60+120", "90", "60")]
    lines = gain_table({"|M| alone": {"gains": gains}, "proof, x": {"choices": {}}}).splitlines()
    first = [line.split("|")[1].strip() for line in lines[2:]]
    assert first == ["M alone: 60°", "M alone: 90°", "M alone: 60° + 120°"]
    # Half as wide: 50 % is left.
    assert "| 1.00 ± 0.10 | 100 % | 50 % | 100 % | 100 % | 0.20 |" in lines[2]


def test_a_proof_has_what_was_predicted_beside_what_was_found():
    means = {"predicted": [2.0, 0.1], "found": [1.5, 0.2], "alpha_z": [math.log(4), 0.0]}
    own = {**means, "W": [0.0, 0.0]}
    found = {"proof, |M| alone": {"choices": {"designed": own}, "angles": {"60": own}}}
    lines = proof_table(found).splitlines()
    assert lines[2] == "| M alone: designed | 2.00 ± 0.10 | 1.50 ± 0.20 | 25 % | 100 % |"
    assert lines[3].startswith("| M alone: θ = 60° |")
