"""Digests that identify the inputs of a step: data, settings, and estimators of any origin.

Two inputs share a digest only if they would give the same result. Estimators are compared by
parameters, state and code; code by what the interpreter runs, with the defaults, closures, base
classes and global names that it uses, as long as these are the user's own: code of installed
packages is known by name and version. What cannot be identified gets a digest of its own each
time, so that a kept result is never taken for it.
"""

import hashlib
import inspect
import secrets
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

# Packages whose versions decide results.
PACKAGES = ("latent-nmr", "jax", "scikit-learn", "umap-learn", "numpy")
DIGEST_BYTES = 16
PLAIN = (bool, int, float, complex, str, bytes, Path, type(None), type(Ellipsis))
INSTALLED = tuple(
    Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platlib", "purelib")
)
# What Python itself puts into a class, and what says nothing about what it does.
WITHOUT_MEANING = {"__dict__", "__weakref__", "__module__", "__qualname__", "__doc__"}
WITHOUT_MEANING |= {"__abstractmethods__", "_abc_impl", "__firstlineno__", "__annotations__"}


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
    return _Digest(values).hexdigest()


class _Digest:
    """A hash that values are fed to.

    Parameters
    ----------
    values : tuple
    """

    def __init__(self, values: tuple[Any, ...]):
        self._hash = hashlib.blake2b(digest_size=DIGEST_BYTES)
        # Code that was fed already, by identity; it is held so that no identity is used again.
        self._seen: dict[int, tuple[int, Any]] = {}
        self._add(values, ())

    def hexdigest(self) -> str:
        """The digest."""
        return self._hash.hexdigest()

    def _tell(self, text: str) -> None:
        self._hash.update(text.encode())

    def _add(self, value: Any, above: tuple[int, ...]) -> None:
        """Feed a value; `above` are the containers that it lies in."""
        if id(value) in above:
            self._tell(f"circle {above.index(id(value))};")
            return
        within = (*above, id(value))
        self._tell(f"{type(value).__module__}.{type(value).__qualname__}:")
        if isinstance(value, PLAIN):
            self._tell(repr(value))
        elif isinstance(value, np.ndarray) and not value.dtype.hasobject:
            self._tell(f"{value.dtype.str}{value.shape}")
            self._hash.update(np.ascontiguousarray(value).tobytes())
        elif isinstance(value, np.ndarray):
            self._add(value.tolist(), within)
        elif isinstance(value, Mapping):
            for key in sorted(value, key=repr):
                self._add((key, value[key]), within)
        elif isinstance(value, set | frozenset):
            for digest in sorted(digest_of(item) for item in value):
                self._tell(digest)
        elif isinstance(value, list | tuple | range):
            for item in value:
                self._add(item, within)
        elif isinstance(value, CodeType | FunctionType | type | ModuleType):
            self._add_once(value, within)
        elif isinstance(value, MethodType):
            self._add((value.__func__, value.__self__), within)
        elif isinstance(value, BuiltinFunctionType):
            self._tell(f"{value.__module__}.{value.__qualname__}")
        else:
            self._add_state(value, within)
        self._tell(";")

    def _add_once(self, value: Any, within: tuple[int, ...]) -> None:
        """Feed code; what was fed before is referred to."""
        if id(value) in self._seen:
            self._tell(f"seen {self._seen[id(value)][0]}")
            return
        self._seen[id(value)] = len(self._seen), value
        if isinstance(value, CodeType):
            parts = value.co_code, value.co_consts, value.co_names, value.co_varnames
            self._add((*parts, value.co_freevars, value.co_flags), within)
        elif isinstance(value, ModuleType):
            self._tell(_installed_name(value.__name__) or value.__name__)
        elif name := _installed_name(value.__module__):
            self._tell(f"{name} {value.__qualname__}")
        elif isinstance(value, FunctionType):
            self._add_function(value, within)
        else:
            self._add_class(value, within)

    def _add_function(self, function: FunctionType, within: tuple[int, ...]) -> None:
        """Feed a function of the user's, with all that it uses."""
        cells = [_contents(cell) for cell in function.__closure__ or ()]
        parts = function.__code__, function.__defaults__, function.__kwdefaults__, cells
        self._add((*parts, vars(function)), within)
        names = sorted(_names_in(function.__code__))
        for name in names:
            if name in function.__globals__:
                self._add_global(name, function.__globals__[name], names, within)

    def _add_global(self, name: str, value: Any, names: list[str], within: tuple[int, ...]) -> None:
        """Feed what a global name stands for; of a module of the user's, the names used of it."""
        self._tell(name)
        self._add(value, within)
        if isinstance(value, ModuleType) and not _installed_name(value.__name__):
            for used in names:
                if used in vars(value):
                    self._tell(used)
                    self._add(vars(value)[used], within)

    def _add_class(self, value: type, within: tuple[int, ...]) -> None:
        """Feed a class of the user's: its bases, methods and attributes."""
        self._add((value.__qualname__, value.__bases__), within)
        for name in sorted(vars(value).keys() - WITHOUT_MEANING):
            self._tell(name)
            member = vars(value)[name]
            if isinstance(member, property):
                self._add((member.fget, member.fset), within)
            elif isinstance(member, staticmethod | classmethod):
                self._add(member.__func__, within)
            else:
                self._add(inspect.unwrap(member) if callable(member) else member, within)

    def _add_state(self, value: Any, within: tuple[int, ...]) -> None:
        """Feed all that a copy of an object would be made from."""
        try:
            reduced = value.__reduce_ex__(4)
        except Exception:  # whatever an object of another package raises
            self._hash.update(secrets.token_bytes(DIGEST_BYTES))
            return
        if isinstance(reduced, str):
            self._tell(reduced)
            return
        maker, arguments, *states = reduced
        # Items of a list or of a mapping come as iterators.
        parts = [list(part) if isinstance(part, Iterator) else part for part in states]
        self._add((maker, arguments, parts), within)


def _installed_name(module: str | None) -> str:
    """Name and version of a module of an installed package; empty for one of the user's."""
    top = (module or "").split(".")[0]
    found = sys.modules.get(top)
    if top == "latent_nmr" or top in sys.stdlib_module_names:
        return str(module)
    place = getattr(found, "__file__", None)
    if top == "__main__" or place is None:
        return ""
    if any(root in Path(place).resolve().parents for root in INSTALLED):
        return f"{module} {getattr(found, '__version__', '')}"
    return ""


def _names_in(code: CodeType) -> set[str]:
    """Names that code uses, with those of the functions defined inside it."""
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return {*code.co_names}.union(*map(_names_in, inner))


def _contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # of a name that is not bound yet
        return None
