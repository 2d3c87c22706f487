"""Classification of curves by their kernel: the classifiers of [P], Table I, and their scores.

[P]: A. Rao et al., Phys. Rev. Research 5, 043098 (2023). F1 is reported with its averaging mode,
which [P] does not state: `binary` is that of the class power law, `macro` the unweighted mean over
classes, `weighted` the mean weighted by class size.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

from latent_nmr._splits import Rows, folds, split_rows
from latent_nmr.analysis.out_of_bag import out_of_bag
from latent_nmr.analysis.oversampling import leaky_split, oversample
from latent_nmr.analysis.scores import N_NEIGHBOURS, POWER_LAW

TREES = 100
N_FOLDS = 5
# Minimum number of curves in a leaf, so that a single tree does not overfit its training set.
TREE_LEAF = 20
KERNEL_CACHE_MB = 500
# With scikit-learn's defaults, ten thousand curves with strongly correlated columns take minutes.
SGD_PASSES, SVM_TOLERANCE = 50, 1e-3

Matrix = npt.NDArray[np.floating]
Labels = npt.NDArray[np.generic]
Maker = Callable[[int], Any]

# From a seed to an estimator. Methods that are not invariant to the scale of the columns get them
# standardised by the mean and standard deviation of the training rows.
CLASSIFIERS: Mapping[str, Maker] = {
    "logistic": lambda seed: scaled(
        # A second-order solver: neighbouring samples are strongly correlated, which makes
        # first-order methods converge slowly.
        LogisticRegression(solver="newton-cholesky", random_state=seed)
    ),
    "knn": lambda seed: scaled(KNeighborsClassifier(N_NEIGHBOURS)),  # noqa: ARG005
    "linear_svm": lambda seed: scaled(LinearSVC(dual=False, tol=SVM_TOLERANCE, random_state=seed)),
    "kernel_svm": lambda seed: scaled(SVC(cache_size=KERNEL_CACHE_MB, random_state=seed)),
    "sgd": lambda seed: scaled(
        SGDClassifier(average=True, max_iter=SGD_PASSES, tol=None, random_state=seed)
    ),
    "tree": lambda seed: DecisionTreeClassifier(min_samples_leaf=TREE_LEAF, random_state=seed),
    "forest": lambda seed: forest_maker(TREES)(seed),
    "boosting": lambda seed: HistGradientBoostingClassifier(random_state=seed),
}
TASKS = ("binary", "three-class")


def scaled(estimator: ClassifierMixin) -> Any:
    """Pipeline that standardises the columns before `estimator`."""
    return make_pipeline(StandardScaler(), estimator)


def forest_maker(n_trees: int) -> Maker:
    """Return a function that makes a random forest of `n_trees` trees from a seed."""
    return lambda random_state: RandomForestClassifier(
        n_trees, n_jobs=-1, random_state=random_state
    )


def classes_of(kernels: npt.NDArray[np.str_], task: str) -> npt.NDArray[np.str_]:
    """Class of every curve: its kernel, or for the task `binary` ``power`` or ``others``."""
    return kernels if task == "three-class" else np.where(kernels == POWER_LAW, POWER_LAW, "others")


def class_names(labels: Labels) -> list[str]:
    """Classes in the order of the confusion matrices: the power law last of two."""
    return sorted(set(labels.tolist()))


def classification_scores(truth: Labels, predicted: Labels) -> dict[str, float]:
    """Accuracy and F1 with each averaging mode; `f1_binary` only for the task `binary`."""
    found = {"accuracy": float(accuracy_score(truth, predicted))}
    for average in ("macro", "weighted"):
        found[f"f1_{average}"] = float(f1_score(truth, predicted, average=average))
    if set(np.unique(truth).tolist()) == {POWER_LAW, "others"}:
        found["f1_binary"] = float(f1_score(truth, predicted, pos_label=POWER_LAW))
    return found


def classify(
    maker: Maker, X: Matrix, labels: Labels, fitted: Rows, scored: Rows, random_state: int
) -> dict[str, Any]:
    """Fit a classifier on the balanced training rows and score it on others.

    Parameters
    ----------
    maker : callable
        From a seed to an unfitted classifier, such as one of `CLASSIFIERS`.
    X : ndarray, shape (n_curves, n_features)
        Features.
    labels : ndarray of str, shape (n_curves,)
        Class of every curve.
    fitted, scored : ndarray of int
        Training and test rows; smaller classes are oversampled in `fitted` only.
    random_state : int
        Seed of the oversampling and of the classifier.

    Returns
    -------
    dict
        `scores`, `confusion` (counts; rows are true classes in the order of `class_names`) and
        `importances`, None if the classifier has none.
    """
    rows = oversample(labels, fitted, random_state)
    # The threads of the boosting wait for each other in busy loops: on a loaded machine one thread
    # is fifty times faster than two.
    with threadpool_limits(1, user_api="openmp"):
        model = maker(random_state).fit(X[rows], labels[rows])
        predicted = model.predict(X[scored])
    names = class_names(labels)
    importances = getattr(model, "feature_importances_", None)
    return {
        "scores": classification_scores(labels[scored], predicted),
        "confusion": confusion_matrix(labels[scored], predicted, labels=names).tolist(),
        "importances": None if importances is None else importances.tolist(),
    }


def resampled_scores(
    X: Matrix,
    labels: Labels,
    fitted: Rows,
    random_state: int,
    *,
    groups: Rows | None = None,
    n_trees: int = TREES,
) -> dict[str, Any]:
    """Out-of-bag and five-fold scores of a random forest within the training set.

    For out-of-bag scores, classes are balanced by weights: with repeated rows, a tree would be
    scored on copies of the rows that it was grown on. The size of that error is measured as well.

    Parameters
    ----------
    X : ndarray, shape (n_curves, n_features)
        Features.
    labels : ndarray of str, shape (n_curves,)
        Class of every curve.
    fitted : ndarray of int
        Training rows.
    random_state : int
        Seed of the forests and of the folds.
    groups : ndarray of int, shape (n_curves,), or None
        Curves of one group are in one fold, and out of bag together.
    n_trees : int
        Number of trees.

    Returns
    -------
    dict of dict
        Scores under `out_of_bag`, `five_fold` (means over folds) and, unless all classes have the
        same size, `out_of_bag_leaky`; without out-of-bag scores where every tree saw a curve of
        every group.
    """
    weighted = RandomForestClassifier(
        n_trees, class_weight="balanced_subsample", n_jobs=-1, random_state=random_state
    ).fit(X[fitted], labels[fitted])
    maker = forest_maker(n_trees)
    by_fold = [
        classify(maker, X, labels, inside, outside, random_state)["scores"]
        for inside, outside in folds(fitted, N_FOLDS, random_state, stratify=labels, groups=groups)
    ]
    found = {
        "out_of_bag": _out_of_bag_scores(weighted, X, labels, fitted, groups),
        "five_fold": {name: float(np.mean([f[name] for f in by_fold])) for name in by_fold[0]},
    }
    repeated = oversample(labels, fitted, random_state)
    if len(repeated) > len(fitted):
        leaky = RandomForestClassifier(n_trees, n_jobs=-1, random_state=random_state)
        leaky.fit(X[repeated], labels[repeated])
        # On purpose, as the leak: copies and siblings count as other rows.
        found["out_of_bag_leaky"] = _out_of_bag_scores(leaky, X, labels, repeated, None)
    return {name: scores for name, scores in found.items() if scores}


def leak_scores(
    X: Matrix,
    labels: Labels,
    rows: Rows,
    *,
    fraction: float,
    random_state: int,
    groups: Rows | None = None,
    n_trees: int = TREES,
) -> dict[str, Any]:
    """Measure how much oversampling before the split inflates the scores of a random forest.

    Parameters
    ----------
    X : ndarray, shape (n_curves, n_features)
        Features.
    labels : ndarray of str, shape (n_curves,)
        Class of every curve.
    rows : ndarray of int
        Rows to use.
    fraction : float
        Fraction of the rows in the test set.
    random_state : int
        Seed of splits, oversampling and forests.
    groups : ndarray of int, shape (n_curves,), or None
        Curves of one group are on one side of every split but the leaky one.
    n_trees : int
        Number of trees.

    Returns
    -------
    dict
        Scores under `leaky` (oversampled before the split, as published), `balanced` (split first,
        then both sets oversampled separately, so that the test classes have equal sizes as in the
        leaky case) and `honest` (test set not oversampled); and `shared`, the fraction of the leaky
        test rows that are also training rows.
    """
    wrong_fitted, wrong_scored = leaky_split(
        labels, rows, fraction=fraction, random_state=random_state
    )
    maker = forest_maker(n_trees)
    forest = maker(random_state).fit(X[wrong_fitted], labels[wrong_fitted])
    leaky = classification_scores(labels[wrong_scored], forest.predict(X[wrong_scored]))
    fitted, scored = split_rows(rows, float(fraction), random_state, stratify=labels, groups=groups)
    repeated = oversample(labels, fitted, random_state)
    forest = maker(random_state).fit(X[repeated], labels[repeated])
    found = {"leaky": leaky}
    for name, test in (("balanced", oversample(labels, scored, random_state)), ("honest", scored)):
        found[name] = classification_scores(labels[test], forest.predict(X[test]))
    return {**found, "shared": float(np.isin(wrong_scored, wrong_fitted).mean())}


def _out_of_bag_scores(
    forest: RandomForestClassifier, X: Matrix, labels: Labels, rows: Rows, groups: Rows | None
) -> dict[str, float]:
    """Scores on the training rows, each predicted by the trees that were grown without it."""
    truth = labels[rows]
    probabilities = out_of_bag(forest, X[rows], None if groups is None else groups[rows])
    is_known = np.isfinite(probabilities[:, 0])
    if not is_known.any():
        return {}
    predicted = forest.classes_[np.argmax(probabilities[is_known], axis=1)]
    return classification_scores(truth[is_known], predicted)
