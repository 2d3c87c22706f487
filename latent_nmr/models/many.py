"""Many β-VAEs on the same data: one per seed and β, side by side."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from flax import nnx
from sklearn.base import clone

from latent_nmr.errors import InputError, check_choice
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.epochs import Objective, Parts, evaluate_all, run_epochs
from latent_nmr.models.inference import count_workers
from latent_nmr.models.networks import graph_of
from latent_nmr.models.training import (
    EpochRecord,
    Fit,
    Problem,
    beginning,
    is_better,
    outcome,
    stop_reason,
    to_record,
    train,
)

WAYS = ("auto", "threads", "vmap")


def fit_many(
    X: npt.ArrayLike,
    *,
    seeds: Iterable[int],
    betas: Iterable[float] | None = None,
    model: BetaVAE | None = None,
    way: str = "auto",
    on_fit: Callable[[BetaVAE], None] | None = None,
) -> list[BetaVAE]:
    """Fit one model per β and seed to the same data, in the fastest way for the machine.

    Parameters
    ----------
    X : array-like, shape (n_rows, n_features)
    seeds : iterable of int
        `random_state` of the models.
    betas : iterable of float, optional
        Without it, the β of `model`.
    model : BetaVAE, optional
        Template: every other parameter is taken from it; it stays unfitted.
    way : {"auto", "threads", "vmap"}
        `threads`: one fit per core at a time, each the same bits as a fit alone. `vmap`: all in
        one program with a model axis, which fills an accelerator; equal to fits alone but for
        the rounding of float32, which training amplifies. `auto`: `threads` on a CPU, else `vmap`.
    on_fit : callable, optional
        Called with each model when it is done.

    Returns
    -------
    list of BetaVAE
        All seeds of the first β, then of the next; `random_state` and `beta` tell which is which.

    Raises
    ------
    InputError, NumericalError
        As `BetaVAE.fit` does.
    """
    check_choice("way", way, WAYS)
    template = BetaVAE() if model is None else model
    seeds = as_list("seeds", seeds)
    betas = [template.beta] if betas is None else as_list("betas", betas)
    if not seeds or not betas:
        raise InputError(
            f"seeds and betas must name at least one model, but are {seeds} and {betas}. "
            "Give seeds=range(5)."
        )
    models = [
        clone(template).set_params(random_state=seed, beta=beta) for beta in betas for seed in seeds
    ]
    if way == "auto":
        way = "threads" if jax.default_backend() == "cpu" else "vmap"
    run = fit_in_threads if way == "threads" else fit_with_model_axis
    run(models, X, on_fit or (lambda _: None))
    return models


def as_list(name: str, values: Iterable) -> list:
    """Values of an iterable, or a message that one is needed."""
    try:
        return list(values)
    except TypeError:
        raise InputError(
            f"{name} must be a sequence of numbers, but is {values!r}. Give {name}=[{values!r}]."
        ) from None


def fit_in_threads(
    models: Sequence[BetaVAE], X: npt.ArrayLike, on_fit: Callable[[BetaVAE], None]
) -> None:
    """Fit models in as many threads as there are cores.

    A single training of a small network leaves most of a second core idle, and the compiled
    programs run outside the interpreter's lock, are shared, and compiled once. So are the data:
    two copies would push each other out of the processor's cache.
    """
    stopped = threading.Event()
    problems, rows = prepare_all(models, X)
    shared = jnp.asarray(rows)

    def stop_if_asked(_: EpochRecord) -> None:
        if stopped.is_set():
            raise InterruptedError

    def fit(model: BetaVAE, problem: Problem) -> None:
        model._accept(train(problem, shared, on_epoch=stop_if_asked), problem, rows)
        on_fit(model)

    with ThreadPoolExecutor(count_workers()) as pool:
        futures = [pool.submit(fit, *each) for each in zip(models, problems, strict=True)]
        try:
            for future in futures:
                future.result()
        finally:  # of no effect when all are done; else nobody waits for the rest
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)


def fit_with_model_axis(
    models: Sequence[BetaVAE], X: npt.ArrayLike, on_fit: Callable[[BetaVAE], None]
) -> None:
    """Fit models by :func:`train_together`."""
    problems, rows = prepare_all(models, X)
    for model, problem, fit in zip(models, problems, train_together(problems, rows), strict=True):
        model._accept(fit, problem, rows)
        on_fit(model)


def prepare_all(
    models: Sequence[BetaVAE], X: npt.ArrayLike
) -> tuple[list[Problem], npt.NDArray[np.float32]]:
    """Problems of all models, and the rows they share."""
    rows = models[0]._data_to_fit(X)
    for model in models[1:]:
        model._data_to_fit(X)  # not the rows: each learns the names of its columns
    return [model._problem(rows) for model in models], rows


def train_together(problems: Sequence[Problem], data: npt.NDArray[np.float32]) -> list[Fit]:
    """Train many models on the same data side by side, with a model axis in every array.

    The way to fill an accelerator with small networks. All problems must agree in everything but
    objective, rows and key. A model that has stopped keeps its best weights while others go on.
    """
    first = problems[0]
    schedule, graph = first.schedule, graph_of(first.architecture)
    rows = jnp.asarray(data)
    beginnings = [beginning(problem, rows) for problem in problems]
    states = stack([start.state for start in beginnings])
    optimiser_states = stack([start.optimiser_state for start in beginnings])
    best_states = states
    training_rows = jnp.stack([problem.training_rows for problem in problems])
    validation_rows = jnp.stack([problem.validation_rows for problem in problems])
    epoch_keys, validation_keys = (
        jnp.stack([problem.keys()[role] for problem in problems]) for role in (1, 2)
    )
    histories: list[list[EpochRecord]] = [[] for _ in problems]
    best, is_done = [0] * len(problems), [False] * len(problems)
    epoch = 0
    while not all(is_done):
        start, epoch = time.perf_counter(), epoch + 1
        objectives = [problem.objective_in(epoch) for problem in problems]
        stacked = Objective(*map(jnp.asarray, zip(*objectives, strict=True)))
        states, optimiser_states, parts = run_epochs(
            graph,
            states,
            optimiser_states,
            rows,
            training_rows,
            stacked,
            schedule.learning_rate,
            jax.vmap(jax.random.fold_in, (0, None))(epoch_keys, epoch),
            likelihood=first.likelihood,
            **schedule.portions(training_rows.shape[1]),
        )
        held_out = evaluate_all(
            graph,
            states,
            rows,
            validation_rows,
            stacked.scale,
            validation_keys,
            likelihood=first.likelihood,
        )
        parts, held_out = jax.device_get((parts, held_out))
        is_best = np.zeros(len(problems), bool)
        for model in (model for model, done in enumerate(is_done) if not done):
            own, own_held_out = (
                Parts(*(part[model] for part in group)) for group in (parts, held_out)
            )
            record = to_record(epoch, objectives[model].beta, own, own_held_out, start)
            if is_better(record, histories[model], best[model], schedule):
                best[model], is_best[model] = epoch, True
            histories[model].append(record)
            is_done[model] = bool(stop_reason(histories[model], best[model], schedule))
        best_states = choose(jnp.asarray(is_best), states, best_states)
    return [
        outcome(
            jax.tree.map(lambda leaf, m=model: leaf[m], best_states),
            histories[model],
            best[model],
            schedule,
        )
        for model in range(len(problems))
    ]


def stack(trees: Sequence) -> nnx.State:
    """One tree whose leaves have a leading model axis."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)


@jax.jit
def choose(take_new: jax.Array, new: nnx.State, old: nnx.State) -> nnx.State:
    """Take the new or the old tree, model by model."""

    def one(take, new, old):
        return jax.tree.map(lambda a, b: jnp.where(take, a, b), new, old)

    return jax.vmap(one)(take_new, new, old)
