"""A trained β-VAE and its data: read it, check that data fit it, know the curves it has seen."""

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latent_nmr.studies._identity import digest_of

if TYPE_CHECKING:
    import xarray as xr

    from latent_nmr.models.beta_vae import BetaVAE

# Attributes of the data that a model's figures need, and all that a command reads of a model.
COPIED_ATTRIBUTES = ("echo_index", "dt_us", "pulse_samples", "pulse_angles_rad")
REQUIRED_METADATA = (
    "window",
    "normalisation",
    "time_us",
    "data_sha256",
    "curve_digests",
    *COPIED_ATTRIBUTES,
)
# Parts of a curve whose means tell it from others, and the step to which these are rounded: far
# above the rounding of a compact set; at ten times the step, 1 in 200 of 15,000 curves has a twin.
DIGEST_PARTS, DIGEST_STEP = 16, 1e-4


def load_model(path: Path) -> "BetaVAE":
    """Read a model that was trained on echoes, with the metadata that the commands need."""
    from latent_nmr.models.beta_vae import BetaVAE

    model = BetaVAE.load(path)
    check_trained(model, f"the model {path}")
    return model


def as_model(model: "BetaVAE | str", name: str = "model") -> "BetaVAE":
    """A β-VAE that was trained on echoes: itself, or one of the package by its name.

    Raises
    ------
    InputError
        If it is anything else, or does not know what it was trained on.
    """
    from latent_nmr.errors import InputError
    from latent_nmr.models.beta_vae import BetaVAE
    from latent_nmr.models.pretrained import load_pretrained

    found = load_pretrained(model) if isinstance(model, str) else model
    if not isinstance(found, BetaVAE):
        raise InputError(
            f"{name} must be a BetaVAE or the name of one of the package, but is a "
            f"{type(found).__name__}. Load one with BetaVAE.load or latent_nmr.load_pretrained."
        )
    check_trained(found, name)
    return found


def check_trained(model: "BetaVAE", name: str = "model") -> None:
    """Raise `InputError` if a model lacks the metadata on the echoes that it was trained on."""
    from sklearn.utils.validation import check_is_fitted

    from latent_nmr.errors import InputError

    check_is_fitted(model, "weights_")
    missing = [key for key in REQUIRED_METADATA if key not in model.metadata_]
    if missing:
        raise InputError(
            f"{name} must say what it was trained on, but its metadata lack {', '.join(missing)}. "
            "Train it with latent_nmr.train."
        )


def model_digest(path: Path) -> str:
    """Digest of a saved model: of its weights and of what its card says."""
    from latent_nmr.models.card_summary import summary
    from latent_nmr.models.persistence import read_card

    return digest_of(summary(read_card(path)))


def describe_data(
    dataset: "xr.Dataset", X: np.ndarray, window: str, normalisation: str
) -> dict[str, Any]:
    """Metadata that ties a model to the data it was trained on, `X` being their features."""
    from latent_nmr.data.echoes import fingerprint
    from latent_nmr.data.windows import window_time

    return {
        "window": window,
        "normalisation": normalisation,
        "time_us": window_time(dataset, window).tolist(),
        **{name: dataset.attrs[name] for name in COPIED_ATTRIBUTES},
        "n_curves": dataset.sizes["curve"],
        "data_sha256": fingerprint(dataset),
        "curve_digests": base64.b64encode(curve_digests(X).tobytes()).decode(),
    }


def curve_digests(X: np.ndarray) -> np.ndarray:
    """Two numbers of eight bytes that tell each curve of features `X` from any other.

    Shape (n_curves, 2). They hash the means over parts of the curve, rounded on two grids half a
    step apart. Of curves that were kept with fewer digits, as in a compact set, 98 in 100 have the
    same number on at least one of them; another curve has neither.
    """
    parts = np.array_split(X, min(DIGEST_PARTS, X.shape[1]), axis=1)
    means = np.stack([part.mean(axis=1, dtype=np.float64) for part in parts], axis=1)
    grids = [np.round(means / DIGEST_STEP + shift).astype("<i8") for shift in (0.0, 0.5)]
    raw = b"".join(
        hashlib.blake2b(grid[row].tobytes(), digest_size=8).digest()
        for row in range(len(X))
        for grid in grids
    )
    return np.frombuffer(raw, "<u8").reshape(-1, 2)


def check_sampling(dataset: "xr.Dataset", path: Path | str, model: "BetaVAE") -> None:
    """Raise `InputError` if a data set has other times in the window than the model's own data."""
    from latent_nmr.data.windows import window_time
    from latent_nmr.errors import InputError

    window = model.metadata_["window"]
    time, wanted = window_time(dataset, window), np.asarray(model.metadata_["time_us"])
    if time.shape != wanted.shape or not np.allclose(time, wanted, rtol=0, atol=1e-3):
        raise InputError(
            f"data must be sampled like those the model was trained on ({len(wanted)} samples from "
            f"{wanted[0]:.1f} to {wanted[-1]:.1f} µs), but {path} has {len(time)} from "
            f"{time[0]:.1f} to {time[-1]:.1f} µs in the window {window!r}. Use data of its preset."
        )


def training_split(model: "BetaVAE", X: np.ndarray) -> np.ndarray:
    """Say of each curve whether the model was fitted on it: `training`, `validation` or `new`.

    Curves are known by their features, wherever and in whatever company they are kept.
    """
    from latent_nmr.errors import InputError

    try:
        raw = base64.b64decode(model.metadata_["curve_digests"])
        known = np.frombuffer(raw, "<u8").reshape(-1, 2)
        parts = {
            part: known[rows]
            for part, rows in (
                ("training", model.training_rows_),
                ("validation", model.validation_rows_),
            )
        }
    except (ValueError, TypeError, IndexError) as error:
        raise InputError(
            "the model must say which curves it was trained on, but its metadata curve_digests "
            f"cannot be read ({type(error).__name__}). Train it again with latent-nmr train-vae."
        ) from error
    digests = curve_digests(X)
    split = np.full(len(X), "new", dtype=object)
    for part, members in parts.items():
        same = [np.isin(own, theirs) for own, theirs in zip(digests.T, members.T, strict=True)]
        split[np.logical_or(*same)] = part
    return split
