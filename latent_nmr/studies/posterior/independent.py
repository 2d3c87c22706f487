"""Posteriors beside those of simulations near single echoes, which know nothing of the network."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from latent_nmr._progress import progress_bar
from latent_nmr.models.posterior.receiver import RECORD, read_off
from latent_nmr.studies._identity import digest_of
from latent_nmr.studies._ledger import Ledger
from latent_nmr.studies.posterior._data import ask
from latent_nmr.studies.posterior._quantities import QUANTITIES, quantities
from latent_nmr.studies.posterior._simulated import simulated_echoes
from latent_nmr.studies.posterior._synthetic import LocalPosterior, local_posterior

if TYPE_CHECKING:
    from latent_nmr.models.posterior.echo_posterior import EchoPosterior
    from latent_nmr.models.posterior.prior import Materials

FloatArray = npt.NDArray[np.float64]

N_PARAMETERS = 3
# Noise drawn on each simulated echo, so that few lattices show much of it.
N_REPEATS = 4
# Central interval that is compared.
LEVEL = 0.68
# Offsets and noise of an observed echo are of no simulation's seed.
OBSERVED_SEED = 10_000


class Case(NamedTuple):
    """An echo whose posterior is found twice.

    Attributes
    ----------
    kernel : str
    flip_angle_deg : float
    phase : bool
        Whether the phase is trusted.
    seed : int
        Of its material, offsets and noise.
    """

    kernel: str
    flip_angle_deg: float
    phase: bool
    seed: int


CASES = (
    Case("gaussian", 60.0, True, 1),
    Case("power", 60.0, True, 2),
    Case("rkky", 120.0, True, 3),
    Case("gaussian", 90.0, False, 4),
    Case("power", 90.0, False, 5),
)


def independent_check(
    model: "EchoPosterior",
    cases: Sequence[Case] = CASES,
    *,
    snr: float = 100.0,
    rounds: tuple[int, ...] = (150, 150, 150, 500),
    n_edge: int | None = None,
    folder: Path | None = None,
    progress: bool | None = None,
) -> list[dict[str, Any]]:
    """Intervals of an amortised posterior of whole records, and of simulations near each echo.

    Both are given the kernel.

    Parameters
    ----------
    model : EchoPosterior
    cases : sequence of Case
    snr : float
        As of `EchoPosterior.sample`.
    rounds : tuple of int
        As of `local_posterior`.
    n_edge : int, optional
        Lattice edge in sites; by default that of preset `paper`.
    folder : Path, optional
        Where cases are kept as they are done.
    progress : bool, optional

    Returns
    -------
    list of dict
        One for each case and quantity: `truth`, ends of the interval of either posterior (`local`,
        `amortised`), standard error of the logarithm of the local one's width (`error`, half of
        the difference of the two halves of the simulations), and `n_simulations`.
    """
    weights = {name: np.asarray(own) for name, own in model.weights_.items()}
    identity = {"study": "independent", "digest": digest_of(weights), "snr": snr}
    ledger = Ledger(folder, {**identity, "rounds": list(rounds), "n_edge": n_edge})
    found = []
    with progress_bar(len(cases), "echo", shown=progress, delay=2) as bar:
        for case in cases:
            compute = partial(_compared, model, case, snr, rounds, n_edge)
            found += ledger.take(case._asdict(), compute)
            bar.update()
    return found


def _compared(
    model: "EchoPosterior", case: Case, snr: float, rounds: tuple[int, ...], n_edge: int | None
) -> list[dict[str, Any]]:
    prior = model.prior_
    number = np.array([prior.kernels.index(case.kernel)])
    random = np.random.default_rng(case.seed)
    truth = prior.materials(number, random.standard_normal((1, N_PARAMETERS)))

    def rows(materials: "Materials", seed: int, n_repeats: int) -> npt.NDArray[np.float32]:
        echoes = simulated_echoes(prior, materials, case.flip_angle_deg, seed=seed, n_edge=n_edge)
        drawn = [
            ask(RECORD, echoes, snr=snr, seed=1000 * seed + repeat).rows
            for repeat in range(n_repeats)
        ]
        return np.stack(drawn, axis=1)

    def simulate(u: FloatArray, seed: int) -> FloatArray:
        kernels = np.repeat(number, len(u))
        return _features(rows(prior.materials(kernels, u), seed, N_REPEATS), case.phase)

    observed = rows(truth, OBSERVED_SEED + case.seed, 1)
    near = local_posterior(
        simulate,
        _features(observed, case.phase)[0, 0],
        N_PARAMETERS,
        rounds=rounds,
        seed=100 * case.seed,
    )
    amortised = model.sample(
        observed[0],
        case.flip_angle_deg,
        phase=case.phase,
        snr=snr,
        kernel=case.kernel,
        n_draws=len(near.draws),
    ).rows(0)
    return _rows(model, case, near, amortised, truth)


def _features(rows: npt.NDArray[np.float32], phase: bool) -> FloatArray:
    """What the receiver cannot change, of rows of shape (n, n_repeats, n_columns)."""
    amplitudes, phases = read_off(jnp.asarray(rows.reshape(-1, rows.shape[-1])), RECORD)
    parts = [amplitudes, phases] if phase else [amplitudes]
    features = np.concatenate([np.asarray(part, np.float64) for part in parts], axis=1)
    return features.reshape(*rows.shape[:2], -1)


def _rows(
    model: "EchoPosterior",
    case: Case,
    near: LocalPosterior,
    amortised: "Materials",
    truth: "Materials",
) -> list[dict[str, Any]]:
    prior = model.prior_
    kernel = int(truth.kernel[0])

    def ends(materials: "Materials") -> dict[str, FloatArray]:
        found = quantities(prior, materials)
        return {name: np.quantile(found[name], _LEVELS) for name in QUANTITIES}

    def local(draws: FloatArray) -> dict[str, FloatArray]:
        return ends(prior.materials(np.full(len(draws), kernel), draws))

    one, other = local(near.draws), ends(amortised)
    halves = [local(half) for half in near.halves]
    true = quantities(prior, truth)
    return [
        {
            **case._asdict(),
            "quantity": name,
            "truth": float(true[name][0]),
            "local": one[name].tolist(),
            "amortised": other[name].tolist(),
            "error": abs(np.log(_width(halves[0][name]) / _width(halves[1][name]))) / 2,
            "n_simulations": near.n_simulations,
        }
        for name in QUANTITIES
    ]


_LEVELS = ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2)


def _width(ends: FloatArray) -> float:
    return float(ends[-1] - ends[0])
