"""The held-out part: disjoint, whole, stratified, repeatable."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latent_nmr.analysis.split import hold_out
from latent_nmr.errors import InputError

KERNELS = np.array(["gaussian", "power", "rkky"])


class TestSplit:
    """Rows in two parts."""

    @given(st.integers(3, 60), st.floats(0.1, 0.6), st.integers(0, 2**32 - 1))
    def test_every_row_is_in_exactly_one_part_in_rising_order(self, n_each, fraction, seed):
        kernel = np.tile(KERNELS, n_each)
        if not 3 <= np.ceil(fraction * len(kernel)) <= len(kernel) - 3:
            return
        split = hold_out(len(kernel), kernel, fraction=fraction, random_state=seed)
        assert sorted([*split.fitted, *split.held_out]) == list(range(len(kernel)))
        assert all((np.diff(part) > 0).all() for part in split)

    @given(st.integers(5, 60), st.integers(0, 1000))
    def test_each_kernel_keeps_its_share_to_within_one_curve(self, n_each, seed):
        kernel = np.repeat(KERNELS, [n_each, 2 * n_each, 3 * n_each])
        held_out = kernel[hold_out(len(kernel), kernel, fraction=0.2, random_state=seed).held_out]
        for name, n_curves in zip(KERNELS, (n_each, 2 * n_each, 3 * n_each), strict=True):
            assert abs((held_out == name).sum() - 0.2 * n_curves) < 2

    def test_a_seed_decides_the_split(self):
        first, again, other = (
            hold_out(90, np.tile(KERNELS, 30), random_state=seed) for seed in (0, 0, 1)
        )
        assert (first.held_out == again.held_out).all()
        assert not (first.held_out == other.held_out).all()

    def test_a_kernel_may_be_any_kind_of_string(self):
        plain = np.tile(KERNELS, 30)
        for kind in (object, np.dtypes.StringDType()):
            split = hold_out(90, plain.astype(kind))
            assert (split.held_out == hold_out(90, plain).held_out).all()

    def test_without_labels_the_share_holds(self):
        assert len(hold_out(50, None, fraction=0.2).held_out) == 10


class TestMessages:
    """What cannot be split."""

    def test_a_lonely_kernel_is_named(self):
        kernel = np.array(["power"] * 20 + ["rkky"])
        with pytest.raises(InputError, match=r"at least 2 curves.*rkky has 1\. Use more"):
            hold_out(21, kernel)

    @pytest.mark.parametrize("fraction", [0, 1, 1.5, float("nan"), "0.2"])
    def test_a_fraction_must_leave_both_parts(self, fraction):
        with pytest.raises(InputError, match=r"fraction must be .* but is"):
            hold_out(30, None, fraction=fraction)

    def test_too_few_curves_for_a_part_of_every_kernel(self):
        with pytest.raises(InputError, match="every kernel in both parts, but there are 6 curves"):
            hold_out(6, np.tile(KERNELS, 2), fraction=0.2)
