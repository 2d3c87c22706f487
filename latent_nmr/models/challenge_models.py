"""The models of the challenge by name: the course's, the public networks, the winners', ours.

Each is an estimator and the part of the record that it sees. [H]: the NMR challenge of the ML4SCI
hackathon, 2020 and 2021.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from latent_nmr.errors import check_choice
from latent_nmr.models.curve_regressor import CurveRegressor
from latent_nmr.models.regression_network import PUBLISHED_ACTIVATIONS
from latent_nmr.models.targetwise import winners_pipeline

MODELS = ("baseline", "deep", "winners", "best")
# For figures.
SHORT_TITLES = {
    "baseline": "course baseline",
    "deep": "public network",
    "winners": "winners of 2020",
    "best": "ours",
}
# Inputs of a model: Re and Im of M in the window around the echo or on the whole record, and
# |M| beside them.
WINDOW, RECORD, RECORD_AND_LENGTH = "window", "record", "record+length"
INPUTS = {"baseline": WINDOW, "deep": WINDOW, "winners": RECORD, "best": RECORD_AND_LENGTH}

GAUSS_ACTIVATIONS = PUBLISHED_ACTIVATIONS
RKKY_ACTIVATIONS = ("selu", "relu", "selu", "relu", "selu", "relu")
WIDTH = 200
N_NETWORKS, BEST_EPOCHS = 4, 100


@dataclass(frozen=True)
class DeepNetwork:
    """Public network of an edition: activation of every layer, and number of epochs."""

    activations: tuple[str, ...]
    n_epochs: int


DEEP = {
    "2021-gauss": DeepNetwork(GAUSS_ACTIVATIONS, 150),
    "2021-rkky": DeepNetwork(RKKY_ACTIVATIONS, 200),
}
# Editions without a public network get that of the Gaussian set.
DEFAULT_DEEP = DEEP["2021-gauss"]
BASELINE_SIZES = {"2020": (400, 200, 24)}
DEFAULT_BASELINE = (100, 40)
BASELINE_EPOCHS = 100


def make_model(
    name: str, edition: str, targets: Sequence[str], n_features: int, random_state: int
) -> Any:
    """An unfitted estimator.

    Parameters
    ----------
    name : str
        One of `MODELS`.
    edition : str
    targets : sequence of str
    n_features : int
        Number of columns of its input.
    random_state : int
    """
    check_choice("model", name, MODELS)
    if name == "winners":
        return winners_pipeline(targets, n_features)
    deep = DEEP.get(edition, DEFAULT_DEEP)
    baseline = {
        "hidden_layer_sizes": BASELINE_SIZES.get(edition, DEFAULT_BASELINE),
        "activation": "relu",
        "batch_norm": False,
        "solver": "adam",
        "max_epochs": BASELINE_EPOCHS,
        "plateau_factor": 1.0,
        "random_state": random_state,
    }
    public = {
        "hidden_layer_sizes": (WIDTH,) * len(deep.activations),
        "activation": deep.activations,
        "max_epochs": deep.n_epochs,
        "random_state": random_state,
    }
    if name == "baseline":
        return CurveRegressor(**baseline)
    if name == "deep":
        return CurveRegressor(**public)
    if edition in BASELINE_SIZES:
        # No public network was made for these curves, and that of another set does worse on them.
        return CurveRegressor(**baseline, n_networks=N_NETWORKS)
    return CurveRegressor(**{**public, "max_epochs": BEST_EPOCHS}, n_networks=N_NETWORKS)
