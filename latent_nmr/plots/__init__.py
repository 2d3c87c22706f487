"""Figures of echoes, latent maps and curves; public as `ln.plots`.

Each function takes arrays, and an `ax` where it draws one panel, and returns the `Axes` or the
`Figure`; matplotlib is loaded when the first of them is used. The other modules of this room serve
the package's own reports and may change.

Examples
--------
>>> import numpy as np
>>> import latent_nmr as ln
>>> rng = np.random.default_rng(0)
>>> ax = ln.plots.latent_map(rng.normal(size=(50, 2)), rng.uniform(0.1, 0.3, 50), "W (MHz)")
>>> ax.get_xlabel()
'LA1'
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "latent_map": "latent",
    "latent_maps": "latent",
    "loss_history": "training",
    "parity_figure": "parity",
    "reconstruction_sheet": "curves",
    "save_figure": "style",
    "scree_plot": "baselines",
    "traversal": "curves",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'latent_nmr.plots' has no attribute {name!r}")
    return getattr(import_module(f"latent_nmr.plots.{home}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
