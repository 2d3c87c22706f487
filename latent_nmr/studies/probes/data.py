"""The data of a probe: labels, one split per seed, and the curves as each kind of features."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr._splits import as_groups
from latent_nmr.analysis.polynomial import SectionPolynomials
from latent_nmr.analysis.split import Split, hold_out
from latent_nmr.data.feature_layout import Block
from latent_nmr.data.feature_settings import FeatureSettings
from latent_nmr.errors import InputError
from latent_nmr.models.baselines import PCABaseline
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.studies._estimators import fit, reason_of, seeded, transform, unfitted_digest
from latent_nmr.studies._labels import complete_labels, groups_of, labels_by_name
from latent_nmr.studies._ledger import Ledger, StepFailedError, raising_step_failed
from latent_nmr.studies.probes.names import KERNEL, LATENT, PCA, POINTS, POLYNOMIAL, TARGETS

SECTIONS = (4, 5, 10)

Matrix = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Material:
    """Curves and labels.

    Attributes
    ----------
    curves : ndarray of float32, shape (n_curves, n_features)
        |M| in the window, or other features, in [0, 1].
    time : ndarray, shape (n_window,)
        Times of the window's samples, µs.
    blocks : list of Block
        What the features are.
    labels : dict of ndarray, shape (n_curves,)
        Numbers (float64) and texts that are known of every curve.
    held_out : float
        Fraction of the curves that is only scored.
    incomplete : dict of int
        Of the other labels, the number of curves that lack them.
    groups : ndarray of int, shape (n_curves,), or None
        Materials, where there are repeats: no split tears one apart.
    """

    curves: npt.NDArray[np.float32]
    time: npt.NDArray[np.float64]
    blocks: list[Block]
    labels: dict[str, npt.NDArray[Any]]
    held_out: float
    incomplete: dict[str, int]
    groups: npt.NDArray[np.int64] | None

    @property
    def kernels(self) -> npt.NDArray[np.str_] | None:
        """Kernel of every curve, where known."""
        return self.labels.get(KERNEL)

    def split(self, seed: int) -> Split:
        """Rows to fit on and to score in the repetition with this seed."""
        ways: Any = {"fraction": self.held_out, "random_state": seed}
        return hold_out(len(self.curves), self.kernels, groups=self.groups, **ways)

    def groups_at(self, rows: npt.NDArray[np.integer]) -> npt.NDArray[np.int64] | None:
        """Materials of some curves."""
        return None if self.groups is None else self.groups[rows]

    @cached_property
    def polynomials(self) -> npt.NDArray[np.float32]:
        """Polynomial features of all curves, block by block; they depend on no other curve."""
        found = [
            section_polynomials(block.time).transform(self.curves[:, block.columns])
            for block in self.blocks
        ]
        return found[0] if len(found) == 1 else np.concatenate(found, axis=1)


def gather(dataset: xr.Dataset, settings: FeatureSettings, *, held_out: float) -> Material:
    """Take from a data set what a probe needs."""
    labels = labels_by_name(dataset, dataset.sizes["curve"], TARGETS)
    found, incomplete = complete_labels(labels)
    for name, values in found.items():
        if values.dtype.kind != "U":
            found[name] = values.astype(np.float64)
        elif name in TARGETS and name != KERNEL:
            raise InputError(
                f"the label {name} must be numbers, but has the type {values.dtype}, as "
                f"{str(values[0])!r}. Convert it, or rename it."
            )
    time = settings.time(dataset)
    return Material(
        curves=settings.of(dataset),
        time=time,
        blocks=settings.blocks(time),
        labels=found,
        held_out=held_out,
        incomplete=incomplete,
        groups=as_groups(groups_of(dataset), dataset.sizes["curve"], "material"),
    )


def section_polynomials(time: npt.NDArray[np.float64]) -> SectionPolynomials:
    """The polynomial features of a window that is sampled at `time` (µs)."""
    model = SectionPolynomials(SECTIONS, sample_interval=float(time[1] - time[0]))
    return model.fit(np.zeros((1, len(time)), np.float32))


class FeatureMaker:
    """Makes the features of one split; what is learned is learned on its training part.

    Parameters
    ----------
    material : Material
    kinds : mapping of tuple of str
        Kinds that stand side by side in each of the features, by their name.
    transformers : mapping
        Transformers of the user, by kind.
    n_components : int
        Coordinates of `pca` and `latent`.
    ledger : Ledger
        Keeps what was learned.
    on_failure : callable
        Called with the kind, the seed and the reason where a transformer fails.
    """

    def __init__(
        self,
        material: Material,
        kinds: Mapping[str, tuple[str, ...]],
        transformers: Mapping[str, Any],
        n_components: int,
        ledger: Ledger,
        on_failure: Callable[[str, int, str], object],
    ):
        self._material, self._kinds, self._ledger = material, kinds, ledger
        self._makers: dict[str, Any] = {
            PCA: PCABaseline(n_components=n_components),
            LATENT: BetaVAE(n_components=n_components),
            **transformers,
        }
        self._foreign, self._on_failure = transformers, on_failure

    def tables(self, names: Collection[str], split: Split, seed: int) -> dict[str, Matrix]:
        """Features by name, each (n_curves, n_features); those that cannot be made are missing."""
        wanted = dict.fromkeys(kind for name in names for kind in self._kinds[name])
        parts = {kind: self._part(kind, split, seed) for kind in wanted}
        found = {}
        for name in names:
            side_by_side = [parts[kind] for kind in self._kinds[name]]
            usable = [part for part in side_by_side if part is not None]
            if len(usable) == len(side_by_side):
                found[name] = usable[0] if len(usable) == 1 else np.concatenate(usable, axis=1)
        return found

    def _part(self, kind: str, split: Split, seed: int) -> Matrix | None:
        if kind == POINTS:
            return self._material.curves
        if kind == POLYNOMIAL:
            return self._material.polynomials
        facts: dict[str, Any] = {"step": "features", "features": kind, "seed": seed}
        is_foreign = kind in self._foreign
        if is_foreign:
            facts["foreign"] = {kind: unfitted_digest(self._foreign[kind])}
        compute = raising_step_failed(lambda: self._learned(kind, split, seed))
        try:
            return self._ledger.take_arrays(facts, compute)["X"]
        except StepFailedError as failure:
            if isinstance(failure.error, InputError) and not is_foreign:
                raise failure.error from None
            self._on_failure(kind, seed, reason_of(failure.error))
            return None

    def _learned(self, kind: str, split: Split, seed: int) -> dict[str, Matrix]:
        curves = self._material.curves
        model = fit(
            seeded(self._makers[kind], seed),
            curves[split.fitted],
            needs="transform",
            groups=self._material.groups_at(split.fitted),
        )
        return {"X": transform(model, curves)}
