"""Checks at the door: what they let through, and what their messages say."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from latent_nmr.errors import InputError, NumericalError, check_choice, check_count, check_number

finite = st.floats(allow_nan=False, allow_infinity=False)


def is_refused(check, *arguments, **rules):
    """Whether the check raises; its message must hold the name and the value it was given."""
    message = None
    try:
        check(*arguments, **rules)
    except InputError as error:
        message = str(error)
    if message is None:
        return False
    name, value = arguments[:2]
    assert message.startswith(f"{name} must be ")
    assert f"but is {value!r}. " in message
    return True


class TestErrorTypes:
    """Errors that callers outside the package can catch by their usual names."""

    def test_bad_input_is_a_value_error_and_a_failed_computation_an_arithmetic_error(self):
        assert issubclass(InputError, ValueError)
        assert issubclass(NumericalError, ArithmeticError)


class TestChoice:
    """One of a few words."""

    def test_a_choice_is_returned(self):
        assert check_choice("window", "full", ["echo", "full"]) == "full"

    def test_a_generator_of_choices_will_do(self):
        with pytest.raises(InputError, match=r"one of echo, full, but is 'half'"):
            check_choice("window", "half", (word for word in ("echo", "full")))

    @pytest.mark.parametrize("typed", ["gausian", "Gaussian", "gauss"])
    def test_a_near_match_is_suggested(self, typed):
        with pytest.raises(
            InputError,
            match=rf"likelihood must be one of gaussian, bernoulli, but is '{typed}'. "
            r"Did you mean 'gaussian'\?$",
        ):
            check_choice("likelihood", typed, ("gaussian", "bernoulli"))

    @pytest.mark.parametrize("typed", ["poisson", "", None, 3, ["x"]])
    def test_anything_else_gets_the_list_once(self, typed):
        with pytest.raises(
            InputError, match=r"one of gaussian, bernoulli, but is .*\. Choose one of these\.$"
        ):
            check_choice("likelihood", typed, ("gaussian", "bernoulli"))

    @given(st.text(max_size=12), st.lists(st.text(max_size=6), min_size=1, max_size=4))
    def test_only_a_choice_passes(self, value, choices):
        assert is_refused(check_choice, "word", value, choices) == (value not in choices)


class TestNumber:
    """A finite number inside bounds."""

    @given(finite, finite, finite, finite)
    def test_it_passes_exactly_inside_its_bounds(self, value, above, at_least, at_most):
        inside = value > above and value >= at_least and value <= at_most
        rules = {"above": above, "at_least": at_least, "at_most": at_most}
        for bound in (at_least, at_most):
            assume(value == bound or abs(value - bound) > max(1e-5 * abs(bound), 1e-14))
        assert is_refused(check_number, "beta", value, **rules) != inside

    @given(
        bound=st.floats(2**-20, 2**20, width=32),
        kind=st.sampled_from([float, np.float64, np.float32]),
        n_ulps=st.integers(1, 8),
        side=st.sampled_from(["at_least", "at_most"]),
    )
    def test_beyond_a_bound_by_rounding_is_the_bound(self, bound, kind, n_ulps, side):
        bound, away = kind(bound), {"at_least": -1, "at_most": 1}[side]
        value = kind(bound + away * n_ulps * np.spacing(bound))
        assert value != bound
        assert check_number("beta", value, **{side: float(bound)}) == float(bound)
        far = kind(bound * (1 + away * 1e-4))
        assert is_refused(check_number, "beta", far, **{side: float(bound)})
        # An open end has no rounding: every number beyond it is another one.
        assert is_refused(check_number, "beta", bound, above=float(bound))

    @pytest.mark.parametrize("left", [1 - 0.9 - 0.1, 0.3 - 0.1 - 0.2, -5e-324])
    def test_what_arithmetic_leaves_of_zero_is_zero(self, left):
        assert left < 0
        assert check_number("beta", left, at_least=0) == 0
        assert is_refused(check_number, "beta", -1e-12, at_least=0)
        assert is_refused(check_number, "beta", left, above=0)

    @given(finite)
    def test_without_bounds_every_finite_number_comes_back_unchanged(self, value):
        assert check_number("beta", value) == value

    @pytest.mark.parametrize(
        "value", [2, np.float32(2), np.int64(2), np.array(2.0), Decimal(2), Fraction(2)]
    )
    def test_any_kind_of_number_becomes_a_float(self, value):
        number = check_number("beta", value)
        assert type(number) is float
        assert number == 2

    @pytest.mark.parametrize(
        "value",
        [math.nan, math.inf, -math.inf, "2", b"2", True, None, 2j, [2.0]],
    )
    def test_what_is_no_finite_number_is_refused(self, value):
        assert is_refused(check_number, "beta", value)

    def test_a_whole_number_beyond_all_floats_is_refused(self):
        assert is_refused(check_number, "beta", 10**400)

    @pytest.mark.parametrize("value", [np.array([1.0, 2.0]), np.array([[1, 2]])])
    def test_an_array_is_no_number(self, value):
        assert is_refused(check_number, "beta", value)

    @pytest.mark.parametrize(
        ("rules", "rule"),
        [
            ({"above": 0}, "> 0"),
            ({"at_least": 0}, ">= 0"),
            ({"at_most": 1}, "<= 1"),
            ({"above": 0, "at_most": 0.5}, "> 0 and <= 0.5"),
            ({"above": 0, "unit": "MHz"}, "> 0 MHz"),
            ({}, "a finite number"),
        ],
    )
    def test_the_message_states_the_rule_and_the_cure(self, rules, rule):
        with pytest.raises(InputError) as caught:
            check_number("width", math.nan, **rules)
        assert str(caught.value) == f"width must be {rule}, but is nan. Give a finite number."

    @pytest.mark.parametrize(
        ("value", "cure"),
        [
            (0, "Raise it."),
            (-1, "Raise it."),
            (3, "Lower it."),
            (math.inf, "Give a finite number."),
            ("2", "Give a finite number."),
        ],
    )
    def test_the_cure_is_no_second_rule(self, value, cure):
        with pytest.raises(InputError) as caught:
            check_number("width", value, above=0, at_most=2)
        assert str(caught.value) == f"width must be > 0 and <= 2, but is {value!r}. {cure}"

    def test_a_cure_of_the_caller_is_used(self):
        with pytest.raises(InputError, match=r"must be > 0, but is -1\. Use 0\.02\.$"):
            check_number("scale", -1, above=0, cure="Use 0.02.")


class TestCount:
    """A whole number inside bounds."""

    @given(st.integers(), st.integers(), st.none() | st.integers())
    def test_it_passes_exactly_inside_its_bounds(self, value, at_least, at_most):
        inside = value >= at_least and (at_most is None or value <= at_most)
        rules = {"at_least": at_least, "at_most": at_most}
        assert is_refused(check_count, "patience", value, **rules) != inside

    @pytest.mark.parametrize("value", [7, np.int32(7), np.uint8(7), np.array(7)])
    def test_any_kind_of_whole_number_becomes_an_int(self, value):
        count = check_count("patience", value)
        assert type(count) is int
        assert count == 7

    @pytest.mark.parametrize("value", [7.0, "7", True, np.True_, None, [7], math.nan])
    def test_what_is_no_whole_number_is_refused(self, value):
        assert is_refused(check_count, "patience", value)

    @pytest.mark.parametrize("value", [np.array([1, 2]), np.array(1.0)])
    def test_an_array_is_no_whole_number(self, value):
        assert is_refused(check_count, "patience", value)

    @pytest.mark.parametrize(
        ("rules", "rule"),
        [
            ({}, "a whole number of at least 1"),
            ({"at_least": 2}, "a whole number of at least 2"),
            ({"at_least": 2, "at_most": 9}, "a whole number of at least 2 and at most 9"),
        ],
    )
    def test_the_message_states_the_rule_and_the_cure(self, rules, rule):
        with pytest.raises(InputError) as caught:
            check_count("steps", 0, **rules)
        cure = f"Raise it to {rules.get('at_least', 1)}."
        assert str(caught.value) == f"steps must be {rule}, but is 0. {cure}"

    @pytest.mark.parametrize(
        ("value", "cure"), [(10, "Lower it to 9."), (2.5, "Give a whole number."), (1, "Raise it")]
    )
    def test_the_cure_is_no_second_rule(self, value, cure):
        with pytest.raises(InputError, match=rf"at most 9, but is {value}\. {cure}"):
            check_count("steps", value, at_least=2, at_most=9)
