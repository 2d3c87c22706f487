"""The best β-VAE of an evaluation, and what its scores lose where weights take half the bytes."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latent_nmr.errors import InputError
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.studies.echo_options import ReceiverOptions
from latent_nmr.studies.evaluation._echoes import evaluate_echoes
from latent_nmr.studies.evaluation._fits import MODELS_FOLDER
from latent_nmr.studies.evaluation._result import EvaluationResult

if TYPE_CHECKING:
    import xarray as xr


def best_vae(
    folder: Path, n_components: int = 2, method: str = "vae"
) -> tuple[BetaVAE, dict[str, Any]]:
    """The β-VAE with the lowest loss on its own validation curves: the held-out part has no say.

    Parameters
    ----------
    folder : Path
        That an evaluation was kept in.
    n_components : int
    method : str
        Its name in the evaluation; losses of one method are not those of another.

    Returns
    -------
    model : BetaVAE
    fit : dict
        Its entry among the facts of the result; `saved` is its name.

    Raises
    ------
    InputError
        If there is none of this method and dimension.
    """
    fits = [fit for fit in EvaluationResult.load(folder).facts["fits"] if fit["saved"]]
    own = [fit for fit in fits if (fit["model"], fit["n_components"]) == (method, n_components)]
    if not own:
        found = sorted({f"{fit['model']} with {fit['n_components']}" for fit in fits})
        raise InputError(
            f"method and n_components must be those of a β-VAE of the evaluation, but {folder} has "
            f"no {method} with {n_components}, only {', '.join(found) or 'none'}. Choose one of "
            "these, or evaluate it too."
        )
    best = min(own, key=lambda fit: (fit["validation_loss"], fit["saved"]))
    return BetaVAE.load(folder / MODELS_FOLDER / best["saved"]), best


def publish_best(
    folder: Path,
    settings: Mapping[str, Any],
    place: Path,
    *,
    n_components: int = 2,
    method: str = "vae",
    tolerance: float = 1e-3,
) -> dict[str, Any]:
    """Save the best β-VAE of an evaluation, in half precision if no score changes much.

    Parameters
    ----------
    folder : Path
        That the evaluation was kept in.
    settings : mapping
        Options of the command that made it.
    place : Path
        Where to save it.
    n_components, method
        As for :func:`best_vae`.
    tolerance : float
        By which no score may change, on any part, where weights take half the bytes.

    Returns
    -------
    dict
        What is to be known of it, as JSON holds it: its name and loss in the evaluation, its
        precision, size and scores.
    """
    model, fit = best_vae(folder, n_components, method)
    options = ReceiverOptions.of(settings)
    paths = [settings["data"], *settings["also"]]
    sets = [options.measured(options.open(Path(path)), n) for n, path in enumerate(paths)]
    scores, largest = scores_by_precision(
        model,
        sets[0],
        also=dict(zip([Path(path).stem for path in paths[1:]], sets[1:], strict=True)),
        **{name: settings[name] for name in ("window", "normalisation", "held_out", "split_seed")},
        part=settings.get("part", "magnitude"),
    )
    precision = "half" if largest < tolerance else "single"
    model.save(place, model.metadata_, precision=precision)
    return {
        "model": fit["saved"],
        "validation_loss": fit["validation_loss"],
        "precision": precision,
        "largest_change_of_a_score": largest,
        "bytes": sum(path.stat().st_size for path in place.iterdir()),
        "scores": scores,
    }


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
