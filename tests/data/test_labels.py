"""Labels of data sets: materials that are not to be parted."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from latent_nmr.data.labels import whole_cuts


def parts_none(materials, n):
    return not set(materials[:n].tolist()) & set(materials[n:].tolist())


@given(st.lists(st.integers(0, 4), min_size=1, max_size=12), st.data())
def test_the_nearest_cuts_that_part_no_material_are_found(materials, data):
    materials = np.array(materials)
    n = data.draw(st.integers(1, len(materials)))
    whole = [m for m in range(1, len(materials) + 1) if parts_none(materials, m)]
    below, above = [m for m in whole if m <= n], [m for m in whole if m >= n]
    assert whole_cuts(materials, n) == sorted({*below[-1:], *above[:1]})


def test_materials_may_have_names():
    assert whole_cuts(np.array(["a", "a", "b", "b", "b"]), 4) == [2, 5]
