"""A model of measured echoes with what it is compared with: simulated echoes, and their points."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from latent_nmr._echo_top import smoothed_rows
from latent_nmr.errors import InputError
from latent_nmr.shipped import named_or_path
from latent_nmr.studies.measurement._alike import Conditions, Drawn
from latent_nmr.studies.measurement._correction import CORRECTION_FILE, Correction
from latent_nmr.studies.measurement._distance import NullHypothesis, Seen, principal_directions
from latent_nmr.studies.measurement._neighbours import Cloud
from latent_nmr.studies.measurement._reference import REFERENCE_FILE, Reference
from latent_nmr.studies.measurement._result import ReferenceMap
from latent_nmr.studies.trained_model import load_model

if TYPE_CHECKING:
    from latent_nmr.models.beta_vae import BetaVAE

# Fewer curves that a model was not trained on say less than all curves do.
LEAST_NEW = 200
# How often every reference curve is measured.
N_DRAWS = 2
# Conditions that differ by less than this part in noise and band, and in what may be left of an
# offset, which is known less well, share their simulations.
STEP, LEVEL_STEP = 0.05, 0.2
MOST_KEPT = 32
# Noise, over the height of the echo, that no figure shows.
QUIET = 1e-5
# Models of the package that were trained on the same curves, and the one that has their reference.
SHARING = {"measured-echo-m0": "measured-echo"}
# An offset over the height of the echo that is none.
LEAST_LEVEL = 1e-4


class Alike:
    """Reference echoes measured as a record was, and their points.

    Attributes
    ----------
    cloud : Cloud
        Noisy points, N_DRAWS times all reference curves.
    null : NullHypothesis
    """

    def __init__(self, instrument: "Instrument", conditions: Conditions, seed: int):
        model, reference = instrument.model, instrument.reference
        draws = [
            instrument.drawn(seed + number).measured(conditions, knows_gain=instrument.knows_gain)
            for number in range(N_DRAWS)
        ]
        points = [model.transform(rows) for rows in draws]
        self.cloud = Cloud(np.concatenate(points))
        new = reference.is_new
        if min(new.sum(), (~new).sum()) < LEAST_NEW:
            # Not by turns: neighbours may be repeats of one material.
            new = np.arange(len(new)) >= len(new) // 2
        seen = Seen(points[0], draws[0], model.inverse_transform(points[0]))
        directions = instrument.directions
        self.null = NullHypothesis(seen[~new], seen[new], conditions.measured, directions)


class Noiseless:
    """Rows through the band of records that were measured alike, without their noise."""

    def __init__(self, instrument: "Instrument", conditions: Conditions):
        self._instrument = instrument
        quiet = replace(conditions, noise=QUIET, noise_error=0.0, level=0.0, level_turns=0.0)
        self._quiet = replace(quiet, knows_due=False)

    def seen(self, rows: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """Rows through the band of the record, without its noise: what is to be like it.

        NaN at the ends, where rows do not reach after they were centred again.
        """
        return self._seen(Drawn(rows, 0))

    def _seen(self, drawn: Drawn) -> npt.NDArray[np.float32]:
        found = drawn.measured(self._quiet, knows_gain=self._instrument.knows_gain)
        return np.where(found > 0, found, np.float32(np.nan))

    @cached_property
    def clean(self) -> npt.NDArray[np.float32]:
        """All reference curves, so seen."""
        return self._seen(self._instrument.drawn(0))


class Instrument:
    """A β-VAE trained for measured echoes, and its reference.

    Parameters
    ----------
    model : BetaVAE
        Trained with `augment`, on features of the window `top`.
    reference : Reference
    name : str
        What messages call it.
    correction : Correction, optional
        Of its p-values and ellipses; without one they are as the reference gives them.
    """

    def __init__(
        self,
        model: "BetaVAE",
        reference: Reference,
        name: str,
        correction: Correction | None = None,
    ):
        self.model, self.reference, self.name = model, reference, name
        self.correction = correction
        self._kept: dict[tuple, Any] = {}
        self._drawn: dict[int, Drawn] = {}

    @property
    def knows_gain(self) -> bool:
        """Whether |M(0)| must be known."""
        return self.model.metadata_["normalisation"] == "initial"

    @cached_property
    def rows(self) -> npt.NDArray[np.float32]:
        """Reference curves without noise, as the model sees them."""
        return self.reference.features(knows_gain=self.knows_gain)

    @cached_property
    def points(self) -> npt.NDArray[np.float32]:
        """Their latent points."""
        return self.model.transform(self.rows)

    @cached_property
    def directions(self) -> npt.NDArray[np.float64]:
        """Principal components that curves are compared along."""
        return principal_directions(self.rows)

    @cached_property
    def widths(self) -> npt.NDArray[np.float64]:
        """Their full widths at half maximum, samples."""
        return echo_widths(self.rows)

    @cached_property
    def map(self) -> ReferenceMap:
        """Their points and labels, for the latent map."""
        return ReferenceMap(self.points, self.reference.labels)

    def drawn(self, seed: int) -> Drawn:
        """The reference with disturbances, which records of all conditions share."""
        if seed not in self._drawn:
            while len(self._drawn) > N_DRAWS:
                self._drawn.pop(next(iter(self._drawn)))
            self._drawn[seed] = Drawn(self.reference.rows, seed, self.reference.delays)
        return self._drawn[seed]

    def alike(self, conditions: Conditions, seed: int) -> Alike:
        """The reference measured like a record; records measured alike share it."""
        positive = conditions.noise, conditions.band, max(conditions.level, LEAST_LEVEL)
        sizes = STEP, STEP, LEVEL_STEP
        steps = [round(math.log(own) / size) for own, size in zip(positive, sizes, strict=True)]
        error, turns = round(conditions.noise_error, 2), round(conditions.level_turns, 3)
        known = conditions.knows_due
        noise, band, level = (math.exp(n * size) for n, size in zip(steps, sizes, strict=True))
        near = Conditions(noise, error, band, conditions.measured, level, turns, known)
        key = *steps, error, turns, conditions.measured.tobytes(), known, seed
        return self._shared(key, lambda: Alike(self, near, seed))

    def noiseless(self, conditions: Conditions) -> Noiseless:
        """The reference through the band of a record; records of one band share it."""
        step = round(math.log(conditions.band) / STEP)
        near = replace(conditions, band=math.exp(step * STEP))
        key = "noiseless", step, conditions.measured.tobytes()
        return self._shared(key, lambda: Noiseless(self, near))

    def _shared(self, key: tuple, make: Callable[[], Any]) -> Any:
        """What was made for this key; of many, those that were asked for last are kept."""
        found = self._kept.pop(key, None)
        if found is None:
            while len(self._kept) >= MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
            found = make()
        self._kept[key] = found
        return found


def load_instrument(model: Path | str) -> Instrument:
    """A shipped model of measured echoes by its name, or one from its folder.

    Raises
    ------
    InputError
        If it was not trained for measured echoes, or its reference is missing.
    """
    place = named_or_path("models", model)
    found = load_model(place)
    is_own = found.metadata_["window"] == "top" and getattr(found, "augment", None) is not None
    if not is_own:
        raise InputError(
            "model must be one of measured echoes, trained with augment on the window 'top', but "
            f"{model} was trained with augment={found.augment!r} on the window "
            f"{found.metadata_['window']!r}. Use 'measured-echo', or train one with "
            "ln.train(…, window='top', model=ln.BetaVAE.thorough(augment='spectrometer'))."
        )
    path = Path(place) / REFERENCE_FILE
    if not path.is_file() and str(model) in SHARING:
        path = Path(named_or_path("models", SHARING[str(model)])) / REFERENCE_FILE
    if not path.is_file():
        raise InputError(
            f"model must have its reference echoes beside it, but {path} is missing. Copy the "
            "whole folder that the training wrote."
        )
    corrected = Path(place) / CORRECTION_FILE
    correction = Correction.load(corrected) if corrected.exists() else None
    return Instrument(found, Reference.load(path), str(model), correction)


def echo_widths(rows: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Full widths at half maximum of rows about their tops, samples, at least 1."""
    smooth = smoothed_rows(rows, np.ones(rows.shape, bool))
    middle = rows.shape[1] // 2
    below = smooth < smooth[:, middle : middle + 1] / 2
    right = np.argmax(below[:, middle:], axis=1)
    left = np.argmax(below[:, middle::-1], axis=1)
    n_right, n_left = rows.shape[1] - middle, middle + 1
    right = np.where(below[:, middle:].any(axis=1), right, n_right)
    left = np.where(below[:, middle::-1].any(axis=1), left, n_left)
    return (left + right).astype(np.float64)
