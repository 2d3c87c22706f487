"""The study: fit, embed, name the axes."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sklearn.base import clone

from latent_nmr._interrupts import stop_if_interrupted
from latent_nmr._progress import progress_bar
from latent_nmr.errors import InputError, check_count, check_number
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.persistence import write_files
from latent_nmr.models.schedule import EpochRecord
from latent_nmr.studies._result import StudyResult, as_records
from latent_nmr.studies.embedding import EMBEDDED_LABELS, embedding_table
from latent_nmr.studies.measurement._reference import (
    REFERENCE_FILE,
    Reference,
    check_measurable,
)
from latent_nmr.studies.measurement.visible import visible_echoes
from latent_nmr.studies.trained_model import describe_data
from latent_nmr.studies.training import _figures
from latent_nmr.studies.training._numbers import history_table, records_of, summary

if TYPE_CHECKING:
    import xarray as xr

    from latent_nmr.data.feature_settings import FeatureSettings
    from latent_nmr.data.polar import Polar

# File of a folder to work in that keeps the progress of the fit.
CHECKPOINT_FILE = "checkpoint.safetensors"
BAR_FORMAT = "{n_fmt} epochs [{elapsed}{postfix}]"
EMBEDDING_ENTRY = "embedding/"


class TrainingResult(StudyResult):
    """A trained β-VAE, and what is to be said and drawn of it.

    `table` is the history: one row per epoch with the losses in nats per curve. `figures` are
    `latent_map` (from two axes on), `traversal_LA1` and so on, `loss_history` and
    `reconstructions`; where features are more than |M|, one more of those for each quantity.

    Attributes
    ----------
    model : BetaVAE
        Fitted, with the metadata that the functions for trained models need. A saved result is
        also a model folder, which `BetaVAE.load` reads.
    reference : Reference or None
        Of a model of measured echoes: the simulated ones that those are compared with.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> echoes = ln.simulate("paper", 40, n_edge=8, step=4, seed=1)
    >>> model = ln.BetaVAE(hidden_layer_sizes=(8,), max_epochs=2, min_epoch_steps=2, random_state=0)
    >>> r = ln.train(echoes, model=model)
    >>> r.table["epoch"].tolist()
    [1, 2]
    """

    study = "training"
    model: BetaVAE
    reference: Reference | None = None

    @property
    def table(self) -> pd.DataFrame:
        """History, one row per epoch."""
        return history_table(self.model)

    @property
    def embedding(self) -> pd.DataFrame:
        """One row per curve: latent coordinates, their posterior sd, rms, labels and split."""
        names = [name for name in self.arrays if name.startswith(EMBEDDING_ENTRY)]
        return pd.DataFrame({n.removeprefix(EMBEDDING_ENTRY): self.arrays[n] for n in names})

    def write_into(self, folder: Path) -> None:
        """Write the files of the result and those of the model into an existing folder."""
        super().write_into(folder)
        self.write_model(folder)

    def write_model(self, folder: Path) -> None:
        """Write the files of the model alone into an existing folder.

        Beside a model of measured echoes, the simulated ones that those are compared with.
        """
        write_files(self.model, folder, self.model.metadata_)
        if self.reference is not None:
            self.reference.save(folder / REFERENCE_FILE)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a result that :meth:`save` wrote; nothing in it is executed."""
        result = super().load(path)
        result.model = BetaVAE.load(path)
        kept = Path(path) / REFERENCE_FILE
        result.reference = Reference.load(kept) if kept.is_file() else None
        return result

    def own_files(self) -> set[str]:
        """Names of the files that :meth:`save` writes."""
        own = {"weights.safetensors", "model.json"}
        return super().own_files() | own | ({REFERENCE_FILE} if self.reference else set())

    def _drawers(self) -> dict[str, Callable[[], Any]]:
        model, embedding = self.model, self.embedding
        span, n_steps = self.facts["span"], self.facts["n_steps"]
        drawers: dict[str, Callable[[], Any]] = {}
        if model.n_components >= 2:
            drawers["latent_map"] = lambda: _figures.draw_map(model, embedding)
        for axis in range(1, model.n_components + 1):
            drawers[f"traversal_LA{axis}"] = lambda axis=axis: _figures.draw_axis(
                model, axis, embedding, span, n_steps
            )
        drawers["loss_history"] = lambda: _figures.draw_history(model)
        for number, name in enumerate(_figures.sheet_names(self.facts, self.arrays)):
            drawers[name] = lambda number=number: _figures.draw_reconstructions(
                self.facts, self.arrays, number
            )
        return drawers


def train(
    dataset: "xr.Dataset",
    *,
    window: str = "echo",
    normalisation: str = "initial",
    part: "str | Polar" = "magnitude",
    model: BetaVAE | None = None,
    span: float = 2.5,
    n_steps: int = 11,
    n_shown: int = 12,
    n_naming_curves: int = 500,
    n_information_permutations: int = 39,
    folder: Path | str | None = None,
    progress: bool | None = None,
    on_epoch: Callable[[EpochRecord], object] | None = None,
) -> TrainingResult:
    """Fit a β-VAE to the echoes of a data set.

    Parameters
    ----------
    dataset : xarray.Dataset
        Echoes of `n_curves` curves; those with one value of the coordinate `material`, if there is
        one, are all trained on or all held out for early stopping.
    window : {"echo", "full", "echo300", "top"}
        Part of the record: 400 samples around the echo, all, 300 around the echo, or 400 around
        the highest point of each curve's echo.
    normalisation : {"initial", "window_max", "height"}
        Divide |M| by its first sample, by its largest in the window, or by the echo's height.
    part : {"magnitude", "both", "real", "imaginary", "polar"} or Polar
        What of M: its length, parts of it, or length and local frequency, as for
        :func:`latent_nmr.features`.
    model : BetaVAE, optional
        Settings of the model; it is not changed. By default ``BetaVAE(random_state=0)``. One with
        `augment` is for measured echoes: window and normalisation must be "top" and "height", or
        "initial" for `spectrometer-m0`. Curves whose echo is lower than 0.05 |M(0)|, where chance
        in ν is as high, are left out, and `reference` of the result has the others, which
        :func:`latent_nmr.measure` compares records with.
    span : float
        Traversals go from -`span` to `span` along each axis.
    n_steps : int
        Curves per traversal.
    n_shown : int
        Validation curves whose reconstructions are drawn.
    n_naming_curves : int
        Largest number of validation curves that axes are named by.
    n_information_permutations : int
        Permutations for the null of the mutual information, at least 19.
    folder : path-like, optional
        Folder to work in. The progress of the fit is kept in it, in `checkpoint.safetensors`, so
        that a fit that was killed continues to the same weights.
    progress : bool, optional
        Show a progress bar; by default on a terminal and in a notebook.
    on_epoch : callable, optional
        Called after each epoch with its record.

    Returns
    -------
    TrainingResult

    Raises
    ------
    InputError
        For a window that the data do not cover, and parameters out of range.
    NumericalError
        If the loss is not finite from the first epoch on.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> echoes = ln.simulate("paper", 40, n_edge=8, step=4, seed=1)
    >>> model = ln.BetaVAE(hidden_layer_sizes=(8,), max_epochs=2, min_epoch_steps=2, random_state=0)
    >>> r = ln.train(echoes, model=model)
    >>> r.model.transform(ln.features(echoes)).shape, len(r.table), len(r.embedding)
    ((40, 2), 2, 40)
    >>> list(r.figures)
    ['latent_map', 'traversal_LA1', 'traversal_LA2', 'loss_history', 'reconstructions']
    """
    from latent_nmr.data.echoes import check_frame
    from latent_nmr.data.feature_settings import FeatureSettings

    fitted = _unfitted(model)
    check_number("span", span, above=0)
    check_count("n_steps", n_steps, at_least=2)
    check_count("n_shown", n_shown)
    if fitted.augment is not None:
        check_measurable(fitted.augment, window, normalisation)
        dataset = visible_echoes(dataset)
    settings = FeatureSettings.for_data(check_frame(dataset), window, normalisation, part)
    X = settings.of(dataset)
    # What cannot be used is refused before the fit, not after it.
    described = _describe(dataset, X, settings)
    _fit(fitted, X, dataset, None if folder is None else Path(folder), progress, on_epoch)
    fitted.metadata_ = described
    embedding = embedding_table(fitted, dataset, X)
    shown = _figures.sheet_rows(fitted, dataset, n_shown)
    numbers = summary(
        fitted,
        embedding,
        X,
        n_naming_curves=n_naming_curves,
        n_information_permutations=n_information_permutations,
    )
    facts = {
        **numbers,
        **settings.as_metadata(),
        "data_sha256": fitted.metadata_["data_sha256"],
        "span": span,
        "n_steps": n_steps,
        "shown_titles": [_figures.curve_title(dataset, row) for row in shown],
    }
    arrays = {
        "time": np.asarray(fitted.metadata_["time_us"]),
        "shown": X[shown],
        "shown_reconstructed": fitted.reconstruct(X[shown]),
        **{EMBEDDING_ENTRY + str(name): _plain(embedding[name]) for name in embedding.columns},
    }
    records = as_records(list(records_of(history_table(fitted), fitted.random_state)))
    result = TrainingResult(records, facts, arrays)
    result.model = fitted
    if fitted.augment is not None:
        result.reference = Reference.of_training(dataset, fitted.training_rows_)
    return result


def _unfitted(model: object) -> BetaVAE:
    """A copy of the model whose settings are given; raises `InputError` for anything else."""
    if model is not None and not isinstance(model, BetaVAE):
        raise InputError(
            f"model must be a BetaVAE, but is a {type(model).__name__}. Pass its settings, such as "
            "BetaVAE(beta=4), or leave it out."
        )
    found = BetaVAE(random_state=0) if model is None else clone(model)
    found.check_parameters()
    return found


def _describe(dataset: "xr.Dataset", X: np.ndarray, settings: "FeatureSettings") -> dict[str, Any]:
    """Metadata of the model; raises `InputError` also for labels that no table can show."""
    from latent_nmr.data.labels import known_labels

    known_labels(dataset, EMBEDDED_LABELS)
    return describe_data(dataset, X, settings)


def _fit(
    model: BetaVAE,
    X: np.ndarray,
    dataset: "xr.Dataset",
    folder: Path | None,
    progress: bool | None,
    on_epoch: Callable[[EpochRecord], object] | None,
) -> None:
    """Fit, with the losses of the last epoch beside the progress bar."""
    from latent_nmr.data.labels import materials_of

    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with progress_bar(None, "epoch", shown=progress, bar_format=BAR_FORMAT) as bar:

        def show(epoch: EpochRecord) -> None:
            stop_if_interrupted()
            if on_epoch is not None:
                on_epoch(epoch)
            bar.set_postfix_str(
                f"validation reconstruction {epoch.validation_reconstruction:.1f}, "
                f"KL {epoch.validation_kl:.2f}",
                refresh=False,
            )
            bar.update(epoch.epoch - bar.n)

        checkpoint = None if folder is None else folder / CHECKPOINT_FILE
        model.fit(X, groups=materials_of(dataset), on_epoch=show, checkpoint=checkpoint)


def _plain(values: pd.Series) -> np.ndarray:
    """A column as numbers, or as text of fixed width."""
    array = values.to_numpy()
    return array if array.dtype.kind in "iuf" else array.astype(str)
