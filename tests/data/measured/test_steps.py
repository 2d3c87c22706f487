"""The log of steps: plain in the attributes, the same objects when it is read again."""

import json

import numpy as np
import pytest
import xarray as xr

from latent_nmr.data.measured.steps import Step, steps_of, with_steps

FIRST = Step("phase", "Turned the phase by 0.5 rad.", {"angle": np.float64(0.5)})
SECOND = Step("crop", "Kept 3 samples.", {"samples": np.arange(3)})


def test_steps_come_back_in_their_order():
    dataset = with_steps(with_steps(xr.Dataset(), FIRST), SECOND)
    assert steps_of(dataset) == [FIRST, SECOND]


def test_the_log_is_what_json_holds():
    log = with_steps(xr.Dataset(), FIRST, SECOND).attrs["steps"]
    assert json.loads(json.dumps(log)) == log
    assert log[1] == {"name": "crop", "detail": "Kept 3 samples.", "values": {"samples": [0, 1, 2]}}


def test_a_further_step_leaves_the_given_data_set_alone():
    before = with_steps(xr.Dataset(), FIRST)
    with_steps(before, SECOND)
    assert steps_of(before) == [FIRST]


def test_a_step_reads_as_its_sentence_and_cannot_be_changed():
    assert str(FIRST) == "Turned the phase by 0.5 rad."
    with pytest.raises(AttributeError):
        FIRST.detail = "Nothing."


def test_values_without_a_place_in_json_are_refused():
    with pytest.raises(TypeError, match="no place in JSON"):
        Step("phase", "Turned.", {"angle": 1j})
