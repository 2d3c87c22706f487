"""Train a posterior on simulated curves, and note what it was trained on."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from latent_nmr.errors import InputError
from latent_nmr.models.posterior.prior import Prior
from latent_nmr.studies.posterior._data import ANGLES, flip_angles, note_simulated, rows_for

if TYPE_CHECKING:
    import xarray as xr

    from latent_nmr.models.posterior.echo_posterior import EchoPosterior
    from latent_nmr.models.posterior.training import PosteriorRecord

INDEPENDENT = "independent"


def train_posterior(
    dataset: "xr.Dataset",
    *,
    prior: Prior | None = None,
    on_epoch: "Callable[[PosteriorRecord], None] | None" = None,
    **parameters: Any,
) -> "EchoPosterior":
    """Train a posterior on all curves of a data set, whose numbers it notes.

    Parameters
    ----------
    dataset : xarray.Dataset
        Simulated curves with labels and independent offsets.
    prior : Prior, optional
        What their materials were drawn from; by default that of the preset `paper`.
    on_epoch : callable, optional
        Called with the record of each epoch.
    **parameters
        Of :class:`latent_nmr.EchoPosterior`.

    Raises
    ------
    InputError
        If offsets are not independent, or the data cannot be used.
    """
    from latent_nmr.models.posterior.echo_posterior import EchoPosterior

    draw = dataset.attrs.get("line_draw", INDEPENDENT)
    if draw != INDEPENDENT:
        raise InputError(
            f"posteriors must be trained on independent offsets, but line_draw is {draw!r}: real "
            "lattices do not have what such curves show. Simulate with line_draw='independent'."
        )
    model = EchoPosterior(**parameters)
    rows = rows_for(model.receiver, dataset)
    angles = flip_angles(dataset)
    model.fit(rows, dataset, angles, prior=prior, on_epoch=on_epoch)
    ends = [float(end) for end in (angles.min(), angles.max())]
    model.metadata_ = {ANGLES: ends, **note_simulated(dataset)}
    return model
