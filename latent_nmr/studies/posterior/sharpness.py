"""What posteriors know, beside a random forest on the same inputs of the same curves."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from latent_nmr.models.posterior.network import principal_of
from latent_nmr.models.posterior.pieces import conditions_of, inputs_by_piece
from latent_nmr.models.posterior.prior import as_materials
from latent_nmr.studies.posterior._data import ask, new_curves, phases_of
from latent_nmr.studies.posterior._quantities import QUANTITIES, quantities

if TYPE_CHECKING:
    import xarray as xr

    from latent_nmr.models.posterior.echo_posterior import EchoPosterior
    from latent_nmr.studies.posterior._data import Questions

FloatArray = npt.NDArray[np.float64]

N_DRAWS = 200
# Ends of bands of θ, degrees, in which it is scored.
BANDS = ((30, 150), (50, 70), (80, 100), (110, 130))


def sharpness(
    model: "EchoPosterior", dataset: "xr.Dataset", *, seed: int = 0, n_trees: int = 100
) -> list[dict[str, Any]]:
    """R² of posterior means and of a forest, on curves that neither was trained on.

    The forest has the inputs of the network, of the curves of its training, with noise drawn once.

    Parameters
    ----------
    model : EchoPosterior
        As `train_posterior` gives it.
    dataset : xarray.Dataset
        The curves of its training, and others.
    seed : int
        Of noise, draws and the forest.
    n_trees : int

    Returns
    -------
    list of dict
        `features` (phase or magnitude), `model`, `band` (degrees), and R² of every quantity.
    """
    from sklearn.ensemble import RandomForestRegressor

    held_out = new_curves(model.metadata_, dataset)
    known = dataset.isel(curve=~dataset["curve"].isin(held_out["curve"]).to_numpy())
    receiver, n_edge = model.shape_.receiver, int(dataset.attrs.get("n_edge", 100))
    asked = [ask(receiver, part, snr=None, seed=seed) for part in (known, held_out)]
    truths = [
        np.stack(list(quantities(model.prior_, own, n_edge).values()), axis=1)
        for own in (as_materials(model.prior_, part) for part in (known, held_out))
    ]
    rows = []
    for phase in phases_of(receiver):
        inputs = [_inputs(model, own, phase) for own in asked]
        forest = RandomForestRegressor(
            n_trees, max_features=0.33, min_samples_leaf=2, random_state=seed
        )
        found = {"forest": forest.fit(inputs[0], truths[0]).predict(inputs[1])}
        found["posterior"] = _means(model, asked[1], phase, seed, n_edge)
        for name, predicted in found.items():
            rows += _scores("phase" if phase else "magnitude", name, predicted, truths[1], asked[1])
    return rows


def _inputs(model: "EchoPosterior", asked: "Questions", phase: bool) -> npt.NDArray[np.float32]:
    """What the network takes."""
    given = conditions_of(len(asked.rows), asked.flip_angle_deg, phase, asked.snr)
    principal = principal_of(model.weights_)
    return inputs_by_piece(model.shape_, principal, asked.rows, given)


def _means(
    model: "EchoPosterior", asked: "Questions", phase: bool, seed: int, n_edge: int
) -> FloatArray:
    drawn = model.sample(
        asked.rows,
        asked.flip_angle_deg,
        phase=phase,
        snr=asked.snr,
        n_draws=N_DRAWS,
        random_state=seed,
    )
    found = quantities(model.prior_, drawn, n_edge)
    return np.stack([found[name].mean(axis=1) for name in QUANTITIES], axis=1)


def _scores(
    features: str, name: str, predicted: FloatArray, truth: FloatArray, asked: "Questions"
) -> list[dict[str, Any]]:
    rows = []
    for low, high in BANDS:
        own = (asked.flip_angle_deg >= low) & (asked.flip_angle_deg < high)
        rest = np.mean((predicted[own] - truth[own]) ** 2, axis=0)
        r2 = 1 - rest / np.var(truth[own], axis=0)
        scores = dict(zip(QUANTITIES, r2.tolist(), strict=True))
        rows.append({"features": features, "model": name, "band": [low, high], **scores})
    return rows
