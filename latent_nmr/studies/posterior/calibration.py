"""Whether posteriors are right: ranks, coverage, classes, joint, and what they know.

Simulated curves that a model was not trained on are measured again with drawn noise, and its
posteriors compared with their true materials, before and after a local conformal correction.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from latent_nmr._progress import progress_bar
from latent_nmr.errors import check_count, check_number
from latent_nmr.models.posterior.prior import as_materials
from latent_nmr.studies._result import StudyResult, as_records
from latent_nmr.studies.posterior._answers import answers_of
from latent_nmr.studies.posterior._calibration_records import columns_of, records_of
from latent_nmr.studies.posterior._correction import WAYS, Correction
from latent_nmr.studies.posterior._data import ask, check_times, new_curves, phases_of
from latent_nmr.studies.posterior._quantities import QUANTITIES
from latent_nmr.studies.posterior.models import as_posterior

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr

    from latent_nmr.models.posterior.echo_posterior import EchoPosterior


class CalibrationResult(StudyResult):
    """Calibration of a posterior: `records`, `table`, and the checks of `gate`.

    `facts["gate"]` holds every check with its value, its limit and whether it is passed.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> ds = ln.simulate("challenge2021-spin", n_curves=30, n_edge=8, seed=1)
    >>> r = ln.calibrate("posterior", ds)
    >>> r.gate[-1]["check"], r.gate[-1]["passed"]
    ('leaked mass', True)
    """

    study = "calibration"

    @property
    def gate(self) -> list[dict[str, Any]]:
        """Checks: `features`, `model`, `check`, `value`, `limit`, `passed`."""
        return self.facts["gate"]

    def correction(self) -> Correction:
        """What puts intervals of `infer` right: save it into the model's folder."""
        there = {phase: name for phase, name in WAYS.items() if f"{name}_ranks" in self.arrays}
        ranks = {phase: self.arrays[f"{name}_ranks"] for phase, name in there.items()}
        columns = {phase: self.arrays[f"{name}_columns"] for phase, name in there.items()}
        return Correction(ranks, columns)

    def _drawers(self) -> "dict[str, Callable[[], Any]]":
        from latent_nmr.plots.calibration import rank_figure

        def drawer(name: str) -> "Callable[[], Any]":
            ranks = {own: self.arrays[f"{name}_ranks"][:, n] for n, own in enumerate(QUANTITIES)}
            return lambda: rank_figure(ranks)

        names = [key.removesuffix("_ranks") for key in self.arrays if key.endswith("e_ranks")]
        return {f"ranks_{name}": drawer(name) for name in names}


def calibrate(
    model: "EchoPosterior | Path | str",
    dataset: "xr.Dataset",
    *,
    snr: float | None = None,
    n_draws: int = 500,
    seed: int = 0,
    progress: bool | None = None,
) -> CalibrationResult:
    """Compare posteriors with the materials of simulated curves that the model does not know.

    Parameters
    ----------
    model : EchoPosterior or path-like
        Or the name of one that comes with the package.
    dataset : xarray.Dataset
        Simulated curves with independent offsets and their labels; those that the model was
        trained on are left out.
    snr : float, optional
        As of :meth:`latent_nmr.EchoPosterior.sample`; by default drawn for every curve over the
        whole range that the model was trained on.
    n_draws : int
        Of every posterior.
    seed : int
        Of noise and draws.
    progress : bool, optional
        Whether to show a progress bar; by default on a terminal and in a notebook.

    Returns
    -------
    CalibrationResult

    Raises
    ------
    InputError
        If no curve is new, or labels, times or materials do not fit the model.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> ds = ln.simulate("challenge2021-spin", n_curves=30, n_edge=8, seed=1)
    >>> r = ln.calibrate("posterior", ds)
    >>> float(r.records.query("score == 'leaked'").value.max())
    0.0
    """
    check_count("n_draws", n_draws, at_least=20)
    if snr is not None:
        check_number("snr", snr, above=0)
    found = as_posterior(model)
    check_times(found, dataset)
    dataset = new_curves(found.metadata_, dataset)
    truth = as_materials(found.prior_, dataset)
    receiver = found.shape_.receiver
    questions = ask(receiver, dataset, snr=snr, seed=seed, carrier_error=float(found.carrier_error))
    n_edge = int(dataset.attrs.get("n_edge", 100))
    rows, gate, arrays = [], [], {}
    phases = phases_of(receiver)
    with progress_bar(len(phases) * len(truth.kernel), "row", shown=progress, delay=2) as bar:
        for phase in phases:
            answers = answers_of(found, questions, truth, phase, n_draws, seed, n_edge, bar)
            name = "phase" if phase else "magnitude"
            own, checks = records_of(name, questions, truth, answers, found.prior_, n_edge, seed)
            rows, gate = rows + own, gate + checks
            arrays |= {f"{name}_ranks": answers.ranks, f"{name}_shares": answers.shares}
            arrays[f"{name}_columns"] = columns_of(questions, answers)
    facts = {
        "gate": gate,
        "receiver": receiver,
        "n_curves": len(truth.kernel),
        "n_draws": n_draws,
        "seed": seed,
        "snr": snr,
    }
    return CalibrationResult(as_records(rows), facts, arrays)
