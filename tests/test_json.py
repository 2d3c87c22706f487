"""Values on their way into JSON: NumPy's numbers and arrays, and what is refused."""

import datetime as dt
import json

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays, boolean_dtypes, floating_dtypes, integer_dtypes

from latent_nmr._files import write_json
from latent_nmr._json import json_value, python_scalar
from latent_nmr.errors import check_number
from latent_nmr.studies._ledger import Ledger
from latent_nmr.studies._result import StudyResult, as_records, record

NUMBERS = boolean_dtypes() | integer_dtypes() | floating_dtypes(sizes=(16, 32, 64))
ARRAYS = arrays(NUMBERS, st.lists(st.integers(0, 2), max_size=2).map(tuple)).filter(
    lambda array: np.isfinite(array).all()
)
# Plain values beside the same with NumPy's types, nested; those drop a NUL at the end of a text.
PAIRS = st.recursive(
    ARRAYS.map(lambda array: (array.tolist(), array))
    | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=3).map(
        lambda text: (text, np.str_(text))
    ),
    lambda inner: (
        st.lists(inner, max_size=3).map(
            lambda pairs: ([p for p, _ in pairs], [n for _, n in pairs])
        )
        | st.dictionaries(st.sampled_from("abc"), inner).map(
            lambda pairs: (
                {key: p for key, (p, _) in pairs.items()},
                {np.str_(key): n for key, (_, n) in pairs.items()},
            )
        )
    ),
    max_leaves=6,
)

SAME = [
    (np.int64(3), 3),
    (np.float32(0.1), float(np.float32(0.1))),
    (np.bool_(True), True),
    (np.array(5), 5),
    (np.array(["a", "b"], np.dtypes.StringDType()), ["a", "b"]),
    (np.array([np.int8(1), "a", None], object), [1, "a", None]),
    (np.longdouble(0.5), 0.5),
    (jnp.arange(2), [0, 1]),
    (pd.Series([1.5, 2.0]), [1.5, 2.0]),
    ((1, (np.uint8(2),)), [1, [2]]),
]
REFUSED = [
    np.datetime64("2020-01-01", "ns"),
    np.array([1], "timedelta64[ns]"),
    dt.date(2020, 1, 1),
    np.complex64(1j),
    b"x",
    {1, 2},
    {1: 2},
    np.ma.masked_array([1, 2], [0, 1]),
    np.longdouble(1) / 3,
    np.array([{1}], object),
    "\ud800",
]


@given(pair=PAIRS)
def test_numpy_values_of_any_nesting_are_those_of_python(pair):
    plain, numpy = pair
    found = json_value(numpy)
    assert found == plain
    assert json.loads(json.dumps(found)) == plain


@pytest.mark.parametrize(("value", "plain"), SAME, ids=repr)
def test_a_number_keeps_its_kind_and_value(value, plain):
    found = json_value(value)
    assert (found, type(found)) == (plain, type(plain))


@pytest.mark.parametrize("value", REFUSED, ids=repr)
def test_what_json_would_change_is_refused(value):
    with pytest.raises((TypeError, ValueError)):
        json_value([value])


@pytest.mark.parametrize(("value", "plain"), SAME, ids=repr)
def test_every_writer_of_json_takes_it(tmp_path, value, plain):
    write_json(tmp_path / "a.json", {"x": value})
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == {"x": plain}
    StudyResult.study = "test"
    rows = as_records([record("test", score="R²", value=np.float32(1))])
    StudyResult(rows, {"x": value}).save(tmp_path / "result")
    assert StudyResult.load(tmp_path / "result").facts == {"x": plain}
    ledger = Ledger(tmp_path, {"data": 0})
    assert ledger.take({"x": value}, lambda: value) == plain
    assert ledger.has({"x": plain})
    assert ledger.take_arrays({"y": value}, lambda: {"a": np.ones(1)})["a"] == 1


@pytest.mark.parametrize("value", [np.array(2), np.int16(2), jnp.asarray(2)], ids=repr)
def test_a_scalar_becomes_a_python_number(value):
    assert type(python_scalar(value)) is int


@pytest.mark.parametrize("value", [np.bool_(True), np.complex128(1), np.timedelta64(1), True])
def test_truth_values_complex_numbers_and_times_are_no_numbers(value):
    with pytest.raises(ValueError, match="x must be"):
        check_number("x", value)
