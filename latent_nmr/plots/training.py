"""Loss and KL over the epochs of a training."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from latent_nmr.plots.style import new_figure

TRAINING_COLOUR, VALIDATION_COLOUR = "#0072B2", "#D55E00"
AXIS_COLOURS = ("#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
LINE_STYLES = ("-", "--", "-.", ":")


def loss_history(
    epochs: Sequence[int],
    reconstruction: npt.NDArray[np.floating],
    validation_reconstruction: npt.NDArray[np.floating],
    validation_kl_per_axis: npt.NDArray[np.floating],
    *,
    best_epoch: int,
    likelihood_text: str,
) -> Figure:
    """Draw reconstruction loss and KL against the epoch, with the best epoch marked.

    Parameters
    ----------
    epochs : sequence of int, length n_epochs
    reconstruction, validation_reconstruction : ndarray, shape (n_epochs,)
        Nats per curve, without the likelihood's constant.
    validation_kl_per_axis : ndarray, shape (n_epochs, n_components)
        Nats per curve.
    best_epoch : int
        Epoch whose weights were kept.
    likelihood_text : str
        Title of the loss panel.

    Returns
    -------
    Figure

    Examples
    --------
    >>> import latent_nmr as ln
    >>> import numpy as np
    >>> model = ln.load_pretrained("echo")
    >>> history = {name: np.array([getattr(epoch, name) for epoch in model.history_])
    ...            for name in ("reconstruction", "validation_reconstruction",
    ...                         "validation_kl_per_axis")}
    >>> epochs = range(1, len(model.history_) + 1)
    >>> figure = ln.plots.loss_history(epochs, **history, best_epoch=model.best_epoch_,
    ...                                likelihood_text="Gaussian likelihood")
    >>> len(figure.axes)
    2
    """
    figure = new_figure(7.6, 3.2)
    left, right = figure.subplots(1, 2)
    left.plot(epochs, reconstruction, color=TRAINING_COLOUR, label="training")
    left.plot(epochs, validation_reconstruction, "--", color=VALIDATION_COLOUR, label="validation")
    # With a learned scale the loss holds n log σ and falls below zero.
    if min(np.min(reconstruction), np.min(validation_reconstruction)) > 0:
        left.set_yscale("log")
    left.set_ylabel("reconstruction (nats per curve)")
    left.set_title(likelihood_text, fontsize="medium")
    for axis, kl in enumerate(validation_kl_per_axis.T):
        right.plot(
            epochs,
            kl,
            color=AXIS_COLOURS[axis % len(AXIS_COLOURS)],
            linestyle=LINE_STYLES[axis % len(LINE_STYLES)],
            label=f"LA{axis + 1}",
        )
    right.set_ylabel("KL (nats per curve)")
    right.set_title("KL per axis, validation", fontsize="medium")
    right.set_ylim(bottom=0)
    for ax in (left, right):
        ax.axvline(best_epoch, color="0.4", linestyle=":", linewidth=1, label="best epoch")
        ax.set_xlabel("epoch")
        ax.legend(frameon=False)
    return figure
