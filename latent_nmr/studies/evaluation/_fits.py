"""Fits of an evaluation: coordinates of every curve by every method and seed, each kept at once."""

import json
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from latent_nmr._regular import regular
from latent_nmr.analysis.score_names import by_current_name
from latent_nmr.analysis.traversal import SPAN, traverse
from latent_nmr.errors import AxisWarning, NumericalError
from latent_nmr.latent_axes import axis_state
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.many import fit_many
from latent_nmr.studies._estimators import fit, reason_of, seeded, transform
from latent_nmr.studies._ledger import Arrays, Ledger, StepFailedError, raising_step_failed
from latent_nmr.studies.evaluation._methods import CEILING, Method
from latent_nmr.studies.evaluation._parts import FITTED, HELD_OUT, Curves, Material

MODELS_FOLDER = "models"
# Axes of a VAE along which curves are decoded, and points on each.
MOST_WALKS, WALK_STEPS = 4, 11


@dataclass(frozen=True)
class Fit:
    """What one method gave with one seed.

    Attributes
    ----------
    method : Method
    seed : int
    arrays : dict of ndarray
        `part/NAME` (n_curves, n_components) of every part; `rms/NAME` where there is an inverse;
        `seconds` (NaN for a model that came fitted); of a VAE `active_axes`, `epochs`,
        `validation_loss`, `walks` (n_axes, n_steps, n_features) and `weights_sha256`; `remark`.
    """

    method: Method
    seed: int
    arrays: Arrays

    @property
    def n_components(self) -> int:
        """Number of coordinates."""
        return self.arrays[f"part/{HELD_OUT}"].shape[1]

    def coordinates(self, part: str) -> npt.NDArray[np.floating]:
        """Shape (n_curves of the part, n_components)."""
        return self.arrays[f"part/{part}"]

    def number(self, name: str) -> float | None:
        """One of the single numbers; None where there is none."""
        return float(self.arrays[name]) if name in self.arrays else None

    @property
    def saved_name(self) -> str:
        """Folder of a saved model; empty for those that are not saved."""
        return self.method.saved_name(self.seed) if self.method.is_trained else ""

    @property
    def remark(self) -> str:
        """What the reader must know of it; mostly empty."""
        return str(self.arrays["remark"]) if "remark" in self.arrays else ""


class Fitter:
    """Makes the fits of an evaluation, and remembers those that failed.

    Parameters
    ----------
    material : Material
    ledger : Ledger
    folder : Path or None
        Where β-VAEs are saved.
    metadata : callable
        Gives what saved β-VAEs say of their data.
    on_step : callable
        Called with a few words for every fit that is done or has failed.
    """

    def __init__(
        self,
        material: Material,
        ledger: Ledger,
        folder: Path | None,
        metadata: Callable[[], Mapping[str, Any]],
        on_step: Callable[[str], object],
    ):
        self._material, self._ledger, self._metadata = material, ledger, metadata
        self._models = None if folder is None else folder / MODELS_FOLDER
        self._on_step = on_step
        self.failures: list[dict[str, Any]] = []
        self.errors: list[Exception] = []

    def complete(self, methods: Sequence[Method]) -> list[Fit]:
        """Every fit that succeeds, in the order of the methods and their seeds."""
        found: list[Fit] = []
        for method in methods:
            if method.flaw:
                self.refuse(method, method.seeds[0], TypeError(method.flaw), method.flaw)
                continue
            made = self._vaes(method) if method.is_trained else self._singly(method, method.seeds)
            found += [made[seed] for seed in method.seeds if seed in made]
        return found

    def _singly(self, method: Method, seeds: Sequence[int]) -> dict[int, Fit]:
        """Fits one after the other."""
        found = {}
        for seed in seeds:
            try:
                arrays = self._kept(
                    method,
                    seed,
                    raising_step_failed(lambda seed=seed: self._arrays_of(method, seed)),
                )
            except StepFailedError as failure:
                self.refuse(method, seed, failure.error)
            else:
                found[seed] = Fit(method, seed, arrays)
                self._on_step(method.name)
        return found

    def _kept(self, method: Method, seed: int, compute: Callable[[], Arrays]) -> Arrays:
        """Arrays of a fit, kept or computed."""
        facts = {"step": "fit", **method.facts(seed)}
        return by_current_name(self._ledger.take_arrays(facts, compute))

    def _arrays_of(self, method: Method, seed: int) -> Arrays:
        """Fit, or take what is fitted, and embed every part."""
        if method.is_fitted:
            return embed(method.estimator, self._material.curves)
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AxisWarning)
            copy = seeded(method.estimator, seed)
            own = self._material
            told = [own.labels[FITTED]] if method.role == CEILING else []
            model = fit(copy, own.curves[FITTED], *told, needs="transform", groups=own.groups)
        return embed(model, self._material.curves, seconds=time.perf_counter() - start)

    def _vaes(self, method: Method) -> dict[int, Fit]:
        """β-VAEs of one architecture, trained side by side; alone if one of them fails."""
        found: dict[int, Fit] = {}

        def keep(model: BetaVAE) -> None:
            seed = int(model.random_state or 0)
            self._save(model, method, seed)

            def compute() -> Arrays:
                # Its own epochs: models that are trained side by side share the processor.
                seconds = sum(record.seconds for record in model.history_)
                return embed(model, self._material.curves, seconds=seconds)

            found[seed] = Fit(method, seed, self._kept(method, seed, compute))
            self._on_step(method.name)

        def train(seeds: Sequence[int]) -> None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", AxisWarning)  # active axes are a score
                curves = self._material.curves[FITTED]
                known = {"groups": self._material.groups, "on_fit": keep}
                fit_many(curves, seeds=seeds, model=method.estimator, **known)

        for seed in method.seeds:
            if self._is_done(method, seed):
                found |= self._singly(method, [seed])
        missing = [seed for seed in method.seeds if seed not in found]
        try:
            if missing:
                train(missing)
        except (MemoryError, OSError):
            raise
        except Exception:  # one of them: the others are trained again, each by itself
            for seed in [seed for seed in missing if seed not in found]:
                try:
                    train([seed])
                except (ArithmeticError, ValueError, TypeError) as error:
                    self.refuse(method, seed, error)
        return found

    def _is_done(self, method: Method, seed: int) -> bool:
        """Whether a β-VAE is embedded, and saved where it is to be saved."""
        facts = {"step": "fit", **method.facts(seed)}
        if not self._ledger.has(facts):
            return False
        if self._models is None:
            return True
        arrays = self._ledger.take_arrays(facts, dict)
        path = self._models / method.saved_name(seed) / "model.json"
        try:
            saved = json.loads(regular(path).read_text("utf-8"))["weights_sha256"]
        except (OSError, ValueError, KeyError):
            return False
        return saved == str(arrays["weights_sha256"])

    def _save(self, model: BetaVAE, method: Method, seed: int) -> None:
        if self._models is not None:
            model.save(self._models / method.saved_name(seed), self._metadata())

    def refuse(self, method: Method, seed: int, error: Exception, reason: str = "") -> None:
        """Note that a fit failed, and why."""
        reason = reason or reason_of(error)
        self.failures.append({"model": method.name, "seed": seed, "reason": reason})
        self.errors.append(error)
        self._on_step(method.name)


def embed(model: Any, parts: Mapping[str, Curves], *, seconds: float = float("nan")) -> Arrays:
    """Arrays of a `Fit`: coordinates of every part by a fitted model, and what it loses."""
    found: Arrays = {"seconds": np.array(seconds)}
    found |= {f"part/{part}": transform(model, rows) for part, rows in parts.items()}
    widths = {part: found[f"part/{part}"].shape[1] for part in parts}
    if len(set(widths.values())) > 1:
        counts = ", ".join(f"{width} for the {part} part" for part, width in widths.items())
        raise ValueError(
            f"transform must return as many columns for all curves, but returned {counts}"
        )
    if hasattr(model, "inverse_transform"):
        try:
            found |= {
                f"rms/{part}": np.array(_rms(model, found[f"part/{part}"], rows))
                for part, rows in parts.items()
            }
        except Exception as error:  # the coordinates are good without it
            found["remark"] = np.array(f"without rms: inverse_transform: {reason_of(error)}")
    return found | _facts_of_vae(model) if isinstance(model, BetaVAE) else found


def _rms(model: Any, coordinates: npt.NDArray, rows: Curves) -> float:
    """Root mean square of curve minus reconstruction."""
    decoded = model.inverse_transform(coordinates.copy())
    decoded = np.asarray(decoded.toarray() if hasattr(decoded, "toarray") else decoded)
    if decoded.shape != rows.shape:
        raise ValueError(f"it must return shape {rows.shape}, but returned {decoded.shape}")
    value = float(np.sqrt(np.mean((rows - decoded) ** 2, dtype=np.float64)))
    if not np.isfinite(value):
        raise NumericalError("it returned values that are NaN or infinite")
    return value


def _facts_of_vae(model: BetaVAE) -> Arrays:
    """What is reported of a β-VAE beside its coordinates, and curves along its axes."""
    n_components = model.architecture_.n_components
    axes = range(1, min(n_components, MOST_WALKS) + 1)
    walks = [traverse(model, n_components, axis, n_steps=WALK_STEPS).curves for axis in axes]
    states = [axis_state(variance) for variance in model.axis_variances_]
    best = model.history_[model.best_epoch_ - 1]
    loss = best.validation_reconstruction + best.beta * best.validation_kl
    return {
        "active_axes": np.array(states.count("active")),
        "epochs": np.array(model.n_iter_),
        "validation_loss": np.array(loss),
        "walks": np.stack(walks),
        "walk_positions": np.linspace(-SPAN, SPAN, WALK_STEPS),
        "weights_sha256": np.array(model.card()["weights_sha256"]),
    }
