"""Designs held against what further echoes of known materials really say."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from latent_nmr._progress import progress_bar
from latent_nmr.models.posterior.prior import Materials
from latent_nmr.studies._ledger import Ledger
from latent_nmr.studies.design._candidates import Candidate
from latent_nmr.studies.design._conditions import Conditions
from latent_nmr.studies.design._gain import ALL, gain_of
from latent_nmr.studies.design._study import Task, measured

if TYPE_CHECKING:
    from latent_nmr.models.posterior.echo_posterior import EchoPosterior

FIRST = Candidate((90.0,))


def proof_of_design(
    model: "EchoPosterior",
    angles: Sequence[float],
    conditions: Conditions,
    *,
    n_truths: int = 24,
    n_materials: int = 8,
    n_draws: int = 300,
    n_edge: int | None = None,
    seed: int = 0,
    folder: Path | None = None,
    progress: bool | None = None,
) -> pd.DataFrame:
    """Predicted and found gains of second echoes, after a first one at 90°.

    Materials are drawn from the prior. For each, an echo at 90° is simulated and its posterior
    taken; the gain of a second echo at every angle is predicted from materials of that posterior,
    which do not know the true one, and found by an echo of the true one.

    Returns
    -------
    DataFrame
        `material`, `angle` (degrees), `predicted` and `found` (nats), and of each quantity what
        was found to be the logarithm of how much narrower it became.
    """
    random = np.random.RandomState(seed)
    truths = model.prior_.draw(n_truths, random)
    firsts = measured(model, truths, FIRST, conditions, n_edge, seed + 1)
    task = Task.of(model, (), conditions, n_materials, n_draws, n_edge, seed)
    facts = {"n_truths": n_truths, "angles": list(angles)}
    ledger = Ledger(folder, {**task.identity(), **facts})
    rows = []
    with progress_bar(n_truths, "material", shown=progress, delay=2) as bar:
        for number in range(n_truths):
            rows += ledger.take(
                {"material": number},
                lambda own=number: _of_material(
                    model,
                    truths.rows([own]),
                    firsts[own],
                    angles,
                    conditions,
                    (n_materials, n_draws, n_edge, seed + 100 * (own + 1)),
                ),
            )
            bar.update()
    return pd.DataFrame(rows)


def _of_material(
    model: "EchoPosterior",
    truth: Materials,
    first: list[Any],
    angles: Sequence[float],
    conditions: Conditions,
    how: tuple[int, int, int | None, int],
) -> list[dict[str, float]]:
    n_materials, n_draws, n_edge, seed = how
    task = Task.of(model, first, conditions, n_materials, n_draws, n_edge, seed)
    rows = []
    for angle in angles:
        candidate = Candidate((float(angle),))
        predicted = [own[ALL] for own in task.gains(candidate)]
        (new,) = measured(model, truth, candidate, conditions, n_edge, seed + 50)
        random = np.random.RandomState([seed, int(angle)])
        found = gain_of(model.prior_, first, task.belief, task.before, truth, new, n_draws, random)
        rows.append(
            {
                "angle": float(angle),
                "predicted": float(np.mean(predicted)),
                "found": found.nats,
                **found.narrowing,
            }
        )
    return rows


def summary_of_proof(table: pd.DataFrame, seed: int = 0) -> dict[str, Any]:
    """Means with standard errors: at every angle, and at the designed, a random and the 90° one."""
    material = np.arange(len(table)) // table["angle"].nunique()
    table = table.assign(material=material)
    random = np.random.RandomState(seed)
    groups = list(table.groupby("material"))
    picks = {
        "designed": [own.loc[own["predicted"].idxmax()] for _, own in groups],
        "90° again": [own.loc[(own["angle"] - 90).abs().idxmin()] for _, own in groups],
        "random": [own.iloc[random.randint(len(own))] for _, own in groups],
    }
    by_choice = {name: _means(pd.DataFrame(own)) for name, own in picks.items()}
    by_angle = {f"{angle:g}": _means(own) for angle, own in table.groupby("angle")}
    rest = table["found"] - table["predicted"]
    return {
        "n_materials": len(groups),
        "choices": by_choice,
        "angles": by_angle,
        "found less predicted": [float(rest.mean()), float(rest.groupby(material).mean().sem())],
    }


def _means(rows: pd.DataFrame) -> dict[str, list[float]]:
    names = [name for name in rows if name not in ("material", "angle")]
    return {name: [float(rows[name].mean()), float(rows[name].sem())] for name in names}
