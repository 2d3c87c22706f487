"""What a network reads off the curves, all targets at once; [P]'s conclusion asks for it.

[P]: A. Rao et al., Phys. Rev. Research 5, 043098 (2023). The kernel is told by one target per
class, 1 for its curves and 0 for others: what a least-squares fit predicts of it is the
probability of the class.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import confusion_matrix, mean_absolute_error, r2_score

from latent_nmr._interrupts import stop_if_interrupted
from latent_nmr.analysis.classification import (
    class_names,
    classes_of,
    classification_scores,
)
from latent_nmr.analysis.oversampling import Rows
from latent_nmr.analysis.scores import POWER_LAW
from latent_nmr.models.curve_regressor import CurveRegressor

WIDTHS = (512, 128, 64)
BATCH_SIZE = 64
MAX_EPOCHS, PATIENCE = 100, 20

FloatArray = npt.NDArray[np.floating]


def network(seed: int) -> CurveRegressor:
    """The unfitted network: batch norm, early stopping on a tenth of the training part."""
    return CurveRegressor(
        WIDTHS,
        activation="relu",
        batch_size=BATCH_SIZE,
        max_epochs=MAX_EPOCHS,
        patience=PATIENCE,
        random_state=seed,
    )


def read_off(
    X: FloatArray,
    values: Mapping[str, FloatArray],
    kernels: npt.NDArray[np.str_] | None,
    tasks: Sequence[str],
    fitted: Rows,
    scored: Rows,
    seed: int,
) -> dict[str, Any]:
    """Fit one network to all targets on rows `fitted`, score it on rows `scored`.

    Parameters
    ----------
    X : ndarray, shape (n_curves, n_features)
    values : mapping of ndarray, shape (n_curves,)
        Targets by name, in their own units.
    kernels : ndarray of str, shape (n_curves,), or None
        Asks for the kernel too.
    tasks : sequence of str
        What is asked of it.
    fitted, scored : ndarray of int
    seed : int

    Returns
    -------
    dict
        `regression` (scores `r2` and `mae` by target), `classification` (as from `classify`, by
        task; empty without kernels), `predicted` (n_scored, by target) and `n_epochs`.
    """
    names = [] if kernels is None else class_names(kernels)
    columns = [*values.values(), *(kernels == name for name in names)]
    wanted = np.stack(columns, axis=1).astype(np.float64)
    model = network(seed).fit(X[fitted], wanted[fitted], on_epoch=lambda _: stop_if_interrupted())
    predicted = np.asarray(model.predict(X[scored]))
    by_target = dict(zip(values, predicted.T, strict=False))
    return {
        "regression": {
            target: {
                "r2": float(r2_score(values[target][scored], told)),
                "mae": float(mean_absolute_error(values[target][scored], told)),
            }
            for target, told in by_target.items()
        },
        "classification": {}
        if kernels is None
        else _classified(kernels, tasks, fitted, scored, predicted[:, len(values) :]),
        "predicted": {target: told.tolist() for target, told in by_target.items()},
        "n_epochs": len(model.history_[0]),
    }


def _classified(
    kernels: npt.NDArray[np.str_],
    tasks: Sequence[str],
    fitted: Rows,
    scored: Rows,
    chances: FloatArray,
) -> dict[str, Any]:
    """Scores of the tasks, from the probabilities of the classes, (n_scored, n_classes).

    Classes count alike, as the other classifiers see them: each probability is taken over the
    part of the training rows that the class has.
    """
    names = np.asarray(class_names(kernels))
    shares = np.array([np.mean(kernels[fitted] == name) for name in names])
    of_power, power_share = (part[..., names == POWER_LAW] for part in (chances, shares))
    is_power = (of_power / power_share > (1 - of_power) / (1 - power_share))[:, 0]
    told = {
        "binary": np.where(is_power, POWER_LAW, "others"),
        "three-class": names[np.argmax(chances / shares, axis=1)],
    }
    found = {}
    for task in tasks:
        truth = classes_of(kernels, task)
        found[task] = {
            "scores": classification_scores(truth[scored], told[task]),
            "confusion": confusion_matrix(
                truth[scored], told[task], labels=class_names(truth)
            ).tolist(),
        }
    return found
