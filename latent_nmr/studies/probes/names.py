"""Names of what a probe fits, on what and to what, and their titles in tables and figures."""

from latent_nmr.analysis.classification import TASKS
from latent_nmr.analysis.screening import BIN_EDGES

POINTS, POLYNOMIAL, PCA, LATENT = "points", "polynomial", "pca", "latent"
KINDS = (POINTS, POLYNOMIAL, PCA, LATENT)
# Kinds side by side in one name: points+latent.
JOIN = "+"
KIND_TITLES = {POINTS: "points", POLYNOMIAL: "polynomials", PCA: "PCA", LATENT: "latent axes"}

KERNEL = "kernel"
BINARY = TASKS[0]
TARGETS = (KERNEL, "W", "L", "alpha_x", "alpha_z")

CLASSIFIER_TITLES = {
    "logistic": "logistic regression",
    "knn": "k-NN",
    "linear_svm": "linear SVM",
    "kernel_svm": "kernel SVM",
    "sgd": "SGD",
    "tree": "tree",
    "forest": "random forest",
    "boosting": "gradient boosting",
}
TASK_TITLES = {"binary": "power law or not", "three-class": "three kernels"}
GROUP_TITLES = {"all": "all kernels", "power": "power law", "others": "Gaussian and RKKY"}

FOREST, NETWORK = "forest", "network"
REGRESSORS = (FOREST, NETWORK)
# Labels that a model was fitted to; those of the training part permuted for the negative control.
GIVEN, SHUFFLED = "given", "shuffled"

TRUE, PREDICTED = "true", "predicted"
LEAKY = "leaky"


def features_title(name: str) -> str:
    """Words for one kind of features, or for several side by side."""
    return " + ".join(KIND_TITLES.get(kind, kind) for kind in name.split(JOIN))


def bin_title(number: int) -> str:
    """Range of a bin in words."""
    return f"W {BIN_EDGES[number]:g} to {BIN_EDGES[number + 1]:g} MHz"


def model_name(model: str, labels: str) -> str:
    """Name of a model in the tables: that of a negative control says so."""
    if labels == GIVEN:
        return model
    return SHUFFLED if model == FOREST else f"{model}, {SHUFFLED}"


def is_control(name: str) -> bool:
    """Whether a name in the tables is that of a negative control."""
    return name == SHUFFLED or name.endswith(f", {SHUFFLED}")


def model_title(name: str) -> str:
    """Words for a model, by its name in the tables."""
    if name == SHUFFLED:
        return "forest, shuffled labels"
    if is_control(name):
        return f"{name} labels"
    return CLASSIFIER_TITLES.get(name, name)


def series_title(features: str, model: str, *, is_alone: bool = False) -> str:
    """Words for features and the model on them, unless it is the only one."""
    return features_title(features) + ("" if is_alone else f", {model}")
