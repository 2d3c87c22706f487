"""The study: decode along latent axes, simulate at every point, compare."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from latent_nmr._progress import progress_bar
from latent_nmr.analysis.axis_audit import AxisAudit, audit_axis
from latent_nmr.analysis.neighbourhood import FEWEST_CURVES, PARAMETERS, neighbourhoods, spacing
from latent_nmr.analysis.traversal import Traversal, traverse
from latent_nmr.data.echoes import check_frame, fingerprint, simulation_attributes
from latent_nmr.data.feature_settings import FeatureSettings
from latent_nmr.data.labels import materials_of
from latent_nmr.errors import InputError, check_count, check_number
from latent_nmr.physics.inversion import KernelParameter
from latent_nmr.physics.simulate import Simulation
from latent_nmr.studies._known_curves import training_split
from latent_nmr.studies._ledger import Ledger
from latent_nmr.studies._result import StudyResult, as_records
from latent_nmr.studies.audit import _figures
from latent_nmr.studies.audit._numbers import (
    drawn_arrays,
    plain_summary,
    point_records,
    point_rows,
)
from latent_nmr.studies.audit._simulations import (
    FIRST_NEW,
    record_of,
    simulate_at,
    simulation_of,
)
from latent_nmr.studies.latent_figures import time_marks
from latent_nmr.studies.trained_model import as_model, check_sampling

if TYPE_CHECKING:
    import xarray as xr

    from latent_nmr.models.beta_vae import BetaVAE


class AuditResult(StudyResult):
    """Audit of a decoder.

    `table` has one row per decoded curve: its place, its verdict (`faithful`, `averages` or
    `invents`), the parameters of the data around it, and how far it is from simulations and from
    the nearest data. `figures` are a sheet of curves per axis (`LA1`, …) and `profile`; where
    features are more than |M|, a sheet for each quantity (`LA1_frequency`).

    Examples
    --------
    >>> import latent_nmr as ln
    >>> echoes = ln.simulate("paper", 40, n_edge=8, step=4, seed=1)
    >>> model = ln.BetaVAE(hidden_layer_sizes=(8,), max_epochs=2, min_epoch_steps=2, random_state=0)
    >>> model = ln.train(echoes, model=model).model
    >>> r = ln.audit(model, echoes, axes=(1,), n_steps=2, n_neighbors=5, n_simulations=4)
    >>> r.records["score"].nunique() > 20, len(r.table)
    (True, 2)
    """

    study = "audit"

    @property
    def table(self) -> pd.DataFrame:
        """One row per point."""
        return pd.DataFrame(self.facts["points"])

    def _drawers(self) -> dict[str, Callable[[], Any]]:
        facts, arrays = self.facts, self.arrays
        drawers: dict[str, Callable[[], Any]] = {
            name: lambda place=place: _figures.draw_sheet(facts, arrays, *place, n_drawn=6)
            for name, place in _figures.sheet_names(facts, arrays).items()
        }
        return {**drawers, "profile": lambda: _figures.draw_profiles(facts)}


def audit(
    model: "BetaVAE | Path | str",
    dataset: "xr.Dataset",
    *,
    axes: int | Sequence[int] | None = None,
    span: float = 2.5,
    n_steps: int = 11,
    n_neighbors: int = 20,
    n_simulations: int = 8,
    seed: int = 0,
    folder: Path | str | None = None,
    progress: bool | None = None,
) -> AuditResult:
    """Compare decoded curves with new simulations and with the nearest data.

    Each curve along a latent axis is compared with simulations at the mean couplings, mean L and
    commonest kernel of the data nearest to it, and with these data themselves.

    Parameters
    ----------
    model : BetaVAE or path-like
        Trained by :func:`latent_nmr.train` or the command train-vae; the folder of a saved one, or
        the name of one that comes with the package.
    dataset : xarray.Dataset
        Echoes of preset `paper`, `paper-60` or `paper-pair` with their labels, as they were
        simulated, of the protocols that the model was trained on.
    axes : int or sequence of int, optional
        Latent axes, counted from 1; by default all. The result of an axis does not depend on
        which others are asked for.
    span : float
        Traverse z from -`span` to `span`.
    n_steps : int
        Points of a traversal, at least 2.
    n_neighbors : int
        Nearest curves of the data that say what to simulate at a point, at least 4.
    n_simulations : int
        New simulations at each point, each with its own offset map, at least 4.
    seed : int
        Seed of the new offset maps.
    folder : path-like, optional
        Where finished points are kept, so that an interrupted call continues.
    progress : bool, optional
        Whether to show a progress bar; by default on a terminal and in a notebook.

    Returns
    -------
    AuditResult

    Raises
    ------
    InputError
        For data without labels, of another preset, sampling or line, and numbers out of range.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> echoes = ln.simulate("paper", 40, n_edge=8, step=4, seed=1)
    >>> model = ln.BetaVAE(hidden_layer_sizes=(8,), max_epochs=2, min_epoch_steps=2, random_state=0)
    >>> model = ln.train(echoes, model=model).model
    >>> r = ln.audit(model, echoes, axes=(1,), n_steps=2, n_neighbors=5, n_simulations=4)
    >>> r.table[["axis", "z"]].values.tolist(), list(r.figures)
    ([['LA1', -2.5], ['LA1', 2.5]], ['LA1', 'profile'])
    """
    check_number("span", span, above=0)
    check_count("n_steps", n_steps, at_least=2)
    check_count("n_neighbors", n_neighbors, at_least=FEWEST_CURVES)
    check_count("n_simulations", n_simulations, at_least=FEWEST_CURVES)
    check_count("seed", seed, at_least=0, at_most=2**32 - 1)
    model = as_model(model)
    chosen = chosen_axes(axes, model.n_components)
    check_sampling(check_frame(dataset), Path("the data set"), model)
    simulation = simulation_of(dataset, seed)
    features, time = FeatureSettings.of_metadata(model.metadata_), model.metadata_["time_us"]
    X, data_sha256 = features.of(dataset), fingerprint(dataset)
    walks = [traverse(model, model.n_components, a, span=span, n_steps=n_steps) for a in chosen]
    # New curves depend on the settings of the simulation and on each place, not on the decoder.
    known = features.as_metadata()
    identity = {**known, "time_us": time, "simulation": asdict(simulation)}
    ledger = Ledger(None if folder is None else Path(folder), identity)
    with progress_bar(len(chosen) * n_steps, "point", shown=progress, desc="simulating") as bar:
        audited = audit_axes(
            model,
            dataset,
            X,
            simulation,
            walks,
            n_neighbors=n_neighbors,
            n_simulations=n_simulations,
            ledger=ledger,
            on_point=bar.update,
        )
    rows = point_rows(audited)
    facts = {
        "axes": list(chosen),
        "n_neighbors": n_neighbors,
        "n_simulations": n_simulations,
        **known,
        "marks": time_marks(simulation_attributes(simulation)),
        "summaries": [plain_summary(audit.summary) for audit, _ in audited],
        "n_curves": len(X),
        "n_fitted": int((training_split(model, X, materials_of(dataset)) == "training").sum()),
        "data_sha256": data_sha256,
        "line_draw": simulation.line_draw,
        "data_spacing": {k: float(v) for k, v in audited[0][0].spacing._asdict().items()},
        "points": rows,
    }
    return AuditResult(as_records(point_records(rows)), facts, drawn_arrays(audited, time))


def chosen_axes(axes: int | Sequence[int] | None, n_components: int) -> tuple[int, ...]:
    """Axes to traverse, each once and in order."""
    known = range(1, n_components + 1)
    axes = (axes,) if isinstance(axes, int) else axes
    unknown = [axis for axis in axes or () if axis not in known]
    if unknown:
        raise InputError(
            f"axes must be among 1..{n_components}, the model's latent axes, but hold "
            f"{unknown[0]}. Choose some of them."
        )
    return tuple(sorted(set(axes or ()))) or tuple(known)


def audit_axes(
    model: Any,
    dataset: "xr.Dataset",
    X: np.ndarray,
    simulation: Simulation,
    walks: Sequence[Traversal],
    *,
    n_neighbors: int,
    n_simulations: int,
    ledger: Ledger,
    on_point: Callable[[], object] = lambda: None,
) -> list[tuple[AxisAudit, list[KernelParameter]]]:
    """Simulate at every point of the traversals and judge every decoded curve.

    Returns the audit of each axis, and the kernel parameter simulated at each of its points.
    """
    latent, metadata = model.transform(X), model.metadata_
    from latent_nmr.data.labels import label_values

    labels = {name: label_values(dataset, name) for name in PARAMETERS}
    distances = spacing(latent, n_neighbors)
    record = record_of(simulation, metadata)
    result = []
    for walk in walks:
        places = neighbourhoods(walk.points, latent, labels, n_neighbors)
        curves, parameters = [], []
        for step, place in enumerate(places):
            first = FIRST_NEW + ((walk.axis - 1) * len(places) + step) * n_simulations
            numbers = range(first, first + n_simulations)

            def compute(place=place, numbers=numbers) -> dict[str, np.ndarray]:
                made = simulate_at(place, simulation, numbers, metadata)
                return {"parameter": np.array(made.parameter), "curves": made.curves}

            facts = {"axis": walk.axis, "step": step, "simulations": [first, n_simulations]}
            facts |= {"kernel": place.kernel, "L": float(place.coupling_length)}
            facts |= {"alpha": [float(place.alpha_x), float(place.alpha_z)]}
            made = ledger.take_arrays(facts, compute)
            curves.append(made["curves"])
            value, is_clipped = made["parameter"]
            parameters.append(KernelParameter(float(value), bool(is_clipped)))
            on_point()
        result.append((audit_axis(walk, places, distances, curves, X, record), parameters))
    return result
