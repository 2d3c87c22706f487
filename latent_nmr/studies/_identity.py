"""Digests that identify the inputs of a step: data, settings, and estimators of any origin.

Two inputs share a digest only if they would give the same result: estimators are compared by
class, source, parameters and state, functions by source, defaults and closure. What cannot be
identified gets a digest of its own each time, so that a kept result is never taken for it.
"""

import hashlib
import inspect
import secrets
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

# Packages whose versions decide results.
PACKAGES = ("latent-nmr", "jax", "scikit-learn", "umap-learn", "numpy")
DIGEST_BYTES = 16


def package_versions() -> dict[str, str]:
    """Versions of the packages that results depend on."""
    return {name: version(name) for name in PACKAGES}


def digest_of(*values: Any) -> str:
    """Hexadecimal digest of values of any kind.

    Parameters
    ----------
    *values
        Numbers, text, arrays, mappings, sequences, functions, estimators.

    Returns
    -------
    str
        32 characters.
    """
    hasher = hashlib.blake2b(digest_size=DIGEST_BYTES)
    _add(hasher, values, ())
    return hasher.hexdigest()


def _add(hasher: Any, value: Any, above: tuple[int, ...]) -> None:
    """Feed a value to the hash; `above` are the containers that it lies in."""
    if id(value) in above:
        hasher.update(f"circle {above.index(id(value))};".encode())
        return
    within = (*above, id(value))
    hasher.update(f"{type(value).__module__}.{type(value).__qualname__}:".encode())
    if value is None or isinstance(value, bool | int | float | complex | str | bytes | Path):
        hasher.update(repr(value).encode())
    elif isinstance(value, np.ndarray) and not value.dtype.hasobject:
        hasher.update(f"{value.dtype.str}{value.shape}".encode())
        hasher.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, Mapping):
        for key in sorted(value, key=repr):
            _add(hasher, key, within)
            _add(hasher, value[key], within)
    elif isinstance(value, set | frozenset):
        for digest in sorted(digest_of(item) for item in value):
            hasher.update(digest.encode())
    elif isinstance(value, list | tuple | range):
        for item in value:
            _add(hasher, item, within)
    elif isinstance(value, np.ndarray):
        _add(hasher, value.tolist(), within)
    else:
        _add_object(hasher, value, within)
    hasher.update(b";")


def _add_object(hasher: Any, value: Any, within: tuple[int, ...]) -> None:
    """Feed an object that is no plain value."""
    if isinstance(value, FunctionType):
        cells = [_contents(cell) for cell in value.__closure__ or ()]
        names = value.__code__.co_names
        used = {n: value.__globals__[n] for n in names if n in value.__globals__}
        settings = {n: v for n, v in used.items() if not callable(v) and not _is_module(v)}
        parts = (value.__qualname__, _source(value), value.__defaults__, value.__kwdefaults__)
        _add(hasher, (*parts, cells, settings), within)
    elif isinstance(value, MethodType):
        _add(hasher, (value.__func__, value.__self__), within)
    elif isinstance(value, type):
        _add(hasher, (value.__module__, value.__qualname__, _source(value)), within)
    elif isinstance(value, ModuleType | BuiltinFunctionType):
        hasher.update(repr(value.__name__).encode())
    else:
        _add_state(hasher, value, within)


def _add_state(hasher: Any, value: Any, within: tuple[int, ...]) -> None:
    """Feed all that a copy of an object would be made from."""
    try:
        reduced = value.__reduce_ex__(4)
    except Exception:  # whatever an object of another package raises
        hasher.update(secrets.token_bytes(DIGEST_BYTES))
        return
    if isinstance(reduced, str):
        hasher.update(reduced.encode())
        return
    maker, arguments, *states = reduced
    # Items of a list or of a mapping come as iterators.
    parts = [list(part) if isinstance(part, Iterator) else part for part in states]
    _add(hasher, (maker.__module__, maker.__qualname__, arguments, parts), within)


def _is_module(value: Any) -> bool:
    return isinstance(value, ModuleType)


def _contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # of a name that is not bound yet
        return None


def _source(value: Any) -> Any:
    """Source text; compiled code where there is none, as for what is typed into a session."""
    try:
        return inspect.getsource(value)
    except (OSError, TypeError):
        code = getattr(value, "__code__", None)
        if code is not None:
            return code.co_code, [c for c in code.co_consts if not hasattr(c, "co_code")]
        methods = {n: v for n, v in vars(value).items() if isinstance(v, FunctionType)}
        return {name: _source(method) for name, method in methods.items()}
