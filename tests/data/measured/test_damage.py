"""Damaged files: one error and no other, or the curve that was written."""

from collections import Counter

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.data.measured.reading import AGREEMENT
from tests.data.measured import mutations, writers


def is_prefix(found, expected):
    """Whether a record is the beginning of another on the same times."""
    n = found.sizes["time"]
    if n >= expected.sizes["time"]:
        return False
    return np.array_equal(found.signal, expected.signal[:, :n])


def outcome(path, expected):
    """What opening a damaged file gave: refused, same, values, or a wrong curve."""
    try:
        found = ln.open_measurement(path)
    except ln.EchoFileError as error:
        return "refused" if error.reason and error.cure else "wrong"
    names = [step["name"] for step in found.attrs["steps"]]
    n_points = expected.sizes["time"]
    if found.format == "text" and is_prefix(found, expected):
        return "cut text"  # a table does not say how long it is
    if found.sizes["time"] > n_points and "blanked" in names:
        # Bruker's rows are filled with zeros, which TD may count in.
        assert not found.signal[:, n_points:].any()
        found = found.isel(time=slice(n_points))
    # Both entries of a header agree to this.
    scale = found.time[1] - found.time[0], expected.time[1] - expected.time[0]
    if found.signal.shape != expected.signal.shape or not np.isclose(*scale, rtol=2 * AGREEMENT):
        return "wrong"
    assert np.isfinite(found.signal).all()
    return "same" if np.array_equal(found.signal, expected.signal) else "values"


def damaged(tmp_path, kind, seeds):
    """Outcomes of damage by every seed."""
    write, name, n_records = writers.WRITERS[kind]
    signal = writers.echoes(n_records)
    expected = ln.open_measurement(write(tmp_path / name, signal)).load()
    found = {}
    for seed in seeds:
        folder = tmp_path / f"damaged-{seed}"
        folder.mkdir()
        path = write(folder / name, signal)
        how = mutations.damage(path, seed)
        found[seed, how] = outcome(path, expected)
    return found


@pytest.mark.parametrize("kind", writers.WRITERS)
def test_seven_damaged_files_give_one_error_or_the_curve(tmp_path, kind):
    found = damaged(tmp_path, kind, range(7))
    assert "wrong" not in found.values(), found
    assert "refused" in found.values()


@pytest.mark.slow
@pytest.mark.parametrize("kind", writers.WRITERS)
def test_a_hundred_and_twelve_damaged_files_give_one_error_or_the_curve(tmp_path, kind):
    found = damaged(tmp_path, kind, [*range(7, 14), *range(1000, 1105)])
    print(kind, dict(Counter(found.values())))
    assert "wrong" not in found.values(), found
