"""Checks of what a model.json says, before anything is made of it.

JSON is read strictly: no key twice, no NaN or infinity, no more objects than a card can need. All
checks raise `ValueError` or its kin; who calls them says which file it was.
"""

import json
import math
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from latent_nmr.errors import check_count
from latent_nmr.models.networks import Architecture
from latent_nmr.models.training import EpochRecord

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


def check_vector(values: Any, length: int) -> npt.NDArray[np.float64]:
    """Return a list of finite numbers, of the given length, as a vector."""
    if not isinstance(values, list) or len(values) != length or not all(map(_is_number, values)):
        raise ValueError(f"expected {length} finite numbers")
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


def check_history(entries: Any, n_components: int) -> list[EpochRecord]:
    """Return the records of epochs 1 to n."""
    if not isinstance(entries, list) or not entries:
        raise ValueError("history must be a list of epochs")
    records = [_record(entry, n_components) for entry in entries]
    if [record.epoch for record in records] != list(range(1, len(records) + 1)):
        raise ValueError("history must count its epochs from 1")
    return records


def check_parameters(parameters: Any, architecture: Architecture) -> dict[str, Any]:
    """Return constructor arguments, of kinds that have no code, that agree with the layers."""
    parameters = dict(check_object("parameters", parameters))
    sizes = parameters.get("hidden_layer_sizes")
    if isinstance(sizes, list):  # JSON knows no tuples
        parameters["hidden_layer_sizes"] = tuple(sizes)
        if parameters["hidden_layer_sizes"] != architecture.hidden_layer_sizes:
            raise ValueError("parameters name other hidden_layer_sizes than the card")
    elif sizes is not None:
        raise TypeError("hidden_layer_sizes must be null or a list")
    if parameters.get("n_components") != architecture.n_components:
        raise ValueError("parameters name another n_components than the card")
    for name, value in parameters.items():
        if isinstance(value, str):
            check_word(name, value)
        elif name != "hidden_layer_sizes" and isinstance(value, dict | list):
            raise TypeError(f"the parameter {brief(name)} must be a number or a word")
    seed = parameters.get("random_state")
    if seed is not None:
        check_count("random_state", seed, at_least=0, at_most=2**32 - 1)
    return parameters


def check_architecture(card: Mapping[str, Any]) -> Architecture:
    """Return the sizes of the layers, bounded before anything of that size is made."""
    hidden = card["hidden_layer_sizes"]
    if not isinstance(hidden, list) or not 1 <= len(hidden) <= MAX_LAYERS:
        raise ValueError(f"hidden_layer_sizes must be a list of 1 to {MAX_LAYERS} numbers")
    architecture = Architecture(
        check_count("n_features", card["n_features"]),
        tuple(check_count("hidden_layer_sizes", size) for size in hidden),
        check_count("n_components", card["n_components"]),
    )
    n_weights = sum(map(math.prod, weight_shapes(architecture).values()))
    if n_weights > MAX_WEIGHTS:
        raise ValueError(f"the layers would hold {n_weights} weights")
    return architecture


def weight_shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Shape of every weight by dotted name, from arithmetic alone.

    Tracing the network for them takes seconds where a damaged card names many layers.
    """
    n_features, hidden = architecture.n_features, architecture.hidden_layer_sizes
    n_latent = architecture.n_components
    layers = {f"encoder.layers.{i}": pair for i, pair in enumerate(pairwise((n_features, *hidden)))}
    layers |= dict.fromkeys(("mean_head", "log_variance_head"), (hidden[-1], n_latent))
    mirrored = (n_latent, *hidden[::-1])
    layers |= {f"decoder.layers.{i}": pair for i, pair in enumerate(pairwise(mirrored))}
    layers["output"] = (hidden[0], n_features)
    shapes: dict[str, tuple[int, ...]] = {}
    for name, (n_in, n_out) in layers.items():
        shapes |= {f"{name}.kernel": (n_in, n_out), f"{name}.bias": (n_out,)}
    return shapes


def brief(value: object) -> str:
    """At most 80 characters about an error or a value, on one line."""
    text = f"{type(value).__name__}: {value}" if isinstance(value, Exception) else repr(value)
    return text.splitlines()[0][:80]


def _row_numbers(values: Any) -> Rows:
    # In Python a truth value is an integer too; here it is none.
    if not isinstance(values, list) or not all(type(row) is int and row >= 0 for row in values):
        raise ValueError("rows must be whole numbers of at least 0")
    return np.array(values, np.int64)


def _record(entry: Any, n_components: int) -> EpochRecord:
    """One epoch: its number, and finite numbers or null, one or one per axis."""
    check_keys("an epoch", entry, EpochRecord._fields)
    values: dict[str, Any] = {"epoch": check_count("epoch", entry["epoch"])}
    for name in EpochRecord._fields[1:]:
        value = entry[name]
        if name.endswith("_per_axis"):
            if not isinstance(value, list) or len(value) != n_components:
                raise ValueError(f"{name} must be a list of {n_components} numbers")
            values[name] = tuple(_number_or_nan(name, axis) for axis in value)
        else:
            values[name] = _number_or_nan(name, value)
    return EpochRecord(**values)


def _number_or_nan(name: str, value: Any) -> float:
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
