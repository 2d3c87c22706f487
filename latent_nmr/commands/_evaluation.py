"""An evaluation: fit every representation on the training part, score it on what was held out.

Every fit and every score is kept in a folder as soon as it is there, so that a killed evaluation
goes on where it was.
"""

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from latent_nmr._files import write_json
from latent_nmr.analysis.scores import (
    chance_scores,
    forest_scores,
    neighbour_scores,
    shape_scores,
)
from latent_nmr.commands._evaluation_data import FITTED, Material
from latent_nmr.commands._representations import (
    METHODS,
    Embedding,
    Fit,
    embed,
    fit_and_embed,
)
from latent_nmr.errors import AxisWarning
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.many import fit_many
from latent_nmr.report.score_table import Row

N_FORESTS = 8  # four regressions, L of two groups of kernels, two classifications
FOREST_SEED = 0

Step = Callable[[str], None]


class Workshop:
    """Fits, scores and models of one evaluation, kept in a folder.

    Parameters
    ----------
    folder : Path
    material : Material
    on_step : callable
        Called with a few words when a fit, a set of scores or a forest is done.
    """

    def __init__(self, folder: Path, material: Material, on_step: Step):
        self.folder, self.material, self.on_step = folder, material, on_step
        for name in ("fits", "models", "scores"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def embedding(self, fit: Fit) -> Embedding | None:
        """A fit that is done, or None."""
        path = self.folder / "fits" / f"{fit.stem}.npz"
        return Embedding.read(path) if path.is_file() else None

    def complete(self, fits: Sequence[Fit], metadata: Mapping[str, Any]) -> None:
        """Make what is missing of `fits`; β-VAEs of a dimension are trained side by side."""
        missing = [fit for fit in fits if self.embedding(fit) is None]
        for fit in (fit for fit in missing if fit.method != "vae"):
            self._keep(
                fit, fit_and_embed(fit, self.material.curves[FITTED], self.material.curves)[1]
            )
        for n_components in dict.fromkeys(fit.n_components for fit in missing):
            seeds = [
                fit.seed
                for fit in missing
                if fit.method == "vae" and fit.n_components == n_components
            ]
            if seeds:
                self._train(n_components, seeds, metadata)

    def adopt(self, fit: Fit, model: BetaVAE) -> None:
        """Embed with a model that came ready."""
        if self.embedding(fit) is None:
            self._keep(fit, embed(model, self.material.curves, seconds=float("nan")))

    def _train(self, n_components: int, seeds: Sequence[int], metadata: Mapping[str, Any]) -> None:
        def keep(model: BetaVAE) -> None:
            fit = Fit("vae", n_components, int(model.random_state or 0))
            model.save(self.folder / "models" / fit.stem, metadata)
            # Its own epochs; models trained side by side share the processor.
            seconds = sum(record.seconds for record in model.history_)
            self._keep(fit, embed(model, self.material.curves, seconds=seconds))

        template = BetaVAE(n_components=n_components)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AxisWarning)  # live axes are a score of the table
            fit_many(self.material.curves[FITTED], seeds=seeds, model=template, on_fit=keep)

    def _keep(self, fit: Fit, embedding: Embedding) -> None:
        embedding.write(self.folder / "fits" / f"{fit.stem}.npz")
        self.on_step(f"{fit.method}, {fit.n_components}")

    def _remembered(self, name: str, make: Callable[[], Any]) -> Any:
        path = self.folder / "scores" / f"{name}.json"
        if not path.is_file():
            write_json(path, make())
        return json.loads(path.read_text("utf-8"))

    def scores(self, fit: Fit, part: str) -> dict[str, dict[str, float]]:
        """Scores of a fit on `part`, and those with shuffled labels."""

        def make() -> dict[str, dict[str, float]]:
            embedding = self.embedding(fit)
            assert embedding is not None  # `complete` made it
            fitted, scored = embedding.parts[FITTED], embedding.parts[part]
            labels = self.material.pair(part)
            found: dict[str, float] = {}
            if part in embedding.rms:
                found["rms"] = embedding.rms[part]
            if embedding.live_axes is not None:
                found["live_axes"] = embedding.live_axes
            found |= shape_scores(fitted, scored, self.material.curves[part], labels)
            if labels is None:
                return {"scores": found, "shuffled": {}}
            found |= neighbour_scores(fitted, scored, labels)
            # Each fit has a shuffle of its own, or the floor of many would be that of a few.
            own = METHODS.index(fit.method), fit.n_components, fit.seed
            shuffled = neighbour_scores(fitted, scored, labels.shuffled(*own))
            return {"scores": found, "shuffled": shuffled}

        known = self._remembered(f"{fit.stem}-on-{part}", make)
        self.on_step(f"scores of {fit.method}, {fit.n_components}")
        return known

    def ceiling(self) -> dict[str, dict[str, float]]:
        """Scores of the forests, by part."""
        curves = self.material.curves
        pairs = {part: self.material.pair(part) for part in self.material.scored_parts}
        labels = {part: pair for part, pair in pairs.items() if pair is not None}

        def make() -> dict[str, dict[str, float]]:
            return forest_scores(
                curves[FITTED],
                {part: curves[part] for part in labels},
                labels,
                random_state=FOREST_SEED,
                on_forest=lambda: self.on_step("random forests"),
            )

        return self._remembered("ceiling", make) if labels else {}


def rows_of(workshop: Workshop, fits: Sequence[Fit], part: str) -> list[Row]:
    """The table of one part: methods by dimension, then floor, then ceiling."""
    rows, floors = [], {}
    for n_components in sorted({fit.n_components for fit in fits}):
        group = [fit for fit in fits if fit.n_components == n_components]
        shuffled: list[dict[str, float]] = []
        for method in dict.fromkeys(fit.method for fit in group):
            own = [fit for fit in group if fit.method == method]
            known = [workshop.scores(fit, part) for fit in own]
            shuffled += [entry["shuffled"] for entry in known]
            seconds = [workshop.embedding(fit).seconds for fit in own]  # type: ignore[union-attr]
            rows.append(
                Row(
                    method,
                    n_components,
                    tuple(fit.seed for fit in own),
                    gathered([entry["scores"] for entry in known]),
                    seconds=tuple(seconds) if np.isfinite(seconds).all() else (),
                )
            )
        floors[n_components] = gathered(shuffled)
        if floors[n_components]:
            seeds = tuple(range(len(shuffled)))
            rows.append(Row("shuffled", n_components, seeds, floors[n_components], role="floor"))
    return rows


def gathered(entries: Sequence[Mapping[str, float]]) -> dict[str, tuple[float, ...]]:
    """One tuple per score, with a value of every entry; scores that one lacks are left out."""
    names = [name for name in entries[0] if all(name in entry for entry in entries)]
    return {name: tuple(float(entry[name]) for entry in entries) for name in names}


def expected_floor(material: Material, part: str) -> dict[str, float]:
    """What shuffled labels give on average."""
    labels = material.pair(part)
    return {} if labels is None else chance_scores(labels)
