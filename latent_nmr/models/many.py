"""Many β-VAEs on the same data: one per seed and β, side by side."""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from latent_nmr._environment import check_devices
from latent_nmr._jax_settings import own_settings
from latent_nmr._row_names import check_row_order
from latent_nmr.errors import InputError, check_choice
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.inference import count_workers
from latent_nmr.models.principal import PrincipalFilter
from latent_nmr.models.schedule import EpochRecord
from latent_nmr.models.together import train_together
from latent_nmr.models.training import Problem, train
from latent_nmr.models.vae_fit import filter_of, fitted_model, problem_of

WAYS = ("auto", "threads", "vmap")


def fit_many(
    X: npt.ArrayLike,
    *,
    seeds: Iterable[int],
    betas: Iterable[float] | None = None,
    model: BetaVAE | None = None,
    way: str = "auto",
    groups: npt.ArrayLike | None = None,
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
    groups : array-like, shape (n_rows,), optional
        As in `BetaVAE.fit`.
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

    Examples
    --------
    >>> import numpy as np
    >>> from latent_nmr import BetaVAE, fit_many
    >>> X = np.random.default_rng(0).random((60, 24))
    >>> template = BetaVAE(hidden_layer_sizes=(8,), max_epochs=2)
    >>> [model.beta for model in fit_many(X, seeds=[0], betas=[1.0, 4.0], model=template)]
    [1.0, 4.0]
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
        check_devices()
        way = "threads" if jax.default_backend() == "cpu" else "vmap"
    run = fit_in_threads if way == "threads" else fit_with_model_axis
    run(models, X, on_fit or (lambda _: None), groups)
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
    models: Sequence[BetaVAE],
    X: npt.ArrayLike,
    on_fit: Callable[[BetaVAE], None],
    groups: npt.ArrayLike | None = None,
) -> None:
    """Fit models in as many threads as there are cores.

    A single training of a small network leaves most of a second core idle, and the compiled
    programs run outside the interpreter's lock, are shared, and compiled once. So are the data:
    two copies would push each other out of the processor's cache.
    """
    stopped = threading.Event()
    problems, rows, own = prepare_all(models, X, groups)
    with own_settings():
        shared = jnp.asarray(rows)

    def stop_if_asked(_: EpochRecord) -> None:
        if stopped.is_set():
            raise InterruptedError

    def fit(model: BetaVAE, problem: Problem) -> None:
        fit = train(problem, shared, on_epoch=stop_if_asked)
        model._accept(fitted_model(fit, problem, model.get_params(), rows, own))
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
    models: Sequence[BetaVAE],
    X: npt.ArrayLike,
    on_fit: Callable[[BetaVAE], None],
    groups: npt.ArrayLike | None = None,
) -> None:
    """Fit models by :func:`train_together`."""
    problems, rows, own = prepare_all(models, X, groups)
    shapes = {str(jax.tree.map(jnp.shape, problem.rows())) for problem in problems}
    if len(shapes) > 1:  # groups of unequal size
        fit_in_threads(models, X, on_fit, groups)
        return
    for model, problem, fit in zip(models, problems, train_together(problems, rows), strict=True):
        model._accept(fitted_model(fit, problem, model.get_params(), rows, own))
        on_fit(model)


def prepare_all(
    models: Sequence[BetaVAE], X: npt.ArrayLike, groups: npt.ArrayLike | None = None
) -> tuple[list[Problem], npt.NDArray[np.float32], PrincipalFilter | None]:
    """Problems of all models, the rows they share, and what these were filtered by."""
    check_row_order(X, groups=groups)
    rows = models[0]._data_to_fit(X)
    for model in models[1:]:
        model._data_to_fit(X)  # not the rows: each learns the names of its columns
    own = filter_of(models[0].get_params(), rows)
    rows = rows if own is None else own.filtered(rows)
    return [problem_of(model.get_params(), rows, groups) for model in models], rows, own
