"""Unsupervised representation learning for NMR spin echoes.

The names below load what they need on first use, so that importing the package costs nothing
and touches no setting of JAX.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from latent_nmr.data.store import load_echoes, simulate
    from latent_nmr.data.windows import features, window_time
    from latent_nmr.models.beta_vae import BetaVAE
    from latent_nmr.physics.fields import simulate_fields

__all__ = ["BetaVAE", "features", "load_echoes", "simulate", "simulate_fields", "window_time"]

_HOMES = {
    "BetaVAE": "latent_nmr.models.beta_vae",
    "features": "latent_nmr.data.windows",
    "load_echoes": "latent_nmr.data.store",
    "simulate": "latent_nmr.data.store",
    "simulate_fields": "latent_nmr.physics.fields",
    "window_time": "latent_nmr.data.windows",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'latent_nmr' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
