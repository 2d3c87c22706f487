"""The representations that an evaluation compares: fit one, embed every curve, keep the result."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

from latent_nmr._files import staged_file
from latent_nmr.latent_axes import axis_state
from latent_nmr.models.baselines import KMeansBaseline, PCABaseline, UMAPBaseline
from latent_nmr.models.beta_vae import BetaVAE

METHODS = ("vae", "pca", "umap", "kmeans")
# An exact solution has no seed: its spread over seeds is zero and is not shown.
SEEDLESS = ("pca",)
MAKERS: dict[str, Callable[[int, int], Any]] = {
    "vae": lambda n, seed: BetaVAE(n_components=n, random_state=seed),
    "pca": lambda n, seed: PCABaseline(n_components=n, random_state=seed),
    "umap": lambda n, seed: UMAPBaseline(n_components=n, random_state=seed),
    "kmeans": lambda n, seed: KMeansBaseline(n_components=n, random_state=seed),
}


@dataclass(frozen=True, order=True)
class Fit:
    """Which fit: a method at a dimension with a seed."""

    method: str
    n_components: int
    seed: int

    @property
    def stem(self) -> str:
        """Name of its files."""
        return f"{self.method}-{self.n_components}-seed{self.seed}"


@dataclass(frozen=True)
class Embedding:
    """Coordinates of every curve by one fit.

    Attributes
    ----------
    parts : dict of ndarray, shape (n_curves of the part, n_components)
        By name of the part, float32.
    rms : dict of float
        Root mean square of curve minus reconstruction, by part; empty without an inverse.
    live_axes : int or None
        Of a VAE.
    seconds : float
        To fit; NaN where the model came ready.
    """

    parts: dict[str, npt.NDArray[np.float32]]
    rms: dict[str, float]
    live_axes: int | None
    seconds: float

    def write(self, path: Path) -> None:
        """Keep it in one file, whole or not at all."""
        held = {f"part/{part}": values for part, values in self.parts.items()}
        held |= {f"rms/{part}": np.array(value) for part, value in self.rms.items()}
        held["seconds"] = np.array(self.seconds)
        if self.live_axes is not None:
            held["live_axes"] = np.array(self.live_axes)
        with staged_file(path) as staging, staging.open("wb") as file:
            np.savez(file, allow_pickle=False, **held)

    @classmethod
    def read(cls, path: Path) -> "Embedding":
        """Read what `write` kept; nothing in the file is executed."""
        with np.load(path, allow_pickle=False) as file:
            held = {name: file[name] for name in file.files}
        return cls(
            parts={name[5:]: values for name, values in held.items() if name.startswith("part/")},
            rms={name[4:]: float(v) for name, v in held.items() if name.startswith("rms/")},
            live_axes=int(held["live_axes"]) if "live_axes" in held else None,
            seconds=float(held["seconds"]),
        )


def fits_of(methods: Sequence[str], dimensions: Sequence[int], n_seeds: int) -> list[Fit]:
    """Every fit of an evaluation; a method without a seed once per dimension."""
    return [
        Fit(method, n_components, seed)
        for method in methods
        for n_components in dimensions
        for seed in range(1 if method in SEEDLESS else n_seeds)
    ]


def fit_and_embed(
    fit: Fit, X: npt.NDArray[np.float32], parts: Mapping[str, npt.NDArray[np.float32]]
) -> tuple[Any, Embedding]:
    """Fit to the curves `X`, (n_fitted, n_features), and embed every part."""
    start = time.perf_counter()
    model = MAKERS[fit.method](fit.n_components, fit.seed).fit(X)
    return model, embed(model, parts, seconds=time.perf_counter() - start)


def embed(
    model: BaseEstimator, parts: Mapping[str, npt.NDArray[np.float32]], *, seconds: float
) -> Embedding:
    """Coordinates of every part by a fitted model, and what it loses."""
    coordinates = {
        part: np.asarray(model.transform(rows), np.float32) for part, rows in parts.items()
    }
    rms = {}
    if hasattr(model, "inverse_transform"):
        for part, rows in parts.items():
            residual = rows - model.inverse_transform(coordinates[part])
            rms[part] = float(np.sqrt(np.mean(residual**2, dtype=np.float64)))
    live = None
    if isinstance(model, BetaVAE):
        live = [axis_state(variance) for variance in model.axis_variances_].count("live")
    return Embedding(coordinates, rms, live, seconds)
