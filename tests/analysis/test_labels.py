"""Labels in plain types: numbers or text, and what is missing among them."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from latent_nmr.analysis.labels import is_missing, plain_label
from latent_nmr.errors import InputError

DAY = datetime(2020, 1, 1)


class TestPlainLabel:
    """Numbers stay numbers, everything else becomes text."""

    @pytest.mark.parametrize(
        ("given", "found"),
        [
            (np.array([1, 2], np.int16), np.array([1, 2], np.int16)),
            (np.array([1.5, np.nan], np.float32), np.array([1.5, np.nan], np.float32)),
            ([1, None, 2.5], [1.0, np.nan, 2.5]),
            (pd.Series([1, None], dtype="Int64"), [1.0, np.nan]),
            (pd.Series([2.5, 1], dtype=object), [2.5, 1.0]),
            ([True, False], ["True", "False"]),
            (pd.Series(["a", None, "b"], dtype="category"), ["a", "", "b"]),
            (pd.Series(["a", pd.NA], dtype="string"), ["a", ""]),
            (np.array(["a", "b"], np.dtypes.StringDType()), ["a", "b"]),
            (np.array(["a", np.nan], object), ["a", ""]),
            (np.array(["é".encode(), b""]), ["é", ""]),
            ([1, "b"], ["1", "b"]),
            (np.array(["1970-01-02", "NaT"], "M8[s]"), [86400.0, np.nan]),
            (np.array([1500, "NaT"], "m8[ms]"), [1.5, np.nan]),
            ([DAY, None, DAY + timedelta(seconds=2)], [1577836800.0, np.nan, 1577836802.0]),
            (np.array([timedelta(minutes=1), None]), [60.0, np.nan]),
            ([None, None], ["", ""]),
        ],
    )
    def test_of_anything_that_may_hold_labels(self, given, found):
        label = plain_label("x", given)
        assert label.dtype.kind == np.asarray(found).dtype.kind
        np.testing.assert_array_equal(label, found)

    def test_complex_numbers_are_refused(self):
        with pytest.raises(InputError, match=r"x has the type complex128. Convert it"):
            plain_label("x", [1 + 1j, 2])


@pytest.mark.parametrize(
    ("given", "n_missing"),
    [([1.0, np.nan, np.inf, 2], 2), ([1, 2], 0), (["", "a", None], 2), ([True, False], 0)],
)
def test_missing_is_what_is_no_number_and_no_text(given, n_missing):
    assert is_missing(plain_label("x", given)).sum() == n_missing
