"""A run of the challenge, step by step: fits, scores, and what two public flaws add.

Every fit is kept as soon as it is done. A test part of each seed is only scored; the epoch of a
network is chosen on a validation part of its own, except in the steps called `peeking`, which
choose it on the test part as a public notebook did, to measure what that adds.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from sklearn.model_selection import train_test_split

from latent_nmr._files import staged_folder
from latent_nmr._interrupts import stop_if_interrupted
from latent_nmr.analysis.challenge_scores import challenge_scores
from latent_nmr.commands._challenge_data import Material, inputs_of
from latent_nmr.models.challenge_models import INPUTS, make_model
from latent_nmr.models.curve_regressor import CurveRegressor
from latent_nmr.models.regression_files import write_files

TEST_FRACTION = 0.1
PEEKING = "peeking"
# Whose choice of the epoch on the test part is measured.
PEEKED = "deep"
# Curves over which gradients are taken.
SALIENT_CURVES = 256

FloatArray = npt.NDArray[np.float64]


# Further sets, which are scored only, and their targets, by name.
Others = Mapping[str, tuple[xr.Dataset, FloatArray]]


class Contest:
    """Fits and scores of one edition.

    Parameters
    ----------
    material : Material
    others : Others
    models_folder : Path
        Where networks of the first seed are kept.
    """

    def __init__(self, material: Material, others: Others, models_folder: Path):
        self.material, self.others, self._folder = material, others, models_folder
        models_folder.mkdir(parents=True, exist_ok=True)
        self._inputs: dict[tuple[str, str], npt.NDArray[np.float32]] = {}

    def split(self, seed: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Rows to fit on and to test on."""
        return split_rows(len(self.material.targets), seed)

    def step_names(self, models: Sequence[str], n_seeds: int) -> list[tuple[str, int]]:
        """Model and seed of every step, in order."""
        names = [*models, PEEKING] if PEEKED in models else list(models)
        return [(name, seed) for seed in range(n_seeds) for name in names]

    def compute(self, name: str, seed: int) -> dict[str, Any]:
        """Fit a model and score it."""
        model_name = PEEKED if name == PEEKING else name
        kind = INPUTS[model_name]
        X = self.inputs("own", kind)
        fitted, tested = self.split(seed)
        edition = self.material.edition
        model = make_model(model_name, edition.name, list(edition.targets), X.shape[1], seed)
        start = time.perf_counter()
        y = self.material.targets
        if name == PEEKING:
            both = np.concatenate([fitted, tested])
            chosen = np.arange(len(fitted), len(both))
            model.fit(X[both], y[both], validation_rows=chosen, on_epoch=_mind_interrupts)
        elif isinstance(model, CurveRegressor):
            model.fit(X[fitted], y[fitted], on_epoch=_mind_interrupts)
        else:
            model.fit(X[fitted], y[fitted])
        seconds = time.perf_counter() - start
        predicted = np.asarray(model.predict(X[tested]), np.float64)
        result: dict[str, Any] = {
            "seconds": seconds,
            "scores": self._scores(y[tested], predicted, fitted),
            "others": self._scores_elsewhere(model, kind, fitted),
        }
        if name == PEEKING:
            return result
        evaluation = self.material.evaluation
        if evaluation is not None:
            asked = np.asarray(model.predict(self.inputs("evaluation", kind)), np.float64)
            known = self.material.evaluation_targets
            if known is not None:
                result["evaluation"] = self._scores(known, asked, fitted)
            if seed == 0:
                result["submission"] = asked.tolist()
        result["predicted"] = predicted.tolist()
        if seed == 0:
            result |= self._keep(name, model, X[tested][:SALIENT_CURVES])
        return result

    def inputs(self, which: str, kind: str) -> npt.NDArray[np.float32]:
        """What models see of a set: `own`, `evaluation`, or a further set by its name."""
        if (which, kind) not in self._inputs:
            if which == "own":
                dataset = self.material.dataset
            elif which == "evaluation":
                dataset = self.material.evaluation
            else:
                dataset = self.others[which][0]
            assert dataset is not None  # asked for where there is one
            self._inputs[which, kind] = inputs_of(self.material.edition, dataset, kind)
        return self._inputs[which, kind]

    def _scores(
        self, truth: FloatArray, predicted: FloatArray, fitted: npt.NDArray[np.int64]
    ) -> dict[str, float]:
        scales = self.material.targets[fitted].std(axis=0)
        return challenge_scores(truth, predicted, scales, list(self.material.edition.targets))

    def _scores_elsewhere(
        self, model: Any, kind: str, fitted: npt.NDArray[np.int64]
    ) -> dict[str, dict[str, float]]:
        return {
            name: self._scores(truth, np.asarray(model.predict(self.inputs(name, kind))), fitted)
            for name, (_, truth) in self.others.items()
        }

    def _keep(
        self, name: str, model: Any, rows: npt.NDArray[np.float32]
    ) -> dict[str, list[list[float]]]:
        """Save a network and return its gradients over the record."""
        if not isinstance(model, CurveRegressor):
            return {}
        edition = self.material.edition
        metadata = {
            "edition": edition.name,
            "targets": edition.targets,
            "inputs": INPUTS[name],
            "window": [edition.window.start, edition.window.stop],
            "stride": edition.stride,
            "data": self.material.source,
            **self.material.identity,
        }
        with staged_folder(self._folder / name) as staging:
            write_files(model, staging, metadata)
        mean, mean_absolute = model.saliency(rows)
        return {"saliency": mean.tolist(), "absolute_saliency": mean_absolute.tolist()}


def split_rows(n_curves: int, seed: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows to fit on and to test on, of so many."""
    fitted, tested = train_test_split(
        np.arange(n_curves), test_size=TEST_FRACTION, random_state=seed
    )
    return np.sort(fitted), np.sort(tested)


def _mind_interrupts(record: object) -> None:  # noqa: ARG001
    stop_if_interrupted()
