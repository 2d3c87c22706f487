"""Tables of designs."""

import math

from latent_nmr.report.design import gain_table, linear_table, proof_table

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


def test_the_linear_check_stands_beside_the_posterior_where_both_answer():
    numbers = {"error": 0.1, "median": 1.5, **dict.fromkeys(("alpha_x", "alpha_z", "W", "L"), 0.0)}
    rows = [{"candidate": name, "gain": 2.0, **numbers} for name in ("90:50", "60+120", "60")]
    scattered = {"90:50": 0, "60+120": 2, "60": 1}
    linear = {"phase trusted": {"linear": rows, "n_linear": 12, "scattered": scattered}}
    found = {"phase trusted": {"gains": [{"candidate": "60", "gain": 1.0, **ROW}]}}
    lines = linear_table(found, linear).splitlines()[2:]
    assert [line.split(" | ")[0] for line in lines] == [
        "| phase trusted: 60°",
        "| phase trusted: 60° + 120°",
        "| phase trusted: 90°, τ 50 µs",
    ]
    assert "| 1.00 ± 0.10 | 2.00 ± 0.10 | 1.50 | 1 of 12 | 100 % |" in lines[0]
    assert "| – | 2.00 ± 0.10 | 1.50 | 2 of 12 |" in lines[1]
