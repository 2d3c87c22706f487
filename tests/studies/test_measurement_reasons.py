"""Reasons of verdicts: what they advise where 2τ was not given."""

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.report.measurement import in_options
from latent_nmr.studies.measurement._distance import Distance
from latent_nmr.studies.measurement._reasons import reason
from tests.data.measured.records import data_set, echo_of, noise_of

TAU, DWELL = 100.0, 0.2
FAR = Distance(0.01, "curve", {})


def said(at, start=0.0, *, n_time=1500, width=6.0, distance=FAR, odd=None, **settings):
    """What is said of a record that begins at `start` and has its signal `at` a time."""
    time = start + DWELL * np.arange(n_time)
    signal = 20 * echo_of(time, at=at, rise=width, decay=width) + noise_of(n_time, 0)
    record = data_set(signal, time, **settings.pop("facts", {}))
    prepared = ln.prepare_measurement(record, pulse_separation=TAU, grid="full", **settings)
    return reason(prepared, distance, odd, is_inside=distance.p_value > 0.02)


class TestAdvice:
    """Where 2τ may be, and which value says so."""

    def test_a_record_that_begins_at_the_first_pulse_has_2tau_there(self):
        text = said(at=60)
        assert "If 2τ is not near 59.93 µs" in text  # by the fit: 60 to a sample
        assert "echo_time=200 if the first pulse begins the record" in text
        assert "echo_time=100 if the second does" in text

    def test_times_count_from_the_first_sample(self):
        assert "echo_time=230 if the first pulse" in said(at=90, start=30)

    def test_what_is_beyond_the_record_is_not_offered(self):
        text = said(at=60, n_time=700)
        assert "if the first pulse" not in text
        assert "echo_time=100 if the second" not in said(at=100, n_time=700)

    def test_an_echo_where_it_is_due_asks_for_nothing_else(self):
        assert said(at=100, n_time=700).endswith("give its time.")

    def test_a_decay_at_the_start_is_told_of_although_it_is_inside(self):
        text = said(at=0, distance=Distance(0.5, "place", {}))
        assert "free induction decay" in text
        assert "echo_time=200" in text

    def test_an_echo_inside_that_is_whole_has_no_advice(self):
        assert "give" not in said(at=60, distance=Distance(0.5, "place", {}))

    @pytest.mark.parametrize(("p_value", "is_warned"), [(0.05, True), (0.2, False)])
    def test_an_echo_that_is_barely_inside_says_so(self, p_value, is_warned):
        text = said(at=60, distance=Distance(p_value, "place", {}))
        assert text.startswith("Few simulated measurements") == is_warned
        assert f"(p = {p_value})" in text

    @pytest.mark.parametrize("kind", ["real", None])
    def test_one_channel_is_told(self, kind):
        facts = {} if kind is None else {"signal_kind": kind}
        text = said(at=60, distance=Distance(0.5, "place", {}), facts=facts)
        assert ("Only one channel" in text) == (kind == "real")

    def test_what_the_file_says_goes_before_guesses(self):
        text = said(at=60, facts={"echo_time": 150.0})
        assert "echo_time=150 as the file says." in text
        assert "pulse" not in text

    def test_a_time_that_was_given_is_not_asked_for(self):
        assert said(at=60, echo_time=60).endswith("(p = 0.01).")

    @pytest.mark.parametrize(("width", "is_told"), [(30.0, True), (150.0, False)])
    def test_what_is_longer_than_tau_is_no_echo_that_stands_elsewhere(self, width, is_told):
        odd = "The echo is 9 times wider than almost any simulated"
        text = said(at=150, n_time=3000, width=width, odd=odd)
        assert text.startswith(odd)
        assert ("give its time" in text) == is_told


def test_reasons_of_a_command_name_its_options():
    record = {"reason": "If 2τ is not near 60 µs of the record, give its time: echo_time=200."}
    (file,) = in_options({"files": [{"refused": None, "records": [record]}]})["files"]
    assert file["records"][0]["reason"].endswith("give its time: --echo-time 200.")
