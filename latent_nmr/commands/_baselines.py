"""What the command `baselines` finds: PCA, K-means for every K, and the labels of the clusters."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from latent_nmr.analysis.clusters import (
    SILHOUETTE_CURVES,
    Cluster,
    Overlap,
    agreement,
    check_distinct,
    describe,
    elbow,
    mean_silhouettes,
    order_by,
    overlap,
    partitions,
    separations,
    sum_of_squares,
)
from latent_nmr.models.baselines import KMeansBaseline, PCABaseline

if TYPE_CHECKING:
    import xarray as xr

COUNTS = range(1, 11)
# Numbers of clusters that are described.
DESCRIBED = (2, 3)
MAP_LABELS = ("W", "L", "kernel")
# That may part the clusters.
NUMBERS = ("W", "L", "alpha_x", "alpha_z")
# Of the variance, what K-means may miss. Its time is that of the columns it gets, and the first
# few hundred principal components hold all but this, less than float32 distances are off by.
LEFT_OUT = 1e-6
# PCA, and the silhouettes, beside one step for each K.
N_STEPS = len(COUNTS) + 2


@dataclass(frozen=True)
class Findings:
    """What PCA and K-means find in the features of a data set.

    Attributes
    ----------
    n_curves, n_features : int
    labels : dict of ndarray, shape (n_curves,)
        Those of W, L, kernel, α_x and α_z that are known of every curve.
    explained : ndarray, shape (n_components,)
        Fraction of the variance that each principal component explains; all of them.
    scores : ndarray, shape (n_curves, 2)
        On the first two.
    sums, silhouettes : dict
        SSE by K, in the squared unit of the features; mean silhouette by K > 1.
    clusters, separations, overlaps, agreements : dict
        By K of `DESCRIBED`; no overlaps without W, no agreements without several kernels.
    """

    n_curves: int
    n_features: int
    labels: dict[str, np.ndarray]
    explained: np.ndarray
    scores: np.ndarray
    sums: dict[int, float]
    silhouettes: dict[int, float | None]
    clusters: dict[int, list[Cluster]]
    separations: dict[int, list[dict[str, float]]]
    overlaps: dict[int, Overlap]
    agreements: dict[int, float]


def find(
    X: np.ndarray, labels: dict[str, np.ndarray], seed: int, on_step: Callable[[], object]
) -> Findings:
    """Fit both methods to features `X`, shape (n_curves, n_features), and describe the clusters."""
    check_distinct(X, max(COUNTS))
    pca = PCABaseline(min(X.shape)).fit(X)
    scores = pca.transform(X)
    explained = pca.explained_variance_ratio_
    n_kept = 1 + int(np.argmax(1 - np.cumsum(explained) <= LEFT_OUT))
    on_step()
    kmeans = KMeansBaseline(random_state=seed)
    found = partitions(kmeans, scores[:, :n_kept], COUNTS, on_fit=on_step)
    several = {count: partition for count, partition in found.items() if count > 1}
    silhouettes = mean_silhouettes(X, several, seed)
    on_step()
    strength, kernel = labels.get("W"), labels.get("kernel")
    # Without W, the mean of the curve: the numbers must not depend on the seed.
    order = X.mean(axis=1) if strength is None else strength
    described = {count: order_by(found[count], order) for count in DESCRIBED}
    numbers = {name: labels[name] for name in NUMBERS if name in labels}
    agreements = {}
    if kernel is not None:
        agreements = {count: agreement(p, kernel) for count, p in described.items()}
    return Findings(
        n_curves=X.shape[0],
        n_features=X.shape[1],
        labels=labels,
        explained=explained,
        scores=scores[:, :2],
        sums={count: sum_of_squares(X, partition) for count, partition in found.items()},
        silhouettes=silhouettes,
        clusters={c: describe(X, p, strength, kernel) for c, p in described.items()},
        separations={count: separations(numbers, p) for count, p in described.items()},
        overlaps={}
        if strength is None
        else {count: overlap(strength, p) for count, p in described.items()},
        agreements={count: ari for count, ari in agreements.items() if ari is not None},
    )


def find_with_progress(X: np.ndarray, labels: dict[str, np.ndarray], seed: int) -> Findings:
    """`find` with a progress bar."""
    from tqdm.auto import tqdm

    with tqdm(total=N_STEPS, desc="PCA, K-means", unit="fit", delay=1, disable=None) as bar:
        return find(X, labels, seed, bar.update)


def labels_of(dataset: "xr.Dataset") -> dict[str, np.ndarray]:
    """Those of W, L, kernel, α_x and α_z that a data set gives for every curve."""
    labels = {}
    for name in dict.fromkeys((*MAP_LABELS, *NUMBERS)):
        if name in dataset.variables:
            values = dataset[name].to_numpy()
            if name == "kernel":
                # A store gives strings of NumPy's new kind, which scikit-learn refuses.
                values = np.array(values.tolist(), dtype=str)
            if np.all(values != "") if name == "kernel" else np.isfinite(values).all():
                labels[name] = values
    return labels


def notes_on(labels: dict[str, np.ndarray]) -> list[str]:
    """What cannot be said or shown for want of labels."""
    notes = []
    missing = [name for name in MAP_LABELS if name not in labels]
    if missing:
        notes.append(f"the data do not give {', '.join(missing)} of every curve: no map shows it")
    if "W" in missing:
        notes.append("without W the clusters are numbered by the mean of their curves")
    kernels = sorted(set(labels["kernel"].tolist())) if "kernel" in labels else []
    if len(kernels) == 1:
        notes.append(f"all curves are of one kernel, {kernels[0]}: there is none to follow")
    return notes


def values_of(findings: Findings) -> dict[str, Any]:
    """All numbers, as JSON holds them; keys of K are strings there."""
    defined = {count: s for count, s in findings.silhouettes.items() if s is not None}
    return {
        "n_curves": findings.n_curves,
        "n_features": findings.n_features,
        "labels": list(findings.labels),
        "pca": {
            "explained_variance_ratio": findings.explained[: max(COUNTS)].tolist(),
            "n_components_for": {
                str(share): components_for(findings.explained, share) for share in (0.9, 0.99)
            },
        },
        "sse": {str(count): value for count, value in findings.sums.items()},
        "silhouette": {str(count): value for count, value in findings.silhouettes.items()},
        "silhouette_curves": min(findings.n_curves, SILHOUETTE_CURVES),
        "elbow": elbow(findings.sums),
        "largest_silhouette": max(defined, key=lambda count: defined[count], default=None),
        "clusters": {str(count): _described(findings, count) for count in DESCRIBED},
        "notes": notes_on(findings.labels),
    }


def components_for(explained: np.ndarray, share: float) -> int:
    """How many principal components explain `share` of the variance together."""
    return 1 + int(np.argmax(np.cumsum(explained) >= share))


def _described(findings: Findings, count: int) -> dict[str, Any]:
    """Clusters of one K as JSON values."""
    members = []
    for cluster in findings.clusters[count]:
        member: dict[str, Any] = {"n_curves": cluster.n_curves}
        if cluster.strength is not None:
            member["W_MHz"] = cluster.strength._asdict()
        if cluster.n_of_kernel:
            member["kernel"] = cluster.n_of_kernel
        members.append(member)
    values: dict[str, Any] = {"members": members, "separation": findings.separations[count]}
    if count in findings.overlaps:
        values["W_overlap"] = findings.overlaps[count]._asdict()
    if count in findings.agreements:
        values["ari_kernel"] = findings.agreements[count]
    return values
