"""The embedding of a data set by a trained β-VAE: a table with one row per curve."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latent_nmr._regular import regular
from latent_nmr.data._variables import PLACES
from latent_nmr.data.echoes import check_dataset
from latent_nmr.errors import InputError, check_choice
from latent_nmr.studies._known_curves import training_split
from latent_nmr.studies.trained_model import as_model, check_sampling

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from latent_nmr.models.beta_vae import BetaVAE

# Labels written beside the latent coordinates, where the data have them.
EMBEDDED_LABELS = ("W", "L", "kernel", "alpha_x", "alpha_z")
# Labels that colour maps if none are chosen; data without them show their own, a few at most.
MAP_LABELS, MOST_MAPS = ("kernel", "W", "L"), 4
OWN_COLUMNS = re.compile(r"curve|material|n_repeats|repeat|LA\d+(_sd)?|rms|split")
ROWS = ("curve", "material")


def embed(
    model: "BetaVAE | Path | str", dataset: "xr.Dataset", *, by: str = "curve"
) -> "pd.DataFrame":
    """Latent coordinates of the curves of a data set, as a table.

    Parameters
    ----------
    model : BetaVAE or path-like
        Trained on echoes; the folder of a saved one, or the name of one that comes with the
        package.
    dataset : xarray.Dataset
        Echoes, sampled like those that the model was trained on.
    by : {"curve", "material"}
        What a row is. For a material, all its curves are one point, see
        :meth:`BetaVAE.transform_repeats`.

    Returns
    -------
    DataFrame
        One row per curve: `curve`, its index, and `material` and `repeat` where the data have
        them; `LA1`, `LA2`, … and `LA1_sd`, …, mean and standard
        deviation of the posterior; `rms`, the root mean square of curve minus reconstruction, as a
        fraction of what curves are normalised by; W (MHz), L (lattice constants), kernel, alpha_x
        and alpha_z (MHz) where the data have them, then all labels of other names (with `label_`
        before those that are called like a column); `split`, which is `training` or `validation`
        for the model's own data, repeats of its materials included, and otherwise `new`. Rows of
        materials have `material` and `n_repeats` instead of a curve, its labels where all its
        curves have the same, and the mean square of its curves in `rms`.

    Raises
    ------
    InputError
        If the model does not know what it was trained on, the data have other times than its own,
        or rows are to be of materials and the data name none.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> table = ln.embed(ln.load_pretrained("echo"), ln.load_reference(n_curves=2))
    >>> list(table.columns[:6])
    ['curve', 'LA1', 'LA2', 'LA1_sd', 'LA2_sd', 'rms']
    >>> list(table["split"])
    ['new', 'new']
    """
    check_dataset(dataset)
    model = as_model(model)
    (table,) = embed_blocks(model, [dataset])
    if check_choice("by", by, ROWS) == "curve":
        return table
    return _of_materials(model, table)


def embed_blocks(
    model: "BetaVAE", blocks: "Iterable[xr.Dataset]", source: Path | str = "the data set"
) -> "Iterator[pd.DataFrame]":
    """The tables of :func:`embed`, one per block of curves; `source` names them in messages."""
    from latent_nmr.data.feature_settings import FeatureSettings

    settings = FeatureSettings.of_metadata(model.metadata_)
    n_before = 0
    for block in blocks:
        if not n_before:
            check_sampling(block, source, model)
        numbers = np.arange(n_before, n_before + block.sizes["curve"])
        n_before += len(numbers)
        if "curve" not in block.variables:
            block = block.assign_coords(curve=numbers)
        yield embedding_table(model, block, settings.of(block))


def _of_materials(model: "BetaVAE", table: "pd.DataFrame") -> "pd.DataFrame":
    """The table of a data set with its curves gathered by material."""
    from latent_nmr.latent_axes import axis_names
    from latent_nmr.models.experts import combined

    if "material" not in table:
        raise InputError(
            "data must have the coordinate material, which says what a row of the table is, where "
            "by is 'material', but have none. Simulate with repeats, or set ds['material']."
        )
    names = axis_names(model.n_components)
    deviations = [f"{name}_sd" for name in names]
    own = getattr(model, "repeat_scale_", None)
    mean, std = (table[columns].to_numpy() for columns in (names, deviations))
    points = combined(mean, std, table["material"].to_numpy(), own)
    rows = table.drop(columns=["curve", "repeat"], errors="ignore").groupby("material")
    found = rows.first()
    changing = (rows.nunique(dropna=False) > 1).any()
    dtype = table[names[0]].dtype
    found[names], found[deviations] = points.mean.astype(dtype), points.std.astype(dtype)
    found["rms"] = rows["rms"].agg(lambda own: np.sqrt(np.mean(np.square(own))))
    lost = [name for name in found.columns[changing] if not OWN_COLUMNS.fullmatch(str(name))]
    found = found.drop(columns=lost).reset_index()
    found.insert(1, "n_repeats", points.counts)
    return found


def read_embedding(path: Path) -> "pd.DataFrame":
    """The table of :func:`embed` from a CSV file."""
    import pandas as pd

    return pd.read_csv(regular(path))


def embedding_table(model: "BetaVAE", dataset: "xr.Dataset", X: np.ndarray) -> "pd.DataFrame":
    """The table of :func:`embed`, from features `X` of the curves, shape (n_curves, n_features)."""
    import pandas as pd

    from latent_nmr.data.labels import curve_names, foreign_labels, known_labels, materials_of
    from latent_nmr.latent_axes import axis_names

    names = axis_names(model.n_components)
    latent, deviation = model.transform(X), model.transform_std(X)
    residual = model.inverse_transform(latent)
    residual -= X
    mean_square = np.mean(np.square(residual, out=residual), axis=1, dtype=np.float64)
    columns: dict[str, Any] = {"curve": curve_names(dataset), **known_labels(dataset, PLACES)}
    columns |= dict(zip(names, latent.T, strict=True))
    columns |= dict(zip([f"{name}_sd" for name in names], deviation.T, strict=True))
    columns["rms"] = np.sqrt(mean_square).astype(X.dtype)
    columns |= known_labels(dataset, EMBEDDED_LABELS)
    columns |= {
        f"label_{name}" if OWN_COLUMNS.fullmatch(name) else name: values
        for name, values in foreign_labels(dataset).items()
    }
    split = training_split(model, X, materials_of(dataset))
    return pd.DataFrame({**columns, "split": split})


def label_columns(table: "pd.DataFrame") -> list[str]:
    """Labels in the table of :func:`embed`."""
    return [name for name in map(str, table.columns) if not OWN_COLUMNS.fullmatch(name)]


def map_labels(table: "pd.DataFrame") -> list[str]:
    """Labels that colour maps if none are chosen: kernel, W and L, or what the data have."""
    known = label_columns(table)
    return [name for name in MAP_LABELS if name in known] or known[:MOST_MAPS]
