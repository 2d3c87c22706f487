"""The study: PCA, K-means for several numbers of clusters, and the description of some."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from latent_nmr._progress import progress_bar
from latent_nmr.analysis.clusters import (
    SILHOUETTE_CURVES,
    check_distinct,
    mean_silhouettes,
    order_by,
    partitions,
    sum_of_squares,
)
from latent_nmr.data.feature_settings import FeatureSettings
from latent_nmr.errors import InputError, check_count, check_number
from latent_nmr.models.baselines import KMeansBaseline, PCABaseline
from latent_nmr.studies._identity import digest_of
from latent_nmr.studies._ledger import Ledger
from latent_nmr.studies._result import StudyResult, as_records
from latent_nmr.studies.clusters import _figures
from latent_nmr.studies.clusters._inputs import inputs_of, is_number
from latent_nmr.studies.clusters._numbers import (
    choices,
    described_by,
    explained_by,
    records_of,
    relations,
)

if TYPE_CHECKING:
    import xarray as xr

    from latent_nmr.data.polar import Polar


class ClustersResult(StudyResult):
    """Principal components and clusters of a data set.

    `table` has one row per number of clusters K: the sum of squared distances to the mean curves
    (`sse`), its fraction of that of one cluster, the mean silhouette, and for the numbers that are
    described the adjusted Rand index with each class label and the fraction of curves whose W lies
    in the range of more than one cluster. `figures` are `baselines` (maps, choice of K, mean
    curves) and `clusters` (mean curves for each described K), where features are more than |M|
    one for each quantity (`clusters_frequency`).

    Examples
    --------
    >>> import numpy as np
    >>> import latent_nmr as ln
    >>> rng = np.random.default_rng(0)
    >>> X = np.concatenate([rng.normal(m, 0.1, size=(30, 8)) for m in (0, 1)])
    >>> ln.clusters(X, n_clusters=range(1, 4)).table.index.tolist()
    [1, 2, 3]
    """

    study = "clusters"

    @property
    def table(self) -> pd.DataFrame:
        """One row per number of clusters."""
        of_count = self.records[self.records["n_clusters"].notna() & self.records["cluster"].isna()]
        names = [
            score if score != "adjusted_rand_index" else f"{score}_{target}"
            for score, target in zip(of_count["score"], of_count["target"], strict=True)
        ]
        columns = of_count.assign(column=names, n_clusters=of_count["n_clusters"].astype(int))
        table = columns.pivot(index="n_clusters", columns="column", values="value")
        table = table[list(dict.fromkeys(names))].rename_axis(columns=None)
        table.insert(1, "sse_fraction", table["sse"] / table["sse"].loc[1])
        return table

    def _drawers(self) -> dict[str, Callable[[], Any]]:
        drawers: dict[str, Callable[[], Any]] = {
            "baselines": lambda: _figures.overview(self.facts, self.arrays)
        }
        for number, suffix in enumerate(_figures.suffixes(self.facts, self.arrays)):
            drawers[f"clusters{suffix}"] = lambda number=number: _figures.described(
                self.facts, self.arrays, number
            )
        return drawers


def clusters(
    data: "xr.Dataset | npt.ArrayLike",
    labels: Mapping[str, npt.ArrayLike] | None = None,
    *,
    n_clusters: Iterable[int] = range(1, 11),
    described: int | Iterable[int] = (2, 3),
    window: str = "echo",
    normalisation: str = "initial",
    part: "str | Polar" = "magnitude",
    random_state: int = 0,
    n_silhouette_curves: int = SILHOUETTE_CURVES,
    left_out: float = 1e-6,
    folder: Path | str | None = None,
    progress: bool | None = None,
) -> ClustersResult:
    """Fit PCA, and K-means for several numbers of clusters, and describe the clusters.

    Parameters
    ----------
    data : xarray.Dataset or array, shape (n_curves, n_features)
        Echoes, or any features of curves.
    labels : mapping of array, shape (n_curves,), optional
        Numbers or text of every curve; by default W, L, kernel, alpha_x and alpha_z of a data
        set. Clusters are numbered by the mean of W, or without it by the mean of their curves.
        A label that some curves lack is left out; `facts["incomplete_labels"]` counts them.
    n_clusters : iterable of int
        Numbers of clusters K, 1 and at least two more.
    described : int or iterable of int
        Those whose clusters are described and drawn.
    window, normalisation, part
        Of the features of a data set, as in :func:`latent_nmr.features`; an array is used as it is.
    random_state : int
        Seeds the starts of K-means and the curves whose silhouettes are taken.
    n_silhouette_curves : int
        Of a larger set, silhouettes are taken of this number of curves, the same for every K.
    left_out : float
        Fraction of the variance that K-means may miss: it is given principal components, whose
        distances are those of the curves, and takes a time proportional to their number.
    folder : path-like, optional
        Where finished steps are kept, so that an interrupted call continues.
    progress : bool, optional
        Whether to show a progress bar; by default on a terminal and in a notebook.

    Returns
    -------
    ClustersResult

    Raises
    ------
    InputError
        For data without more distinct curves than clusters, labels of another length, and
        numbers of clusters that cannot be compared.

    Examples
    --------
    >>> import numpy as np
    >>> import latent_nmr as ln
    >>> rng = np.random.default_rng(0)
    >>> X = np.concatenate([rng.normal(m, 0.1, size=(30, 8)) for m in (0, 1)])
    >>> r = ln.clusters(X, {"W": X.mean(axis=1)}, n_clusters=range(1, 5))
    >>> r.facts["elbow"], r.facts["largest_silhouette"]
    (2, 2)
    >>> list(r.figures)
    ['baselines', 'clusters']
    """
    counts, chosen = _checked_counts(n_clusters, described)
    check_count("random_state", random_state, at_least=0, at_most=2**32 - 1)
    check_number("left_out", left_out, at_least=0, at_most=1)
    X, known, facts, arrays = inputs_of(data, labels, FeatureSettings(window, normalisation, part))
    check_distinct(X, counts[-1])
    fits = _fit(
        X,
        counts,
        random_state=random_state,
        n_silhouette_curves=check_count("n_silhouette_curves", n_silhouette_curves, at_least=2),
        left_out=left_out,
        folder=folder,
        progress=progress,
    )
    # Numbered by W, or the mean of the curve: the numbers must not depend on the seed.
    order = known["W"] if is_number(known.get("W")) else X.mean(axis=1)
    ordered = {count: order_by(fits.partitions[count], order) for count in chosen}
    members = {count: described_by(X, part, known) for count, part in ordered.items()}
    facts |= {
        "random_state": random_state,
        "n_curves": X.shape[0],
        "n_features": X.shape[1],
        "labels": list(known),
        "pca": explained_by(fits.explained),
        "sse": {str(k): sum_of_squares(X, part) for k, part in fits.partitions.items()},
        "silhouette": {str(k): value for k, value in fits.silhouettes.items()},
        "silhouette_curves": min(len(X), n_silhouette_curves),
        "clusters": {str(k): relations(ordered[k], members[k], known) for k in chosen},
    }
    facts |= choices(facts)
    arrays |= {"scores": fits.scores, **{f"label {name}": v for name, v in known.items()}}
    for count in chosen:
        for name in ("mean", "lower", "upper"):
            arrays[f"{name} {count}"] = np.stack([getattr(m, name) for m in members[count]])
    return ClustersResult(as_records(list(records_of(facts))), facts, arrays)


class _Fits(NamedTuple):
    """Fits of PCA and K-means: scores on two components, explained variance; by K the rest."""

    scores: npt.NDArray[np.floating]
    explained: npt.NDArray[np.floating]
    partitions: dict[int, npt.NDArray[np.integer]]
    silhouettes: dict[int, float | None]


def _fit(
    X: npt.NDArray[np.floating],
    counts: list[int],
    *,
    random_state: int,
    n_silhouette_curves: int,
    left_out: float,
    folder: Path | str | None,
    progress: bool | None,
) -> _Fits:
    identity = {"X": digest_of(X), "left_out": left_out, "random_state": random_state}
    ledger = Ledger(None if folder is None else Path(folder), identity)
    with progress_bar(len(counts) + 2, "fit", shown=progress, desc="PCA, K-means") as bar:
        pca = PCABaseline(min(X.shape)).fit(X)
        scores, explained = pca.transform(X), pca.explained_variance_ratio_
        n_kept = 1 + int(np.argmax(1 - np.cumsum(explained) <= left_out))
        bar.update()
        found = {}
        for count in counts:
            found[count] = _partition(ledger, scores[:, :n_kept], count, random_state)
            bar.update()
        several = {count: partition for count, partition in found.items() if count > 1}
        silhouettes = mean_silhouettes(X, several, random_state, n_silhouette_curves)
        bar.update()
    return _Fits(scores[:, :2], explained, found, silhouettes)


def _checked_counts(n_clusters: Any, described: Any) -> tuple[list[int], list[int]]:
    counts = sorted(set(_counts("n_clusters", n_clusters)))
    if len(counts) < 3 or counts[0] != 1:
        raise InputError(
            "n_clusters must hold 1 and at least two more numbers, with which SSE is compared, but "
            f"is {n_clusters!r}. Give range(1, {max([3, *counts[-1:]]) + 1}), or leave it out for "
            "1 to 10."
        )
    chosen = list(dict.fromkeys(_counts("described", described)))
    if not chosen or not set(chosen) <= set(counts):
        raise InputError(
            f"described must hold one or more of n_clusters ({', '.join(map(str, counts))}), but "
            f"is {chosen}. Leave it out for 2 and 3."
        )
    return counts, chosen


def _counts(name: str, given: Any) -> list[int]:
    """Numbers of clusters, of which one may come alone."""
    numbers = [given] if isinstance(given, str) or not isinstance(given, Iterable) else given
    return [check_count(name, number) for number in numbers]


def _partition(
    ledger: Ledger, kept: npt.NDArray[np.floating], count: int, random_state: int
) -> npt.NDArray[np.integer]:
    """K-means into `count` clusters, kept in the ledger."""

    def fit() -> dict[str, npt.NDArray]:
        kmeans = KMeansBaseline(random_state=random_state)
        return {"partition": partitions(kmeans, kept, [count])[count]}

    return ledger.take_arrays({"model": "K-means", "n_clusters": count}, fit)["partition"]
