"""Numbers of the clusters: what they have to do with the labels, and every one as a record."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from latent_nmr.analysis.clusters import (
    Cluster,
    agreement,
    describe,
    elbow,
    overlap,
    separations,
)
from latent_nmr.studies._result import record
from latent_nmr.studies.clusters._inputs import Labels, is_number

# Of the variance; the number of components that it takes is given for each.
SHARES = (0.9, 0.99)
N_COMPONENTS_REPORTED = 10


def described_by(X: npt.NDArray, partition: npt.NDArray, known: Labels) -> list[Cluster]:
    """Size, mean curve, band, W and kernels of each cluster."""
    strength = known["W"] if is_number(known.get("W")) else None
    kernel = known["kernel"].astype(str) if "kernel" in known else None
    return describe(X, partition, strength, kernel)


def explained_by(explained: npt.NDArray[np.floating]) -> dict[str, Any]:
    """What PCA explains, as JSON holds it."""
    return {
        "explained_variance_ratio": explained[:N_COMPONENTS_REPORTED].tolist(),
        "n_components_for": {str(share): components_for(explained, share) for share in SHARES},
    }


def components_for(explained: npt.NDArray[np.floating], share: float) -> int:
    """Number of principal components that explain `share` of the variance together."""
    return 1 + int(np.argmax(np.cumsum(explained) >= share))


def relations(partition: npt.NDArray, members: list[Cluster], known: Labels) -> dict[str, Any]:
    """Clusters of one K and their relation to the labels, as JSON holds them."""
    described = []
    for cluster in members:
        member: dict[str, Any] = {"n_curves": cluster.n_curves}
        if cluster.strength is not None:
            member["W_MHz"] = cluster.strength._asdict()
        if cluster.n_of_kernel:
            member["kernel"] = cluster.n_of_kernel
        described.append(member)
    numbers = {name: values for name, values in known.items() if is_number(values)}
    found: dict[str, Any] = {
        "members": described,
        "separation": separations(numbers, partition),
    }
    if "W" in numbers:
        ranges, shared = overlap(numbers["W"], partition)
        found["W_overlap"] = {"ranges": [list(ends) for ends in ranges], "shared": shared}
    for name, values in known.items():
        index = None if is_number(values) else agreement(partition, values)
        if index is not None:
            found[f"ari_{name}"] = index
    return found


def choices(facts: Mapping[str, Any]) -> dict[str, int | None]:
    """Numbers of clusters that SSE and silhouette speak for."""
    defined = {int(k): s for k, s in facts["silhouette"].items() if s is not None}
    return {
        "elbow": elbow({int(k): value for k, value in facts["sse"].items()}),
        "largest_silhouette": max(defined, key=lambda k: defined[k], default=None),
    }


def records_of(facts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every number as a record."""
    seed = facts["random_state"]

    def row(score: str, value: float | None, **more: Any) -> dict[str, Any]:
        own = {"model": "K-means", "seed": seed, "score": score}
        own |= {"n_clusters": None, "cluster": None, "component": None}
        return record("clusters", **own | {"value": np.nan if value is None else value} | more)

    for number, share in enumerate(facts["pca"]["explained_variance_ratio"], 1):
        yield row("explained_variance_ratio", share, model="PCA", component=number)
    for score in ("sse", "silhouette"):
        for count, value in facts[score].items():
            yield row(score, value, n_clusters=int(count))
    for count, found in facts["clusters"].items():
        for number, member in enumerate(found["members"], 1):
            at = {"n_clusters": int(count), "cluster": number}
            yield row("n_curves", member["n_curves"], **at)
            for score, value in member.get("W_MHz", {}).items():
                yield row(score, value, target="W", **at)
            for kernel, value in member.get("kernel", {}).items():
                yield row("n_curves", value, target="kernel", group=kernel, **at)
        for number, by_label in enumerate(found["separation"], 1):
            for label, value in by_label.items():
                at = {"n_clusters": int(count), "cluster": number}
                yield row("probability_next_is_larger", value, target=label, **at)
        yield from _relation_records(row, count, found)


def _relation_records(
    row: Callable[..., dict[str, Any]], count: str, found: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    if "W_overlap" in found:
        for number, ends in enumerate(found["W_overlap"]["ranges"], 1):
            for score, value in zip(("overlap_from", "overlap_to"), ends, strict=True):
                yield row(score, value, target="W", n_clusters=int(count), cluster=number)
        shared = found["W_overlap"]["shared"]
        yield row("shared_fraction", shared, target="W", n_clusters=int(count))
    for name, value in found.items():
        if name.startswith("ari_"):
            target = name.removeprefix("ari_")
            yield row("adjusted_rand_index", value, target=target, n_clusters=int(count))
