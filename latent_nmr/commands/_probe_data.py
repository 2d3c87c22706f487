"""The data of a probe: labels, one split per seed, and the curves as each kind of features."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr._files import staged_file
from latent_nmr.analysis.polynomial import SectionPolynomials
from latent_nmr.analysis.split import Split, hold_out
from latent_nmr.commands._evaluation_data import labels_of
from latent_nmr.data.echoes import fingerprint
from latent_nmr.data.io import open_echoes
from latent_nmr.data.windows import features, window_time
from latent_nmr.models.baselines import PCABaseline
from latent_nmr.models.beta_vae import BetaVAE

POINTS, POLYNOMIAL, PCA, LATENT = "points", "polynomial", "pca", "latent"
KINDS = (POINTS, POLYNOMIAL, PCA, LATENT)
# Kinds side by side in one name: points+latent.
JOIN = "+"
KIND_TITLES = {POINTS: "points", POLYNOMIAL: "polynomials", PCA: "PCA", LATENT: "latent axes"}
SECTIONS = (4, 5, 10)

Matrix = npt.NDArray[np.float32]


def features_title(name: str) -> str:
    """Words for a kind, or for several side by side."""
    return " + ".join(KIND_TITLES[kind] for kind in name.split(JOIN))


@dataclass(frozen=True)
class Material:
    """Curves and labels.

    Attributes
    ----------
    curves : ndarray of float32, shape (n_curves, n_samples)
        |M| in the window, in [0, 1].
    time : ndarray, shape (n_samples,)
        µs.
    labels : dict of ndarray, shape (n_curves,)
        Any of `W`, `alpha_x`, `alpha_z`, `L` (float64) and `kernel` (str).
    dataset : xarray.Dataset
    held_out : float
        Part of the curves that is only scored.
    n_components : int
        Of PCA and of the latent space.
    identity : dict
        What decides results, as JSON holds it.
    """

    curves: Matrix
    time: npt.NDArray[np.float64]
    labels: dict[str, npt.NDArray[Any]]
    dataset: xr.Dataset
    held_out: float
    n_components: int
    identity: dict[str, Any]

    @property
    def kernels(self) -> npt.NDArray[np.str_] | None:
        """Kernel of every curve, where known."""
        return self.labels.get("kernel")

    def split(self, seed: int) -> Split:
        """Rows to fit on and to score in the repetition with this seed."""
        return hold_out(len(self.curves), self.kernels, fraction=self.held_out, seed=seed)

    @cached_property
    def polynomials(self) -> SectionPolynomials:
        """The polynomial features of this window; they learn nothing from the curves."""
        step = float(self.time[1] - self.time[0])
        return SectionPolynomials(SECTIONS, sample_interval=step).fit(self.curves[:1])


def gather(
    data: Path, *, window: str, normalisation: str, held_out: float, n_components: int
) -> Material:
    """Read a data set as the material of a probe."""
    dataset = open_echoes(data)
    return Material(
        curves=features(dataset, window, normalisation),
        time=window_time(dataset, window),
        labels=labels_of(dataset, data),
        dataset=dataset,
        held_out=held_out,
        n_components=n_components,
        identity={
            "data_sha256": fingerprint(dataset),
            "window": window,
            "normalisation": normalisation,
            "held_out": held_out,
            "n_components": n_components,
        },
    )


class FeatureTables:
    """Features of all curves, by name and seed; what is learned is learned on the training part.

    Threads may ask side by side: nothing is learned twice.

    Parameters
    ----------
    material : Material
    folder : Path
        Where learned features are kept.
    """

    def __init__(self, material: Material, folder: Path):
        self._material, self._folder = material, folder
        folder.mkdir(parents=True, exist_ok=True)
        self._fixed: dict[str, Matrix] = {}
        self._learning = threading.Lock()

    def table(self, name: str, seed: int) -> Matrix:
        """Features called `name` in the repetition with this seed, (n_curves, n_features)."""
        kinds = name.split(JOIN)
        if len(kinds) == 1:
            return self._of_kind(kinds[0], seed)
        return np.concatenate([self._of_kind(kind, seed) for kind in kinds], axis=1)

    def _of_kind(self, kind: str, seed: int) -> Matrix:
        if kind == POINTS:
            return self._material.curves
        if kind == POLYNOMIAL:
            if kind not in self._fixed:
                self._fixed[kind] = self._material.polynomials.transform(self._material.curves)
            return self._fixed[kind]
        return self._learned(kind, seed)

    def _learned(self, kind: str, seed: int) -> Matrix:
        path = self._folder / f"{kind}-seed{seed}.npy"
        with self._learning:
            if path.is_file():
                return np.load(path)
            maker: Callable[..., Any] = PCABaseline if kind == PCA else BetaVAE
            model = maker(n_components=self._material.n_components, random_state=seed)
            curves = self._material.curves
            found = model.fit(curves[self._material.split(seed).fitted]).transform(curves)
            with staged_file(path) as staging, staging.open("wb") as handle:
                np.save(handle, found)
            return found
