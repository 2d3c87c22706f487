"""The study: gather or simulate, fit and score step by step, say everything as records."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from latent_nmr._files import staged_folder
from latent_nmr._progress import progress_bar
from latent_nmr.data.echoes import fingerprint
from latent_nmr.errors import InputError, check_choice, check_count
from latent_nmr.models.challenge_models import RECORD
from latent_nmr.physics.line import DRAWS
from latent_nmr.studies._estimators import reason_of
from latent_nmr.studies._ledger import Ledger, Step
from latent_nmr.studies._result import as_records
from latent_nmr.studies._workplace import time_kept
from latent_nmr.studies.challenge._contenders import Contender, contenders, seeing
from latent_nmr.studies.challenge._data import gather, simulated
from latent_nmr.studies.challenge._editions import EDITIONS, PARTS, Edition
from latent_nmr.studies.challenge._fits import Contest
from latent_nmr.studies.challenge._records import Done, arrays_of, facts_of, records_of
from latent_nmr.studies.challenge._result import EVALUATION_PART, TEST_PART, ChallengeResult

MODELS_FOLDER = "models"
STORE_NAME = "curves.zarr"

Failures = list[dict[str, Any]]


def challenge(
    edition: str,
    dataset: xr.Dataset | None = None,
    *,
    evaluation: xr.Dataset | None = None,
    models: Any = ("baseline", "deep", "winners", "best"),
    n_seeds: int = 3,
    also: Mapping[str, xr.Dataset] | None = None,
    inputs: str = RECORD,
    part: str | None = None,
    network_parameters: Mapping[str, Any] | None = None,
    n_curves: int | None = None,
    n_evaluation: int | None = None,
    line_draw: str = "independent",
    seed: int = 0,
    store: Path | str | None = None,
    source: str | None = None,
    folder: Path | str | None = None,
    progress: bool | None = None,
) -> ChallengeResult:
    """Fit models to the curves of one edition of the ML4SCI challenge and score them.

    A tenth of the curves, another one for each seed, is only scored. Errors are squared errors of
    targets in units of their standard deviation over the other nine tenths.

    Parameters
    ----------
    edition : {"2020", "2021-gauss", "2021-rkky", "spin"}
        Decides targets and windows; spin asks for α_x, α_z and the pulse angle, or for the
        couplings alone where all curves have one pulse angle, as those of the preset `paper`.
    dataset : xarray.Dataset, optional
        Curves with `mx`, `my`, or `magnitude` alone, and the labels of the edition, of
        :func:`latent_nmr.open_challenge` or its preset; without it, curves are simulated.
    evaluation : xarray.Dataset, optional
        Curves to submit predictions of; scored, too, if they have the labels.
    models : one or several names or regressors, or mapping
        Models of the package, among `baseline` (the course's network), `deep` (the public one),
        `winners` (the pipeline that won in 2020) and `best` (ours); or anything with `fit` and
        `predict`, which is fitted to all targets at once, by name; without one, by its class.
    n_seeds : int
        Repetitions, each with a test part and fits of its own.
    also : mapping of xarray.Dataset, optional
        Further sets of the same edition by name, which are scored only.
    inputs : {"record", "window", "record+length"}
        What regressors that are given see of a curve: Re and Im of M over the whole record, in
        the window of the edition, or over the whole record with |M| beside them.
    part : {"complex", "magnitude"}, optional
        What of M all models see: Re and Im, or |M| in their place, over the same samples. By
        default what `dataset` holds.
    network_parameters : mapping, optional
        Arguments of :class:`CurveRegressor` that replace those of the package's networks, such as
        ``{"max_epochs": 10}`` for a quick look.
    n_curves, n_evaluation : int, optional
        Simulated curves to fit and test on, and to submit predictions of; by default 2000 and
        500, and 3000 and none for spin.
    line_draw : {"independent", "stratified", "frozen"}
        How ν of simulated curves is drawn; frozen is the flaw of part of the public data.
    seed : int
        Seed of simulated curves.
    store : path-like, optional
        Where simulated curves are kept and taken from; by default in `folder`, else in memory.
    source : str, optional
        What the result calls the data.
    folder : path-like, optional
        Where finished fits are kept, so that an interrupted call continues, and where networks of
        the first seed are saved, in `models`.
    progress : bool, optional
        Whether to show a progress bar; by default on a terminal and in a notebook.

    Returns
    -------
    ChallengeResult
        Its `failures` name each fit that raised an exception or predicted anything but finite
        numbers of the right shape.

    Raises
    ------
    InputError
        For data that are not of the edition or lack the part of M, and if every fit failed.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> from sklearn.linear_model import Ridge
    >>> ds = ln.simulate("challenge2021-gauss", n_curves=40, n_edge=8, scheme="source")
    >>> r = ln.challenge("2021-gauss", ds, models={"ridge": Ridge()}, n_seeds=2)
    >>> r.records[["group", "model", "seed", "score", "target"]].head(2).values.tolist()
    [['test part', 'ridge', 0, 'mse', 'alpha'], ['test part', 'ridge', 0, 'mse', 'xi']]

    The set that comes with the package holds |M|, of one pulse angle:

    >>> r = ln.challenge("spin", ln.load_reference(60), models={"ridge": Ridge()}, n_seeds=1)
    >>> r.facts["part"], r.facts["left_out"]
    ('magnitude', {'theta': 'the data have no challenge_theta'})
    """
    chosen = EDITIONS[check_choice("edition", edition, EDITIONS)]
    asked = contenders(models, inputs, network_parameters)
    check_count("n_seeds", n_seeds)
    if part is not None:
        check_choice("part", part, PARTS)
    also = _checked_names(also or {})
    place = None if folder is None else Path(folder)
    if dataset is None:
        if evaluation is not None:
            raise InputError(
                "evaluation must be left out where curves are simulated, but is a data set. Give "
                "dataset as well."
            )
        numbers = _checked_numbers(chosen, n_curves, n_evaluation)
        check_choice("line_draw", line_draw, DRAWS)
        check_count("seed", seed, at_least=0, at_most=2**32 - 1)
        if store is None and place is not None:
            store = place / STORE_NAME
        store = None if store is None else Path(store)
        dataset, evaluation = simulated(
            chosen, *numbers, line_draw=line_draw, seed=seed, store=store
        )
        source = source or (f"preset {chosen.preset}" if store is None else str(store))
    else:
        _refuse_numbers(n_curves, n_evaluation)
    material = gather(chosen, dataset, evaluation, also, source or "the data set given", part)
    asked = seeing(asked, material.part)
    with time_kept(place) as spent:
        contest = Contest(material, place)
        done, failures = _fit_all(contest, asked, n_seeds, place, progress)
    return ChallengeResult(
        as_records(list(records_of(contest, asked, done))),
        facts_of(contest, asked, done, n_seeds, spent["seconds"]),
        arrays_of(contest, asked, done),
        failures,
    )


def _checked_names(also: Mapping[str, xr.Dataset]) -> dict[str, xr.Dataset]:
    reserved = {"own", "evaluation", TEST_PART, EVALUATION_PART} & set(also)
    if reserved:
        raise InputError(
            f"also must not use names of parts of the data, but has {', '.join(sorted(reserved))}. "
            "Choose another name."
        )
    return dict(also)


def _checked_numbers(
    edition: Edition, n_curves: int | None, n_evaluation: int | None
) -> tuple[int, int]:
    """Numbers of curves to simulate."""
    found = edition.n_curves if n_curves is None else check_count("n_curves", n_curves, at_least=50)
    if n_evaluation is None:
        return found, edition.n_evaluation
    return found, check_count("n_evaluation", n_evaluation, at_least=0)


def _refuse_numbers(n_curves: int | None, n_evaluation: int | None) -> None:
    for name, value in (("n_curves", n_curves), ("n_evaluation", n_evaluation)):
        if value is not None:
            raise InputError(
                f"{name} must be left out where the data are given, which say how many curves "
                f"there are, but is {value}. Leave it out."
            )


def _fit_all(
    contest: Contest,
    asked: Sequence[Contender],
    n_seeds: int,
    folder: Path | None,
    progress: bool | None,
) -> tuple[Done, Failures]:
    """Results of the fits that did not fail, and what the others failed of."""
    others = contest.material.others.items()
    identity = {"also": {name: fingerprint(other) for name, (other, _) in others}}
    ledger = Ledger(folder, contest.material.identity | identity)
    steps = [contest.step(one, seed) for seed in range(n_seeds) for one in asked]
    failures: Failures = []

    def on_failure(step: Step, error: Exception) -> None:
        facts = {name: step.facts[name] for name in ("model", "seed")}
        failures.append({**facts, "reason": reason_of(error)})

    with progress_bar(len(steps), "fit", shown=progress) as bar:

        def on_step(step: Step) -> None:
            bar.set_postfix_str(step.facts["model"], refresh=False)
            bar.update()

        found = ledger.take_all(steps, on_step=on_step, on_failure=on_failure)
    done = {
        (step.facts["model"], step.facts["seed"]): result
        for step, result in zip(steps, found, strict=True)
        if result is not None
    }
    if not done:
        raise InputError(
            "models must fit and predict finite numbers, but every fit failed, the first of "
            f"{failures[0]['model']}: {failures[0]['reason'].rstrip('.')}. Check models and data."
        )
    if folder is not None:
        _publish_networks(contest, steps, done, folder / MODELS_FOLDER)
    return done, failures


def _publish_networks(contest: Contest, steps: Sequence[Step], done: Done, folder: Path) -> None:
    """Copy the networks of this call, which lie beside their steps, under their names."""
    found = {}
    for step in steps:
        facts = dict(step.facts)
        network = contest.network_folder(facts)
        if (facts["model"], facts["seed"]) in done and network and network.is_dir():
            found[facts["model"]] = network
    if found:
        with staged_folder(folder) as staging:
            for name, network in found.items():
                shutil.copytree(network, staging / name)
    elif folder.is_dir():  # of an earlier call with networks
        shutil.rmtree(folder)
