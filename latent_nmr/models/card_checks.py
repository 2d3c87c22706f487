"""Checks of what a model.json says, before anything is made of it.

JSON is read strictly: no key twice, no NaN or infinity, no more objects than a card can need. All
checks raise `ValueError` or its kin; who calls them says which file it was.
"""

import json
import math
from collections.abc import Iterable
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from latent_nmr.errors import check_count

# Bounds that no model of ours comes near, so that a damaged file cannot ask for much time or
# memory: an object of two bytes in the text is one of hundreds when it is read.
MAX_CARD_BYTES = 8 * 2**20
MAX_BRACKETS = 200_000
MAX_WEIGHTS = 10**8
MAX_LAYERS = 64
MAX_WORD = 200
MAX_ROWS = 10**7

# Key of the number of rows; training rows are all those that are not validation rows.
OTHERS = "all_but_validation_of"

Rows = npt.NDArray[np.int64]


def strict_json(raw: bytes) -> Any:
    """Read JSON as its standard says, within the bounds of a card."""
    if len(raw) > MAX_CARD_BYTES:
        raise ValueError(f"{len(raw)} bytes are too many")
    if raw.count(b"[") + raw.count(b"{") > MAX_BRACKETS:
        raise ValueError("too many lists and objects")
    value = json.loads(
        raw.decode("utf-8"),
        parse_float=_finite_number,
        parse_constant=_refuse_constant,
        object_pairs_hook=_each_key_once,
    )
    if b"\\u" in raw:  # half of a surrogate pair can be escaped, but is no character
        json.dumps(value, ensure_ascii=False).encode()
    return value


def check_keys(name: str, value: Any, keys: Iterable[str]) -> None:
    """Refuse what is no object with exactly these keys."""
    strange = set(check_object(name, value)) ^ set(keys)
    if strange:
        raise ValueError(f"{name} lacks or should not have {sorted(strange)}")


def check_object(name: str, value: Any) -> dict[str, Any]:
    """Return an object that was read from JSON."""
    if not isinstance(value, dict):
        raise TypeError(f"{name} must be an object, but is {brief(value)}")
    return value


def check_word(name: str, value: Any) -> str:
    """Return a short string."""
    if not isinstance(value, str) or len(value) > MAX_WORD:
        raise ValueError(f"{name} must be a short text, but is {brief(value)}")
    return value


def check_distinct_words(name: str, values: Any) -> tuple[str, ...]:
    """Return short strings of which no two are equal."""
    if not isinstance(values, list) or not values:
        raise TypeError(f"{name} must be a list of texts, but is {brief(values)}")
    words = tuple(check_word(name, value) for value in values)
    if len(set(words)) < len(words):
        raise ValueError(f"{name} must be distinct")
    return words


def check_vector(values: Any, length: int) -> npt.NDArray[np.float64]:
    """Return a list of finite numbers, of the given length, as a vector."""
    if not isinstance(values, list) or len(values) != length:
        raise ValueError(f"expected {length} finite numbers")
    return check_numbers("a vector", values)


def check_numbers(name: str, values: Any) -> npt.NDArray[np.float64]:
    """Return a list of finite numbers as a vector."""
    if not isinstance(values, list) or not all(map(_is_number, values)):
        raise ValueError(f"{name} must be a list of finite numbers, but is {brief(values)}")
    return np.array([float(value) for value in values], np.float64)


def check_rows(training: Any, validation: Any) -> tuple[Rows, Rows]:
    """Return row numbers of which none occurs twice; packed or not."""
    validation_rows = _row_numbers(validation)
    if isinstance(training, dict):
        check_keys("training_rows", training, [OTHERS])
        n_rows = check_count(OTHERS, training[OTHERS], at_most=MAX_ROWS)
        is_left = np.ones(n_rows, bool)
        if validation_rows.max(initial=0) >= n_rows:
            raise ValueError(f"validation_rows must lie below {n_rows}")
        is_left[validation_rows] = False
        training_rows = np.flatnonzero(is_left)
    else:
        training_rows = _row_numbers(training)
    together = np.concatenate([training_rows, validation_rows])
    if len(np.unique(together)) != len(together):
        raise ValueError("a row must be used once, for training or for validation")
    return training_rows, validation_rows


def pack_rows(training: Rows, validation: Rows) -> dict[str, int] | list[int]:
    """Rows for training as JSON holds them: how many there are in all, where none is left out.

    A list of a million rows would not fit the bounds of a card.
    """
    n_rows = len(training) + len(validation)
    together = np.sort(np.concatenate([training, validation]))
    if n_rows <= MAX_ROWS and np.array_equal(together, np.arange(n_rows)):
        return {OTHERS: n_rows}
    return training.tolist()


def check_layer_sizes(sizes: Any) -> tuple[int, ...]:
    """Return the sizes of the hidden layers."""
    if not isinstance(sizes, list) or not 1 <= len(sizes) <= MAX_LAYERS:
        raise ValueError(f"hidden_layer_sizes must be a list of 1 to {MAX_LAYERS} numbers")
    return tuple(check_count("hidden_layer_sizes", size) for size in sizes)


def check_total(shapes: Iterable[tuple[int, ...]]) -> None:
    """Refuse layers of absurd size, before anything of that size is made."""
    n_weights = sum(map(math.prod, shapes))
    if n_weights > MAX_WEIGHTS:
        raise ValueError(f"the layers would hold {n_weights} weights")


def check_parameters(parameters: Any) -> dict[str, Any]:
    """Return constructor arguments, of kinds that have no code: numbers, words, lists of them."""
    parameters = dict(check_object("parameters", parameters))
    for name, value in parameters.items():
        if isinstance(value, str):
            check_word(name, value)
        elif isinstance(value, list):  # JSON knows no tuples
            if any(isinstance(entry, list | dict) for entry in value):
                raise TypeError(f"the parameter {brief(name)} must be a number, a word or a list")
            parameters[name] = tuple(value)
        elif isinstance(value, dict):
            raise TypeError(f"the parameter {brief(name)} must be a number, a word or a list")
    seed = parameters.get("random_state")
    if seed is not None:
        check_count("random_state", seed, at_least=0, at_most=2**32 - 1)
    return parameters


def brief(value: object) -> str:
    """At most 80 characters about an error or a value, on one line."""
    text = f"{type(value).__name__}: {value}" if isinstance(value, Exception) else repr(value)
    return text.splitlines()[0][:80]


def _row_numbers(values: Any) -> Rows:
    # In Python a truth value is an integer too; here it is none.
    if not isinstance(values, list) or not all(type(row) is int and row >= 0 for row in values):
        raise ValueError("rows must be whole numbers of at least 0")
    return np.array(values, np.int64)


def check_number_or_nan(name: str, value: Any) -> float:
    """Return a finite number, or NaN for null."""
    if value is None:
        return math.nan
    if not _is_number(value):
        raise ValueError(f"{name} must be a finite number or null, but is {brief(value)}")
    return float(value)


def _is_number(value: Any) -> bool:
    """Whether a value read from JSON is a number that a float can hold, and no truth value."""
    if type(value) is int:
        return abs(value) < 2**1023
    return type(value) is float and math.isfinite(value)


def _finite_number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is not a finite number")
    return number


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("an object has a key twice")
    return value
