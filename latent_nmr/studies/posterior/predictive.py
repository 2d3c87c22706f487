"""Whether echoes look like those of the materials that their posteriors name.

Two checks by the simulator alone: a measured curve lies within bands of curves of draws as often
as they claim, and echoes of one material with other offsets name materials that agree.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from latent_nmr._progress import progress_bar
from latent_nmr.models.posterior.receiver import RECORD, read_off
from latent_nmr.studies._identity import digest_of
from latent_nmr.studies._ledger import Ledger
from latent_nmr.studies.posterior._data import Questions, ask
from latent_nmr.studies.posterior._quantities import QUANTITIES, quantities
from latent_nmr.studies.posterior._simulated import simulated_echoes

if TYPE_CHECKING:
    import xarray as xr

    from latent_nmr.models.posterior.echo_posterior import EchoPosterior

FloatArray = npt.NDArray[np.float64]

# Ranks among draws that a band leaves out at either end: of 50 draws, bands of 49, 80 and 92 %.
LEFT_OUT = (13, 5, 2)


def predictive_check(
    model: "EchoPosterior",
    dataset: "xr.Dataset",
    *,
    n_draws: int = 50,
    n_edge: int | None = None,
    seed: int = 0,
    folder: Path | None = None,
    progress: bool | None = None,
) -> list[dict[str, float]]:
    """How often |M| of a curve lies within bands of simulated curves of posterior draws.

    Every drawn material has offsets and noise of its own, as the curve has, so that the rank of a
    sample among those of `n_draws` draws is uniform if the posterior is right.

    Parameters
    ----------
    model : EchoPosterior
        Of whole records; their phase is trusted.
    dataset : xarray.Dataset
        Whole complex records that the model was not trained on.
    n_draws : int
    n_edge : int, optional
        Lattice edge of the simulations, in sites; by default that of preset `paper`.
    seed : int
        Of noise, draws and offsets.
    folder : Path, optional
        Where curves are kept as they are done.
    progress : bool, optional

    Returns
    -------
    list of dict
        For each band: `claimed`, and the mean over curves of the part of samples within it
        (`found`) with its standard error (`error`).
    """
    asked = ask(RECORD, dataset, snr=None, seed=seed)
    weights = {name: np.asarray(own) for name, own in model.weights_.items()}
    identity = {"study": "predictive", "digest": digest_of(weights, asked.rows), "seed": seed}
    ledger = Ledger(folder, {**identity, "n_draws": n_draws, "n_edge": n_edge})
    shares = []
    with progress_bar(len(asked.rows), "curve", shown=progress, delay=2) as bar:
        for number in range(len(asked.rows)):
            compute = partial(_shares, model, asked, number, n_draws, n_edge, seed)
            shares.append(ledger.take({"curve": number}, compute))
            bar.update()
    found = np.array(shares)
    errors = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    return [
        {"claimed": 1 - 2 * left / (n_draws + 1), "found": float(mean), "error": float(error)}
        for left, mean, error in zip(LEFT_OUT, found.mean(axis=0), errors, strict=True)
    ]


def _shares(
    model: "EchoPosterior",
    asked: Questions,
    number: int,
    n_draws: int,
    n_edge: int | None,
    seed: int,
) -> list[float]:
    """Parts of the samples of one curve within each band."""
    row, angle = asked.rows[[number]], float(asked.flip_angle_deg[number])
    snr = float(asked.snr[number])
    draws = model.sample(row, angle, snr=snr, n_draws=n_draws, random_state=seed).rows(0)
    own_seed = seed + 1 + number
    echoes = simulated_echoes(model.prior_, draws, angle, seed=own_seed, n_edge=n_edge)
    drawn = ask(RECORD, echoes, snr=snr, seed=own_seed).rows
    return shares_within(_amplitudes(row)[0], _amplitudes(drawn))


def shares_within(measured: FloatArray, drawn: FloatArray) -> list[float]:
    """Parts of the samples of a curve, (n_samples,), whose rank among draws is within each band."""
    ranks = (drawn < measured).sum(axis=0)
    n_draws = len(drawn)
    return [float(np.mean((ranks >= left) & (ranks <= n_draws - left))) for left in LEFT_OUT]


def _amplitudes(rows: npt.NDArray[np.float32]) -> FloatArray:
    # The first is 1 in every row.
    return np.asarray(read_off(jnp.asarray(rows), RECORD)[0], np.float64)[:, 1:]


def repeats_check(
    model: "EchoPosterior",
    dataset: "xr.Dataset",
    *,
    n_draws: int = 1000,
    seed: int = 0,
) -> Mapping[str, dict[str, float]]:
    """How far apart posteriors of repeats of a material are, over what they allow.

    Parameters
    ----------
    model : EchoPosterior
        Of whole records; their phase is trusted.
    dataset : xarray.Dataset
        Whole complex records with the coordinate `material`, several of each, with offsets of
        their own.
    n_draws : int
    seed : int
        Of noise and draws.

    Returns
    -------
    mapping of str to dict
        For each quantity: `ratio`, the rms difference of the means of two repeats over the root of
        the sum of their variances, which is at most 1 for posteriors that are right; `beyond`, the
        part of the pairs more than two such roots apart (5 % of a Gaussian's); `n_pairs`.
    """
    asked = ask(RECORD, dataset, snr=None, seed=seed)
    drawn = model.sample(
        asked.rows, asked.flip_angle_deg, snr=asked.snr, n_draws=n_draws, random_state=seed
    )
    material = dataset["material"].to_numpy()
    one, other = np.triu_indices(len(material), 1)
    pairs = material[one] == material[other]
    one, other = one[pairs], other[pairs]
    found = {}
    for name, values in quantities(model.prior_, drawn).items():
        mean, variance = values.mean(axis=1), values.var(axis=1)
        apart = (mean[one] - mean[other]) / np.sqrt(variance[one] + variance[other])
        found[name] = {
            "ratio": float(np.sqrt(np.mean(apart**2))),
            "beyond": float(np.mean(np.abs(apart) > 2)),
            "n_pairs": len(apart),
        }
    return {name: found[name] for name in QUANTITIES}
