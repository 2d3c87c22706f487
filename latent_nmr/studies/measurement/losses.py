"""What models of measured echoes lose: labels predicted from points of the same curves.

A plain model knows |M(0)|, has no noise and finds 2τ in the middle of its window; a record of a
spectrometer has none of that. Every score is that of 15 neighbours among other curves, which went
through the same receiver, as the reference of `measure` does.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.decomposition import PCA

from latent_nmr._echo_top import find_top, over_height
from latent_nmr._jax_settings import own_settings, seed_key
from latent_nmr.analysis.scores import N_NEIGHBOURS, Parts, neighbour_scores
from latent_nmr.data.labels import labels_of
from latent_nmr.data.windows import features
from latent_nmr.errors import InputError, check_count
from latent_nmr.models.augmentation import LEVEL_ERROR, draw_quality, spectrometer
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.pretrained import load_pretrained
from latent_nmr.studies.measurement._reference import signed_rows

if TYPE_CHECKING:
    import xarray as xr

Rows = npt.NDArray[np.floating]

# Heights of the echo over the noise of one channel.
LEVELS = (100.0, 30.0, 10.0, 3.0)
SCORES = ("r2_W", "r2_alpha_x", "r2_L", "f1_macro", "f1_kernels_macro")
# What rows are divided by.
M0, MAXIMUM, HEIGHT = "|M(0)|", "maximum", "height"
N_COMPONENTS = 4
PLAIN, PLANE, LINEAR = "plain", "echo", "PCA"
MEASURED = {M0: "measured-echo-m0", HEIGHT: "measured-echo"}


class Part(NamedTuple):
    """Rows of all curves at one signal-to-noise ratio, None for none and no receiver.

    Attributes
    ----------
    snr : float or None
    plain : ndarray, shape (n_curves, n_window)
        |M| over |M(0)|, as a plain model is given it: about 2τ without a receiver, else about the
        top, which is all that is known then.
    known, unknown : ndarray, shape (n_curves, n_window)
        |M| about the top over |M(0)|, and over the height of the echo.
    """

    snr: float | None
    plain: Rows
    known: Rows
    unknown: Rows


def behind_receiver(signed: Rows, snr: float, *, knows_gain: bool, random_state: int) -> Rows:
    """Rows as the models of measured echoes are trained on, all at one signal-to-noise ratio.

    Band, dead time, end, carrier, phase and offset are drawn for each row as in training.

    Parameters
    ----------
    signed : ndarray, shape (n_rows, n_window)
        |M| about the top, negative where M points against it.
    snr : float
        Height of the echo over the standard deviation of one channel, after the band limit.
    knows_gain : bool
        Whether rows keep their scale; otherwise they are divided by the height of the echo.
    random_state : int
        The same draws for the same number, whatever the ratio.

    Returns
    -------
    ndarray of float32, shape (n_rows, n_window)
    """
    with own_settings():
        rows = jnp.asarray(signed, jnp.float32)
        return np.asarray(_received(seed_key(random_state), rows, snr, knows_gain))


@partial(jax.jit, static_argnums=3)
def _received(key: jax.Array, rows: jax.Array, snr: float, knows_gain: bool) -> jax.Array:
    drawn, own = jax.random.split(key)
    n_rows = len(rows)
    quality = draw_quality(drawn, *rows.shape)._replace(
        noise=jnp.full(n_rows, 1 / snr), level=jnp.full(n_rows, LEVEL_ERROR / snr)
    )
    return spectrometer(own, rows, quality, knows_gain=knows_gain)[0]


def loss_scores(
    dataset: "xr.Dataset",
    *,
    n_scored: int = 1200,
    levels: Sequence[float] = LEVELS,
    plain: BetaVAE | None = None,
    random_state: int = 0,
    on_score: Callable[[dict[str, Any]], object] = lambda _: None,
) -> list[dict[str, Any]]:
    """Scores of plain models, of those of measured echoes and of PCA on the same curves.

    Neighbours, plain models of four axes and PCA are of the first curves, measured as the scored
    ones are; models of the package were trained on others.

    Parameters
    ----------
    dataset : xarray.Dataset
        Whole curves of preset `paper` with Re and Im, of which no model of the package knows any.
    n_scored : int
        Curves to score, the last.
    levels : sequence of float
        Signal-to-noise ratios.
    plain : BetaVAE, optional
        What is fitted to rows without noise; by default the setting of the models of measured
        echoes without their augmentation.
    random_state : int
        Of the receivers.
    on_score : callable
        Called with each row of the result.

    Returns
    -------
    list of dict
        `model`, `over` (what rows are divided by), `axes`, `snr` (None without receiver and noise)
        and `SCORES`.
    """
    check_count("n_scored", n_scored)
    n_fitted = dataset.sizes["curve"] - n_scored
    if n_fitted <= N_NEIGHBOURS:
        raise InputError(
            f"dataset must have more than {N_NEIGHBOURS} curves beside the {n_scored} that are "
            f"scored, but has {max(n_fitted, 0)}. Give more curves, or a smaller n_scored."
        )
    labels = labels_of(dataset)
    parts = Parts(
        {name: own[:n_fitted] for name, own in labels.items()},
        {name: own[n_fitted:] for name, own in labels.items()},
    )
    clean = _clean(dataset)
    plain = BetaVAE.thorough(n_components=N_COMPONENTS, random_state=0) if plain is None else plain
    models = {
        over: clone(plain).fit(own[:n_fitted])
        for over, own in ((M0, clean.plain), (MAXIMUM, _over_maximum(clean.plain)))
    }
    found = []
    for part in (clean, *_noisy(signed_rows(dataset), levels, random_state)):
        for name, over, points in _points(part, models, n_fitted):
            scores = neighbour_scores(points[:n_fitted], points[n_fitted:], parts)
            row = {"model": name, "over": over, "axes": points.shape[1], "snr": part.snr}
            found.append(row | {score: scores[score] for score in SCORES if score in scores})
            on_score(found[-1])
    return found


def _points(
    part: Part, models: dict[str, BetaVAE], n_fitted: int
) -> Iterator[tuple[str, str, Rows]]:
    """Name of a representation, what its rows are divided by, and its points."""
    plane = load_pretrained(PLANE)
    largest = _over_maximum(part.plain)
    yield PLANE, M0, plane.transform(part.plain)
    yield PLANE, MAXIMUM, plane.transform(largest)
    yield PLAIN, M0, models[M0].transform(part.plain)
    yield PLAIN, MAXIMUM, models[MAXIMUM].transform(largest)
    for over, rows in ((M0, part.known), (HEIGHT, part.unknown)):
        yield MEASURED[over], over, load_pretrained(MEASURED[over]).transform(rows)
        yield LINEAR, over, PCA(N_COMPONENTS, random_state=0).fit(rows[:n_fitted]).transform(rows)


def _clean(dataset: "xr.Dataset") -> Part:
    about = features(dataset, "top", "initial")
    unknown = over_height(about, find_top(about).height)
    return Part(None, features(dataset, "echo"), about, unknown)


def _noisy(signed: Rows, levels: Sequence[float], random_state: int) -> Iterator[Part]:
    for snr in levels:
        known, unknown = (
            behind_receiver(signed, snr, knows_gain=knows, random_state=random_state)
            for knows in (True, False)
        )
        yield Part(snr, known, known, unknown)


def _over_maximum(rows: Rows) -> Rows:
    return rows / rows.max(axis=1, keepdims=True)
