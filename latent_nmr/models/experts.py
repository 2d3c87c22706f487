r"""Several repeats of one material as one point of the map: the product of experts.

With the posteriors :math:`\mathcal N(\mu_k, \sigma_k^2)` of K repeats, per axis,

.. math:: q(z|x_1 \ldots x_K) \propto \prod_k \mathcal N(z; \mu_k, f^2 \sigma_k^2)

(G. E. Hinton, Neural Comput. 14, 1771 (2002)), which is about where the mean of very many repeats
would lie. An encoder's widths σ say how well a curve fixes what is decoded from it, and not how far
chance moves the next curve of the same material: the factor f of each axis, found from repeats,
makes them say that. The prior is left out: it would pull many repeats away from their mean.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from latent_nmr._items import as_items
from latent_nmr._splits import as_groups
from latent_nmr.errors import InputError

# Of the sums of squares from which a factor is found.
SMALLEST = np.finfo(np.float64).tiny

Points = npt.NDArray[np.floating]


class Combined(NamedTuple):
    """Posteriors of materials.

    Attributes
    ----------
    groups : ndarray, shape (n_materials,)
        Materials, in order.
    mean, std : ndarray, shape (n_materials, n_components)
    counts : ndarray of int, shape (n_materials,)
        Repeats of each.
    """

    groups: npt.NDArray
    mean: npt.NDArray[np.float64]
    std: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]


def repeat_scale(
    first: tuple[Points, Points], second: tuple[Points, Points]
) -> npt.NDArray[np.float64]:
    r"""How many times farther apart the means of two repeats lie than their posteriors say.

    .. math:: f^2 = \langle (\mu_1 - \mu_2)^2 / (\sigma_1^2 + \sigma_2^2) \rangle

    per axis, over pairs. Each pair counts by what it is itself surprised, so that a few wide
    posteriors do not make all narrow ones too sure.

    Parameters
    ----------
    first, second : pair of ndarray, each of shape (n_pairs, n_components)
        Means and standard deviations of one repeat of a material, and of another.

    Returns
    -------
    ndarray, shape (n_components,)
    """
    (mean, std), (other_mean, other_std) = (
        [np.asarray(part, np.float64) for part in own] for own in (first, second)
    )
    said = np.maximum(std**2 + other_std**2, SMALLEST)
    return np.sqrt(np.maximum(np.mean((mean - other_mean) ** 2 / said, axis=0), SMALLEST))


def scale_of_rows(
    mean: Points, std: Points, codes: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Factors by :func:`repeat_scale` from all pairs of rows of the same material.

    Parameters
    ----------
    mean, std : ndarray, shape (n_rows, n_components)
    codes : ndarray of int, shape (n_rows,)
        Material of each row.

    Raises
    ------
    InputError
        If none has two.
    """
    order, counts = np.argsort(codes, kind="stable"), np.bincount(codes)
    # In that order a material's rows stand together: those k places apart, for every k.
    steps = [np.arange(len(codes) - k) for k in range(1, counts.max())]
    pairs = [(order[at], order[at + k]) for k, at in enumerate(steps, start=1)]
    first, second = np.concatenate([*pairs, np.zeros((2, 0), int)], axis=1).astype(int)
    is_same = codes[first] == codes[second]
    first, second = first[is_same], second[is_same]
    if not len(first):
        raise InputError(
            "scale must be given for a model that has none of its own, where each material has one "
            "row, but is None. Give scale=1.0, or more rows of some materials."
        )
    return repeat_scale((mean[first], std[first]), (mean[second], std[second]))


def checked_scale(scale: npt.ArrayLike, n_components: int) -> npt.NDArray[np.float64]:
    """Return factors of the axes, shape (n_components,), or raise `InputError`."""
    try:
        given = np.asarray(scale, np.float64)
        factors = np.broadcast_to(given, (n_components,))
    except (TypeError, ValueError):
        factors = np.zeros(0)
    if not factors.size or not np.all((factors > 0) & np.isfinite(factors)):
        raise InputError(
            f"scale must be a number > 0, or one for each of {n_components} axes, but is "
            f"{scale!r:.60}. Leave it out to take that of the model."
        )
    return factors


def combined(
    mean: Points, std: Points, groups: npt.ArrayLike, scale: npt.ArrayLike | None = None
) -> Combined:
    """:func:`product_of_experts` of rows by material, with the factors that these rows show if none
    are given.

    Raises
    ------
    InputError
        For groups that do not say the material of each row, and factors that cannot be used or
        found.
    """
    codes = as_groups(groups, len(mean))
    if codes is None:
        raise InputError("groups must say the material of each row, but is None. Give ds.material.")
    if scale is None:
        scale = scale_of_rows(mean, std, codes)
    names = as_items(groups)
    if names.dtype.kind == "O":  # of several kinds, which have no order
        names = np.array([str(name) for name in names.tolist()])
    return product_of_experts(mean, std, names, checked_scale(scale, mean.shape[1]))


def product_of_experts(
    mean: Points, std: Points, groups: npt.NDArray, scale: npt.ArrayLike = 1.0
) -> Combined:
    r"""One posterior for each material from those of its repeats.

    Its precision is :math:`\sum_k s_k^{-2}` with :math:`s_k = f \sigma_k`, and its mean
    :math:`\sum_k \mu_k s_k^{-2}` over that.

    Parameters
    ----------
    mean, std : ndarray, shape (n_rows, n_components)
    groups : ndarray, shape (n_rows,)
        Material of each row.
    scale : float or ndarray, shape (n_components,)
        Factors f of the axes, see :func:`repeat_scale`.
    """
    materials, codes, counts = np.unique(groups, return_inverse=True, return_counts=True)
    weights = (np.asarray(std, np.float64) * np.asarray(scale, np.float64)) ** -2
    precision, moment = (np.zeros((len(materials), weights.shape[1])) for _ in range(2))
    np.add.at(precision, codes, weights)
    np.add.at(moment, codes, weights * mean)
    return Combined(materials, moment / precision, precision**-0.5, counts)
