"""Fits and scores of the challenge, model by model and seed by seed.

A test part of each seed is only scored; the epoch of a network is chosen on a validation part of
its own, except for the model called `peeking`, which chooses it on the test part as a public
notebook did, to measure what that adds.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from latent_nmr._files import staged_folder
from latent_nmr._interrupts import stop_if_interrupted
from latent_nmr._splits import split_rows
from latent_nmr.analysis.challenge_scores import challenge_scores
from latent_nmr.models.curve_regressor import CurveRegressor
from latent_nmr.models.persistence import write_files
from latent_nmr.studies._estimators import fit, predict
from latent_nmr.studies._identity import digest_of
from latent_nmr.studies._ledger import STEPS_FOLDER, Step
from latent_nmr.studies.challenge._contenders import PEEKING, Contender
from latent_nmr.studies.challenge._data import Material
from latent_nmr.studies.challenge._editions import inputs_of

TEST_FRACTION = 0.1
# Curves over which gradients are taken.
SALIENT_CURVES = 256

FloatArray = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


class Contest:
    """Fits and scores of one edition.

    Parameters
    ----------
    material : Material
    folder : Path or None
        Where networks of the first seed are kept, each with the step that fitted it.
    """

    def __init__(self, material: Material, folder: Path | None):
        self.material = material
        self._folder = None if folder is None else folder / STEPS_FOLDER
        self._inputs: dict[tuple[str, str], npt.NDArray[np.float32]] = {}

    def split(self, seed: int) -> tuple[Rows, Rows]:
        """Rows to fit on and to test on."""
        return fitted_and_tested(len(self.material.targets), seed, groups=self.material.groups)

    def step(self, contender: Contender, seed: int) -> Step:
        """Fit and scores of a model, known by the model's own parameters."""
        n_features = self.inputs("own", contender.inputs).shape[1]
        facts = {
            "model": contender.name,
            "seed": seed,
            "inputs": contender.inputs,
            "estimator": contender.digest(self.material.edition, n_features, seed),
        }
        return Step(facts, lambda: self._compute(contender, facts))

    def network_folder(self, facts: dict[str, Any]) -> Path | None:
        """Where the network of a step is kept, if it is one of the first seed."""
        if self._folder is None or facts["seed"] or facts["model"] == PEEKING:
            return None
        return self._folder / f"network-{digest_of(facts, self.material.identity)}"

    def inputs(self, part: str, kind: str) -> npt.NDArray[np.float32]:
        """What models see of a set: `own`, `evaluation`, or a further set by its name."""
        if (part, kind) not in self._inputs:
            material = self.material
            datasets: dict[str, Any] = {
                name: dataset for name, (dataset, _) in material.others.items()
            }
            datasets |= {"own": material.dataset, "evaluation": material.evaluation}
            self._inputs[part, kind] = inputs_of(material.edition, datasets[part], kind)
        return self._inputs[part, kind]

    def _compute(self, contender: Contender, facts: dict[str, Any]) -> dict[str, Any]:
        """Fit a model and score it."""
        kind, seed = contender.inputs, facts["seed"]
        X, y = self.inputs("own", kind), self.material.targets
        fitted, tested = self.split(seed)
        own = self.material.groups
        groups = None if own is None else own[fitted]
        model = contender.make(self.material.edition, X.shape[1], seed)
        start = time.perf_counter()
        if contender.name == PEEKING:
            both = np.concatenate([fitted, tested])
            chosen = np.arange(len(fitted), len(both))
            model.fit(X[both], y[both], validation_rows=chosen, on_epoch=_mind_interrupts)
        elif isinstance(model, CurveRegressor):
            model.fit(X[fitted], y[fitted], groups=groups, on_epoch=_mind_interrupts)
        else:
            model = fit(model, X[fitted], y[fitted], needs="predict", groups=groups)
        seconds = time.perf_counter() - start
        predicted = self._predict(model, X[tested])
        result: dict[str, Any] = {
            "seconds": seconds,
            "scores": self._scores(y[tested], predicted, fitted),
            "others": {
                name: self._scores(truth, self._predict(model, self.inputs(name, kind)), fitted)
                for name, (_, truth) in self.material.others.items()
            },
        }
        if contender.name == PEEKING:
            return result
        if self.material.evaluation is not None:
            asked = self._predict(model, self.inputs("evaluation", kind))
            known = self.material.evaluation_targets
            if known is not None:
                result["evaluation"] = self._scores(known, asked, fitted)
            if seed == 0:
                result["submission"] = asked.tolist()
        result["predicted"] = predicted.tolist()
        if seed == 0 and isinstance(model, CurveRegressor):
            self._keep(contender, model, facts)
            mean, mean_absolute = model.saliency(X[tested][:SALIENT_CURVES])
            result |= {"saliency": mean.tolist(), "absolute_saliency": mean_absolute.tolist()}
        return result

    def _predict(self, model: Any, X: npt.NDArray[np.float32]) -> FloatArray:
        return np.asarray(predict(model, X, self.material.targets.shape[1]), np.float64)

    def _scores(self, truth: FloatArray, predicted: FloatArray, fitted: Rows) -> dict[str, float]:
        scales = self.material.targets[fitted].std(axis=0)
        return challenge_scores(truth, predicted, scales, list(self.material.edition.targets))

    def _keep(self, contender: Contender, model: CurveRegressor, facts: dict[str, Any]) -> None:
        """Save a network."""
        folder = self.network_folder(facts)
        if folder is None:
            return
        edition = self.material.edition
        metadata = {
            "edition": edition.name,
            "targets": edition.targets,
            "inputs": contender.inputs,
            "window": [edition.window.start, edition.window.stop],
            "stride": edition.stride,
            "data": self.material.source,
            **self.material.identity,
        }
        with staged_folder(folder) as staging:
            write_files(model, staging, metadata)


def fitted_and_tested(n_curves: int, seed: int, *, groups: Rows | None = None) -> tuple[Rows, Rows]:
    """Rows to fit on and to test on; a tenth of the materials is for the test."""
    fitted, tested = split_rows(np.arange(n_curves), TEST_FRACTION, seed, groups=groups)
    return np.sort(fitted), np.sort(tested)


def _mind_interrupts(record: object) -> None:  # noqa: ARG001
    stop_if_interrupted()
