"""Tops of echoes: rows centred on them, whatever their gain."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latent_nmr._echo_top import HEADROOM, REACH, centred, find_top, over_height, smoothed_rows

N_SAMPLES = 400


def echo_at(sample, width=40.0, n_samples=N_SAMPLES):
    return np.exp(-(((np.arange(n_samples) - sample) / width) ** 2))[None]


@given(st.integers(-REACH, REACH), st.floats(0.01, 100))
@settings(max_examples=30, deadline=None)
def test_the_top_moves_with_the_echo_and_the_height_with_its_gain(shift, gain):
    middle = N_SAMPLES // 2
    top, moved = find_top(echo_at(middle)), find_top(gain * echo_at(middle + shift))
    assert int(top.sample[0]) == middle
    assert int(moved.sample[0]) == middle + shift
    # A window's ends cut the mean of the farthest tops: by exp(-(140/40)²) at most.
    assert float(moved.height[0]) == pytest.approx(gain * float(top.height[0]), rel=1e-4)


@given(st.integers(-REACH, REACH), st.floats(0.01, 100))
@settings(max_examples=30, deadline=None)
def test_centred_rows_depend_on_neither_place_nor_gain(shift, gain):
    middle = 500
    record = echo_at(middle, n_samples=1000)
    other = gain * echo_at(middle + shift, n_samples=1000)
    rows = []
    for own in (record, other):
        top = find_top(own[:, 300:700])
        row, inside = centred(own, top.sample + 300, N_SAMPLES)
        assert inside.all()
        rows.append(over_height(row, top.height))
    np.testing.assert_allclose(rows[0], rows[1], rtol=1e-9)
    assert 0.9 * HEADROOM < rows[0].max() <= 1


def test_samples_that_were_not_measured_neither_hold_the_top_nor_lower_it():
    row = np.full((1, N_SAMPLES), 2.0)
    row[:, :150] = 1e6
    measured = np.arange(N_SAMPLES)[None] >= 150
    smooth = smoothed_rows(row, measured)
    np.testing.assert_allclose(smooth[measured], 2.0)
    top = find_top(row, measured)
    assert int(top.sample[0]) >= 150
    assert float(top.height[0]) == pytest.approx(2.0)


@given(st.integers(-REACH, REACH))
@settings(max_examples=20, deadline=None)
def test_the_top_is_looked_for_about_the_middle_that_is_given(shift):
    # Two echoes: the higher one is beyond reach of one middle, and not of the other.
    middle = N_SAMPLES // 2
    rows = echo_at(middle, width=15) + 2 * echo_at(middle + REACH + 30, width=15)
    rows = np.concatenate([rows, rows])
    about = np.array([middle, middle + REACH + 30 + shift])
    assert find_top(rows, middle=about).sample.tolist() == [middle, middle + REACH + 30]
    one, moved = find_top(rows[:1]), find_top(rows[:1], middle=np.array([middle]))
    assert one.sample == moved.sample


def test_what_lies_beyond_a_record_is_nought_and_marked():
    row, inside = centred(np.ones((1, 10)), np.array([2]), 10)
    assert row[0].tolist() == [0, 0, 0, 1, 1, 1, 1, 1, 1, 1]
    assert inside[0].tolist() == [False] * 3 + [True] * 7


def test_numpy_and_jax_find_the_same_tops_and_rows():
    rng = np.random.default_rng(0)
    rows = (echo_at(215) + 0.05 * rng.normal(size=(6, N_SAMPLES))).astype(np.float32)
    measured = rng.random(rows.shape) > 0.3
    ours, theirs = find_top(rows, measured), find_top(jnp.asarray(rows), jnp.asarray(measured))
    np.testing.assert_array_equal(ours.sample, theirs.sample)
    # Sums of 400 float32 numbers.
    np.testing.assert_allclose(ours.height, theirs.height, rtol=400 * 1.2e-7)
    np.testing.assert_array_equal(
        centred(rows, ours.sample, N_SAMPLES)[0],
        centred(jnp.asarray(rows), theirs.sample, N_SAMPLES)[0],
    )
