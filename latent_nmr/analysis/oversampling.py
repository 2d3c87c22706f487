"""Random oversampling of the smaller classes, and the leak that it causes before a split.

Repeating rows before a split puts copies of one curve into both parts: the model is then tested on
curves that it was fitted on. :func:`leaky_split` does so on purpose, to measure the effect;
nothing else uses it.
"""

import numpy as np
import numpy.typing as npt

from latent_nmr._splits import Rows, split_rows


def oversample(labels: npt.NDArray[np.generic], rows: Rows, random_state: int) -> Rows:
    """`rows`, and after them repetitions of some, so that all classes are of equal size.

    Parameters
    ----------
    labels : ndarray, shape (n_curves,)
        Class of every curve; only those of `rows` matter.
    rows : ndarray of int, shape (n_rows,)
        The training part; nothing outside it is used.
    random_state : int

    Returns
    -------
    ndarray of int, shape (n_classes · size of the largest,)
    """
    draw = np.random.default_rng(random_state)
    names, counts = np.unique(labels[rows], return_counts=True)
    added = [
        draw.choice(rows[labels[rows] == name], counts.max() - count, replace=True)
        for name, count in zip(names, counts, strict=True)
    ]
    return np.concatenate([rows, *added])


def leaky_split(
    labels: npt.NDArray[np.generic], rows: Rows, *, fraction: float, random_state: int
) -> tuple[Rows, Rows]:
    """Oversample first and split then, as the public notebooks did: rows in both parts.

    Returns the rows to fit on and to score. Never use it for a score that is to be trusted.
    """
    everything = oversample(labels, rows, random_state)
    return split_rows(everything, float(fraction), random_state, stratify=labels)
