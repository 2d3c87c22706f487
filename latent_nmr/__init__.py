"""Unsupervised representation learning for NMR spin echoes.

The public names stand in `__init__.pyi`. Each loads what it needs on first use, so that importing
the package costs nothing and touches no setting of JAX.
"""

import pkgutil
import re
from importlib import import_module
from typing import Any

_STUB = (pkgutil.get_data(__name__, "__init__.pyi") or b"").decode()
_HOMES = {
    name: module
    for module, name in re.findall(r"^from ([\w.]+) import (\w+) as \2$", _STUB, re.MULTILINE)
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("latent-nmr")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'latent_nmr' has no attribute {name!r}")
    return (
        import_module(f"{home}.{name}") if home == __name__ else getattr(import_module(home), name)
    )


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
