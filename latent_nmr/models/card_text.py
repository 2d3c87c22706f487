"""The text of a model card: values as JSON can hold them, one entry a line.

Losses that are not finite are written as null and read as NaN: JSON knows only finite numbers.
"""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from latent_nmr._json import json_value


def to_text(entries: Mapping[str, Any]) -> str:
    """JSON with a line for every entry and for every entry of an entry, and no longer."""
    return "{\n" + ",\n".join(_line(k, v, _inner) for k, v in entries.items()) + "\n}\n"


def finite_or_null(value: Any) -> Any:
    """Put None for numbers that are not finite, also inside of mappings and sequences."""
    if isinstance(value, Mapping):
        return {key: finite_or_null(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite_or_null(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def plain(value: Any) -> Any:
    """Turn arrays and their scalars, tuples and paths into what JSON can hold."""
    return json_value(value, other=str, any_key=True)


def _inner(value: Any) -> str:
    if not isinstance(value, dict) or not value:
        return _dump(value)
    return "{\n " + ",\n ".join(_line(k, v, _dump) for k, v in value.items()) + "\n }"


def _line(key: str, value: Any, dump: Callable[[Any], str]) -> str:
    return f" {_dump(key)}: {dump(value)}"


def _dump(value: Any) -> str:
    return json.dumps(plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
