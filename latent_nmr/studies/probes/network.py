"""One network for the kernel and all numbers at once, as the conclusion of [P] asks for.

[P]: A. Rao et al., Phys. Rev. Research 5, 043098 (2023). The kernel is predicted by one target per
class, 1 for its curves and 0 for others: the least-squares prediction is the probability of the
class.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import confusion_matrix

from latent_nmr._interrupts import stop_if_interrupted
from latent_nmr.analysis.classification import class_names, classes_of, classification_scores
from latent_nmr.analysis.forest_regression import regression_scores
from latent_nmr.analysis.oversampling import Rows
from latent_nmr.analysis.scores import POWER_LAW
from latent_nmr.models.curve_regressor import CurveRegressor
from latent_nmr.studies._estimators import fit, predict, seeded

FloatArray = npt.NDArray[np.floating]


def default_network() -> CurveRegressor:
    """The unfitted network: batch norm, early stopping on a tenth of the training part."""
    return CurveRegressor(
        (512, 128, 64), activation="relu", batch_size=64, max_epochs=100, patience=20
    )


def predict_all(
    network: Any,
    X: FloatArray,
    values: Mapping[str, FloatArray],
    kernels: npt.NDArray[np.str_] | None,
    tasks: Sequence[str],
    fitted: Rows,
    scored: Rows,
    seed: int,
    groups: npt.NDArray | None = None,
) -> dict[str, Any]:
    """Fit one network to all targets on rows `fitted`, score it on rows `scored`.

    Parameters
    ----------
    network : estimator
        Unfitted regressor of several targets.
    X : ndarray, shape (n_curves, n_features)
    values : mapping of ndarray, shape (n_curves,)
        Targets by name, in their own units.
    kernels : ndarray of str, shape (n_curves,), or None
        Adds the kernel to the targets.
    tasks : sequence of str
        Classifications of the kernel to score.
    fitted, scored : ndarray of int
    seed : int
    groups : ndarray of int, shape (n_fitted,), or None
        Materials of the rows to fit on.

    Returns
    -------
    dict
        `regression` (as from `regression_scores`, by target), `classification` (as from
        `classify`, by task; empty without kernels) and `predicted` (n_scored, by target).
    """
    names = [] if kernels is None else class_names(kernels)
    columns = [*values.values(), *(kernels == name for name in names)]
    wanted = np.stack(columns, axis=1).astype(np.float64)
    model = seeded(network, seed)
    extra = {}
    if isinstance(model, CurveRegressor):
        extra["on_epoch"] = lambda _: stop_if_interrupted()
    model = fit(model, X[fitted], wanted[fitted], needs="predict", groups=groups, **extra)
    predicted = predict(model, X[scored], wanted.shape[1])
    by_target = dict(zip(values, predicted.T, strict=False))
    return {
        "regression": {
            target: regression_scores(values[target][scored], column)
            for target, column in by_target.items()
        },
        "classification": {}
        if kernels is None
        else classify_by_probability(kernels, tasks, fitted, scored, predicted[:, len(values) :]),
        "predicted": {target: column.tolist() for target, column in by_target.items()},
    }


def classify_by_probability(
    kernels: npt.NDArray[np.str_],
    tasks: Sequence[str],
    fitted: Rows,
    scored: Rows,
    chances: FloatArray,
) -> dict[str, Any]:
    """Scores of the tasks, from the probabilities of the classes, (n_scored, n_classes).

    All classes have equal weight, as for the other classifiers: each probability is divided by the
    fraction of the training rows that belong to the class.
    """
    names = np.asarray(class_names(kernels))
    shares = np.array([np.mean(kernels[fitted] == name) for name in names])
    of_power, power_share = (part[..., names == POWER_LAW] for part in (chances, shares))
    is_power = (of_power / power_share > (1 - of_power) / (1 - power_share))[:, 0]
    predicted = {
        "binary": np.where(is_power, POWER_LAW, "others"),
        "three-class": names[np.argmax(chances / shares, axis=1)],
    }
    found = {}
    for task in tasks:
        truth = classes_of(kernels, task)
        found[task] = {
            "scores": classification_scores(truth[scored], predicted[task]),
            "confusion": confusion_matrix(
                truth[scored], predicted[task], labels=class_names(truth)
            ).tolist(),
        }
    return found
