"""Which curves a model was trained on: noted when it is trained, found again in any company.

Curves are known by their features' means over parts of the window, whatever they are kept in: a
compact set rounds signals to 16 bits, which moves these means by some 1e-5.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from latent_nmr._splits import as_groups, siblings
from latent_nmr.errors import InputError

if TYPE_CHECKING:
    from latent_nmr.models.beta_vae import BetaVAE

# Parts of a curve whose means tell it from others.
N_PARTS = 8
# How far the means of one curve may be apart, here and there. The rounding of noisy mx and my, at
# worst 1.5e-5 of a range of 1, counts twice, in |M| and in the |M(0)| that divides it; of the
# reference set's 3000 curves no two are nearer than 1e-4.
TOLERANCE = 5e-5
# Models of earlier versions: hashes of means over this many parts, rounded to this step.
DIGEST_PARTS, DIGEST_STEP = 16, 1e-4

MEANS, DIGESTS = "curve_means", "curve_digests"


def note_curves(X: npt.NDArray) -> dict[str, str]:
    """Metadata by which a model knows the curves of features `X`, shape (n_curves, n_features)."""
    means = part_means(X, N_PARTS).astype("<f4")
    return {MEANS: base64.b64encode(means.tobytes()).decode()}


def knows_curves(metadata: Mapping[str, Any]) -> bool:
    """Whether a model's metadata note the curves that it was trained on."""
    return MEANS in metadata or DIGESTS in metadata


def training_split(
    model: "BetaVAE", X: npt.NDArray, groups: npt.ArrayLike | None = None
) -> npt.NDArray:
    """Say of each curve whether the model was fitted on it: `training`, `validation` or `new`.

    A new curve of a group, such as a repeat of a material, is what a known curve of its group is:
    of several, `training` before `validation`.

    Models of earlier versions noted hashes instead of means: by these, up to a fifth of noisy
    curves that were kept in a compact set are taken for new.

    Raises
    ------
    InputError
        If the model's notes cannot be read.
    """
    find = _nearest if MEANS in model.metadata_ else _of_equal_digest
    try:
        known = find(model.metadata_, X)
        parts = np.full(known[1], "new", dtype=object)
        parts[model.training_rows_] = "training"
        parts[model.validation_rows_] = "validation"
    except (ValueError, TypeError, IndexError, KeyError) as error:
        raise InputError(
            "the model must say which curves it was trained on, but its metadata on them cannot be "
            f"read ({type(error).__name__}). Train it again with latent-nmr train-vae."
        ) from error
    found = np.append(parts, "new")[known[0]]
    own = as_groups(groups, len(X), "material")
    related = {p: siblings(np.flatnonzero(found == p), own) for p in ("validation", "training")}
    for part, rows in related.items():
        found[rows] = part
    return found


def part_means(X: npt.NDArray, n_parts: int) -> npt.NDArray[np.float64]:
    """Means over consecutive parts of every row, shape (n_rows, n_parts)."""
    parts = np.array_split(X, min(n_parts, X.shape[1]), axis=1)
    return np.stack([part.mean(axis=1, dtype=np.float64) for part in parts], axis=1)


def curve_digests(X: npt.NDArray) -> npt.NDArray[np.uint64]:
    """Two hashes of each curve, shape (n_curves, 2), of means rounded on two shifted grids."""
    means = part_means(X, DIGEST_PARTS)
    grids = [np.round(means / DIGEST_STEP + shift).astype("<i8") for shift in (0.0, 0.5)]
    raw = b"".join(
        hashlib.blake2b(grid[row].tobytes(), digest_size=8).digest()
        for row in range(len(X))
        for grid in grids
    )
    return np.frombuffer(raw, "<u8").reshape(-1, 2)


def _nearest(metadata: Mapping[str, Any], X: npt.NDArray) -> tuple[npt.NDArray[np.intp], int]:
    """Noted row of each curve, `n_known` where there is none; and `n_known`."""
    from scipy.spatial import cKDTree

    own = part_means(X, N_PARTS)
    raw = base64.b64decode(metadata[MEANS], validate=True)
    known = np.frombuffer(raw, "<f4").reshape(-1, own.shape[1])
    _, rows = cKDTree(known).query(own, p=np.inf, distance_upper_bound=TOLERANCE)
    return rows, len(known)


def _of_equal_digest(
    metadata: Mapping[str, Any], X: npt.NDArray
) -> tuple[npt.NDArray[np.intp], int]:
    """As :func:`_nearest`, by the hashes that models of earlier versions noted."""
    known = np.frombuffer(base64.b64decode(metadata[DIGESTS]), "<u8").reshape(-1, 2)
    rows = np.full(len(X), len(known))
    for own, noted in zip(curve_digests(X).T, known.T, strict=True):
        row_of = {digest: row for row, digest in enumerate(noted.tolist())}
        found = np.array([row_of.get(digest, -1) for digest in own.tolist()], np.intp)
        rows = np.where(found >= 0, found, rows)
    return rows, len(known)
