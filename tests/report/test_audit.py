"""Sentences on the axes of an audited decoder."""

from latent_nmr.report.audit import axis_sentence

NOTHING = {
    "invents": [], "averages": [], "faithful": [], "off_data": [], "off_data_invents": [],
    "excess": None, "off_data_excess": None,
}  # fmt: skip
EXCESS = {"region": "early", "share": 0.999, "height": -0.571, "position": 1.0, "time": 180.3}


def test_a_faithful_decoder_invents_nothing():
    assert axis_sentence(1, NOTHING | {"faithful": [-2.0, 0.5]}) == (
        "LA1 invents no structure where data lie; is faithful at z = -2, 0.5"
    )


def test_an_inventing_one_is_described_by_place_time_and_size():
    summary = NOTHING | {"invents": [-1.0, 1.0], "faithful": [0.0], "excess": EXCESS}
    assert axis_sentence(2, summary) == (
        "LA2 invents structure at z = -1, 1 (100% of it before the echo; at most -0.571 outside "
        "both bands, z = 1, 180.3 µs); is faithful at z = 0"
    )


def test_averaging_is_neither():
    assert axis_sentence(1, NOTHING | {"averages": [-1.0]}) == (
        "LA1 invents no structure where data lie; averages over unlike curves at z = -1"
    )


def test_points_off_the_data_are_distinguished():
    off = {"off_data": [-2.0, 2.0], "off_data_invents": [-2.0], "off_data_excess": EXCESS}
    assert axis_sentence(1, NOTHING | {"faithful": [0.0]} | off).endswith(
        "; is off the data at z = -2, 2, inventing at z = -2 (100% of it before the echo; at most "
        "-0.571 outside both bands, z = 1, 180.3 µs)"
    )
    assert axis_sentence(1, NOTHING | {"off_data": [1.0]}) == "LA1 is off the data at z = 1"
