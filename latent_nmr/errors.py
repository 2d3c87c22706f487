"""Errors and warnings for the user, and the input validation that raises them.

Every message has four parts: the name, the rule, the offending value and the remedy.
"""

import difflib
import math
import operator
from collections.abc import Iterable, Sequence

# Units in the last place by which a number may leave a range: results of arithmetic do.
ROUNDINGS = 16
# Relative, of single precision, through which numbers often come.
ROUNDING = ROUNDINGS * 2.0**-23
# What arithmetic with numbers of up to 1 in double precision leaves of 0.
ROUNDING_AT_0 = ROUNDINGS * 2.0**-52


class InputError(ValueError):
    """What the user gave cannot be used; a command ends with exit code 2.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> try:
    ...     ln.simulate("papper", 3)
    ... except ln.InputError as error:
    ...     print(error)
    preset must be one of paper, ..., but is 'papper'. Did you mean 'paper'?
    """


class EchoFileError(InputError):
    """A measured file is damaged or holds nothing that can be used as echoes.

    Parameters
    ----------
    path : path-like
        The file or folder.
    reason : str
        Rule and offending value.
    cure : str
        What to do about it.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> try:
    ...     ln.open_measurement("absent.tnt")
    ... except ln.EchoFileError as error:
    ...     print(error.reason)
    it must be a file or a folder, but there is nothing
    """

    def __init__(self, path: object, reason: str, cure: str):
        super().__init__(path, reason, cure)
        self.path = str(path)
        self.reason = reason
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}. {self.cure}"


class CuredError(InputError):
    """An error whose cure a command says in words of its own.

    Parameters
    ----------
    statement : str
        Name, rule and offending value, whole sentences.
    cure : str
        What to do about it in Python.
    """

    def __init__(self, statement: str, cure: str, *more: object):
        super().__init__(statement, cure, *more)
        self.statement, self.cure = statement, cure

    def __str__(self) -> str:
        return f"{self.statement} {self.cure}"


class ProtocolsError(CuredError):
    """Data have other protocols than what they are given to.

    Parameters
    ----------
    statement : str
        Name, rule and offending value, whole sentences.
    cure : str
        What to do about it in Python.
    names : sequence of str
        Protocols of the data to select, in that order; none where that is no help.
    is_one_of : bool
        Whether one of them is to be selected, and which is not known.
    """

    def __init__(
        self, statement: str, cure: str, names: Sequence[str] = (), is_one_of: bool = False
    ):
        super().__init__(statement, cure, tuple(names), is_one_of)
        self.names, self.is_one_of = tuple(names), is_one_of


class RepeatsError(CuredError):
    """Data have no repeats where something is learned from them."""


class NumericalError(ArithmeticError):
    """A computation left the finite numbers; a command ends with exit code 3.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> issubclass(ln.NumericalError, ArithmeticError)
    True
    """


class AxisWarning(UserWarning):
    """A latent axis is weak or collapsed: the model uses fewer axes than it has.

    Examples
    --------
    >>> import warnings
    >>> import latent_nmr as ln
    >>> warnings.simplefilter("ignore", ln.AxisWarning)
    """


class RangeWarning(UserWarning):
    """Data lie where a model cannot reach.

    Examples
    --------
    >>> import warnings
    >>> import latent_nmr as ln
    >>> warnings.simplefilter("error", ln.RangeWarning)
    """


class StepWarning(UserWarning):
    """No step of the simulator is short enough for a curve to be as exact as it should be.

    Examples
    --------
    >>> import warnings
    >>> import latent_nmr as ln
    >>> warnings.simplefilter("error", ln.StepWarning)
    """


class StoreWarning(UserWarning):
    """A store has curves that are left out, or nothing by which damage could be noticed.

    Examples
    --------
    >>> import warnings
    >>> import latent_nmr as ln
    >>> warnings.simplefilter("error", ln.StoreWarning)
    """


def nearest(value: object, choices: Iterable[str], otherwise: str) -> str:
    """Ask whether the nearest match was meant; `otherwise` where none of `choices` is near."""
    near = difflib.get_close_matches(str(value), list(choices), n=1)
    return f"Did you mean {near[0]!r}?" if near else otherwise


def check_choice(name: str, value: object, choices: Iterable[str]) -> str:
    """Return `value` if it is one of `choices`, else raise and suggest the nearest match."""
    choices = tuple(choices)
    if isinstance(value, str) and value in choices:
        return value
    cure = nearest(value, choices, "Choose one of these.")
    raise InputError(f"{name} must be one of {', '.join(choices)}, but is {value!r}. {cure}")


def check_number(
    name: str,
    value: object,
    *,
    above: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    unit: str = "",
    cure: str = "",
) -> float:
    """Return `value` as a finite float inside the bounds, or raise.

    A value beyond `at_least` or `at_most` by the rounding of float32 becomes the bound; one below
    0 by that of float64 at 1, as 1 - 0.9 - 0.1 is, becomes 0.
    """
    bounds = [
        (above, ">", lambda x, b: x > b),
        (at_least, ">=", lambda x, b: x >= b),
        (at_most, "<=", lambda x, b: x <= b),
    ]
    rule = " and ".join(f"{sign} {bound:g}" for bound, sign, _ in bounds if bound is not None)
    rule = (rule or "a finite number") + (f" {unit}" if unit else "")
    try:
        # NumPy's truth values are no `bool`, and its complex numbers would lose a part.
        is_other = getattr(getattr(value, "dtype", None), "kind", "f") in "bcmM"
        is_other = is_other or isinstance(value, str | bytes | bool)
        number = math.nan if is_other else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    number = _rounded_into(number, at_least, at_most)
    if math.isfinite(number) and all(holds(number, b) for b, _, holds in bounds if b is not None):
        return number
    if not cure and not math.isfinite(number):
        cure = "Give a finite number."
    elif not cure:
        too_large = at_most is not None and number > at_most
        cure = "Lower it." if too_large else "Raise it."
    raise InputError(f"{name} must be {rule}, but is {value!r}. {cure}")


def _rounded_into(number: float, at_least: float | None, at_most: float | None) -> float:
    """The bound that a number lies beyond by no more than rounding, or the number."""
    slack = ROUNDING * abs(at_least) if at_least else ROUNDING_AT_0
    if at_least is not None and at_least - slack <= number < at_least:
        return float(at_least)
    if at_most is not None and at_most < number <= at_most + ROUNDING * abs(at_most):
        return float(at_most)
    return number


def check_count(name: str, value: object, *, at_least: int = 1, at_most: int | None = None) -> int:
    """Return `value` as an int inside the bounds, or raise."""
    rule = f"a whole number of at least {at_least}"
    if at_most is not None:
        rule += f" and at most {at_most}"
    try:
        number = None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is not None and number >= at_least and (at_most is None or number <= at_most):
        return number
    cure = "Give a whole number."
    if number is not None:
        cure = f"Raise it to {at_least}." if number < at_least else f"Lower it to {at_most}."
    raise InputError(f"{name} must be {rule}, but is {value!r}. {cure}")
