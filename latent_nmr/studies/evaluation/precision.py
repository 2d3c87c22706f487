"""The best β-VAE of an evaluation, and what its scores lose where weights take half the bytes."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latent_nmr.errors import InputError
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.studies.evaluation._echoes import evaluate_echoes
from latent_nmr.studies.evaluation._fits import MODELS_FOLDER
from latent_nmr.studies.evaluation._result import EvaluationResult

if TYPE_CHECKING:
    import xarray as xr


def best_vae(folder: Path, n_components: int = 2) -> tuple[BetaVAE, dict[str, Any]]:
    """The β-VAE with the lowest loss on its own validation curves: the held-out part has no say.

    Parameters
    ----------
    folder : Path
        That an evaluation was kept in.
    n_components : int

    Returns
    -------
    model : BetaVAE
    fit : dict
        Its entry among the facts of the result; `saved` is its name.

    Raises
    ------
    InputError
        If there is none of this dimension.
    """
    fits = EvaluationResult.load(folder).facts["fits"]
    own = [fit for fit in fits if (fit["kind"], fit["n_components"]) == ("vae", n_components)]
    if not own:
        raise InputError(
            f"n_components must be that of a β-VAE of the evaluation, but {folder} has none with "
            f"{n_components}. Evaluate with n_components {n_components}."
        )
    best = min(own, key=lambda fit: (fit["validation_loss"], fit["saved"]))
    return BetaVAE.load(folder / MODELS_FOLDER / best["saved"]), best


def scores_by_precision(
    model: BetaVAE, dataset: "xr.Dataset", **settings: Any
) -> tuple[dict[str, dict[str, dict[str, float]]], float]:
    """Every score of a trained model and of the same model with weights in half precision.

    Parameters
    ----------
    model : BetaVAE
    dataset : xarray.Dataset
    **settings
        Window, normalisation, split and further sets of the evaluation, as for `evaluate_echoes`.

    Returns
    -------
    scores : dict
        By precision (`single`, `half`), part and score.
    largest_change : float
        Largest difference of a score between the two.
    """
    with tempfile.TemporaryDirectory() as scratch:
        model.save(Path(scratch) / "half", model.metadata_, precision="half")
        models = {"single": model, "half": BetaVAE.load(Path(scratch) / "half")}
        result = evaluate_echoes(
            dataset, {}, models=list(models.values()), ceiling=False, **settings
        )
    own = result.records[result.records["role"] == "method"]
    own = own[own["score"] != "active_axes"]
    scores: dict[str, dict[str, dict[str, float]]] = {}
    for row in own.to_dict("records"):
        of_model = scores.setdefault(list(models)[row["seed"]], {})
        of_model.setdefault(row["part"], {})[row["score"]] = row["value"]
    return scores, _largest_change(scores["single"], scores["half"])


def _largest_change(
    single: Mapping[str, Mapping[str, float]], half: Mapping[str, Mapping[str, float]]
) -> float:
    return max(abs(single[part][key] - half[part][key]) for part in single for key in single[part])
