"""Unsupervised representation learning for NMR spin echoes.

The names below load what they need on first use, so that importing the package costs nothing
and touches no setting of JAX.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from latent_nmr.analysis.polynomial import SectionPolynomials
    from latent_nmr.data.compact import load_compact, save_compact
    from latent_nmr.data.echo_features import EchoFeatures
    from latent_nmr.data.formats import (
        read_challenge,
        read_csv,
        read_lattice_code,
        write_challenge,
        write_csv,
        write_netcdf,
    )
    from latent_nmr.data.reading import load_echoes
    from latent_nmr.data.spectrometer import (
        add_baseline,
        add_noise,
        blank_dead_time,
        rotate_phase,
        shift_frequency,
    )
    from latent_nmr.data.store import simulate
    from latent_nmr.data.windows import features, window_time
    from latent_nmr.models.baselines import KMeansBaseline, PCABaseline, UMAPBaseline
    from latent_nmr.models.beta_vae import BetaVAE
    from latent_nmr.models.curve_regressor import CurveRegressor
    from latent_nmr.models.many import fit_many
    from latent_nmr.physics.differentiable import curve_function, curve_inputs
    from latent_nmr.physics.fields import simulate_fields
    from latent_nmr.physics.kernels import kernel_table, tabulate
    from latent_nmr.physics.line import Line, MeasuredLine, draw_frequencies
    from latent_nmr.physics.sequence import Pulse, Sequence, cpmg, spin_echo

_NAMES = {
    "latent_nmr.analysis.polynomial": ("SectionPolynomials",),
    "latent_nmr.data.compact": (
        "load_compact",
        "save_compact",
    ),
    "latent_nmr.data.echo_features": ("EchoFeatures",),
    "latent_nmr.data.formats": (
        "read_challenge",
        "read_csv",
        "read_lattice_code",
        "write_challenge",
        "write_csv",
        "write_netcdf",
    ),
    "latent_nmr.data.spectrometer": (
        "add_baseline",
        "add_noise",
        "blank_dead_time",
        "rotate_phase",
        "shift_frequency",
    ),
    "latent_nmr.data.reading": ("load_echoes",),
    "latent_nmr.data.store": ("simulate",),
    "latent_nmr.data.windows": (
        "features",
        "window_time",
    ),
    "latent_nmr.models.baselines": (
        "KMeansBaseline",
        "PCABaseline",
        "UMAPBaseline",
    ),
    "latent_nmr.models.beta_vae": ("BetaVAE",),
    "latent_nmr.models.curve_regressor": ("CurveRegressor",),
    "latent_nmr.models.many": ("fit_many",),
    "latent_nmr.physics.differentiable": (
        "curve_function",
        "curve_inputs",
    ),
    "latent_nmr.physics.fields": ("simulate_fields",),
    "latent_nmr.physics.kernels": (
        "kernel_table",
        "tabulate",
    ),
    "latent_nmr.physics.line": (
        "Line",
        "MeasuredLine",
        "draw_frequencies",
    ),
    "latent_nmr.physics.sequence": (
        "Pulse",
        "Sequence",
        "cpmg",
        "spin_echo",
    ),
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [
    "BetaVAE",
    "CurveRegressor",
    "EchoFeatures",
    "KMeansBaseline",
    "Line",
    "MeasuredLine",
    "PCABaseline",
    "Pulse",
    "SectionPolynomials",
    "Sequence",
    "UMAPBaseline",
    "add_baseline",
    "add_noise",
    "blank_dead_time",
    "cpmg",
    "curve_function",
    "curve_inputs",
    "draw_frequencies",
    "features",
    "fit_many",
    "kernel_table",
    "load_compact",
    "load_echoes",
    "read_challenge",
    "read_csv",
    "read_lattice_code",
    "rotate_phase",
    "save_compact",
    "shift_frequency",
    "simulate",
    "simulate_fields",
    "spin_echo",
    "tabulate",
    "window_time",
    "write_challenge",
    "write_csv",
    "write_netcdf",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'latent_nmr' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
