"""What a random forest predicts of its own training rows: by the trees that were grown without it.

As scikit-learn's `oob_score`, to the digit, but with NaN where every tree saw a row. Of few trees
that is so for some; scikit-learn warns, and takes their prediction for zero.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from latent_nmr._splits import Rows, siblings


def out_of_bag(
    forest: Any, X: npt.NDArray[np.floating], groups: Rows | None = None
) -> npt.NDArray[np.float64]:
    """Mean prediction of the trees that saw neither a row nor another of its group.

    Parameters
    ----------
    forest : RandomForestRegressor or RandomForestClassifier
        Fitted to `X`, with bootstrap.
    X : ndarray, shape (n_rows, n_features)
    groups : ndarray of int, shape (n_rows,), or None
        Of K rows of a group each, a tree sees none with probability exp(-K).

    Returns
    -------
    ndarray, shape (n_rows,), or (n_rows, n_classes) of probabilities
        NaN for rows of which every tree saw one of the group.
    """
    X = np.ascontiguousarray(X, np.float32)  # as trees hold it
    is_classifier = hasattr(forest, "classes_")
    total = np.zeros((len(X), len(forest.classes_)) if is_classifier else len(X))
    n_trees = np.zeros(len(X))
    for tree, drawn in zip(forest.estimators_, forest.estimators_samples_, strict=True):
        is_outside = np.ones(len(X), bool)
        is_outside[siblings(np.unique(drawn), groups)] = False
        if not is_outside.any():
            continue
        predict = tree.predict_proba if is_classifier else tree.predict
        total[is_outside] += predict(X[is_outside], check_input=False)
        n_trees += is_outside
    n_trees[n_trees == 0] = np.nan
    return total / (n_trees[:, np.newaxis] if is_classifier else n_trees)
