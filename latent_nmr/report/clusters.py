"""Words for principal components and clusters: lines for a terminal."""

from collections.abc import Mapping
from typing import Any

from latent_nmr.report.labels import unknown_notes
from latent_nmr.studies.clusters import MAP_LABELS

# Adjusted Rand index below which clusters do not follow the kernel, and above which they do.
FOLLOWS_NOT, FOLLOWS = 0.1, 0.5


def cluster_lines(facts: Mapping[str, Any], source: str = "") -> list[str]:
    """Facts of a `ClustersResult` in lines; `source` says where the data come from."""
    ratio = [f"{100 * share:.1f} %" for share in facts["pca"]["explained_variance_ratio"][:2]]
    parts = [f"PC{number} explains {text}" for number, text in enumerate(ratio, 1)]
    needed = facts["pca"]["n_components_for"]
    of = f" of {source}" if source else ""
    window = f", window {facts['window']}" if facts["window"] else ""
    columns = f"{facts['part']} features" if "part" in facts else "samples"
    rows = [
        ("data", f"{facts['n_curves']} curves × {facts['n_features']} {columns}{of}{window}"),
        ("PCA", f"{', '.join(parts).replace('PC2 explains', 'PC2')} of the variance; "
         f"90 % take {needed['0.9']} components, 99 % take {needed['0.99']}"),
        *_scree_rows(facts),
    ]  # fmt: skip
    for count, described in facts["clusters"].items():
        rows += _cluster_rows(count, described)
    rows += [("note", note) for note in notes_on(facts)]
    return [f"{name:<11} {text}" for name, text in rows]


def notes_on(facts: Mapping[str, Any]) -> list[str]:
    """What cannot be said or shown for want of labels."""
    notes = []
    missing = [name for name in MAP_LABELS if name not in facts["labels"]]
    if missing:
        notes.append(f"the data do not give {', '.join(missing)} of every curve: no map shows it")
    notes += unknown_notes(facts.get("incomplete_labels", {}), facts["n_curves"])
    if "W" in missing:
        notes.append("without W the clusters are numbered by the mean of their curves")
    described = facts["clusters"].values()
    members = [member for one in described for member in one["members"]]
    kernels = sorted({name for member in members for name in member.get("kernel", {})})
    if len(kernels) == 1:
        notes.append(f"all curves are of one kernel, {kernels[0]}: there is none to follow")
    return notes


def _scree_rows(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """SSE and silhouette over K, and what they say of its choice."""
    sums, silhouettes = facts["sse"], facts["silhouette"]
    shown = [silhouettes.get(count) for count in sums]
    texts = ["-" if score is None else f"{score:.2f}" for score in shown]
    return [
        ("K", "  ".join(f"{count:>4}" for count in sums)),
        ("SSE/SSE(1)", "  ".join(f"{value / sums['1']:.2f}" for value in sums.values())),
        ("silhouette", "  ".join(f"{text:>4}" for text in texts)),
        ("elbow", f"at K = {facts['elbow']}, where SSE lies farthest below the line between its "
         f"ends; the largest silhouette is at K = {facts['largest_silhouette']}"),
    ]  # fmt: skip


def _cluster_rows(count: str, described: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Size, W and labels of the clusters of one K."""
    rows = []
    for number, member in enumerate(described["members"], 1):
        text = f"cluster {number}: {member['n_curves']} curves"
        if "W_MHz" in member:
            lowest, highest, mean, deviation = member["W_MHz"].values()
            text += f", W {lowest:.3f} to {highest:.3f} MHz, mean {mean:.3f}, sd {deviation:.3f}"
        rows.append((f"K = {count}" if number == 1 else "", text))
    rows += [
        ("", _separation_text(number, by_label))
        for number, by_label in enumerate(described["separation"], 1)
        if by_label
    ]
    if "W_overlap" in described:
        rows.append(("", _overlap_text(described["W_overlap"])))
    return rows + [
        ("", _agreement_text(name.removeprefix("ari_"), index))
        for name, index in described.items()
        if name.startswith("ari_")
    ]


def _separation_text(number: int, by_label: Mapping[str, float]) -> str:
    """Which labels separate a cluster from the next, the best first."""
    ordered = sorted(by_label.items(), key=lambda item: -abs(item[1] - 0.5))
    parts = ", ".join(f"{label} {probability:.2f}" for label, probability in ordered)
    return (
        f"a curve of cluster {number + 1} has the larger value than one of cluster {number} with "
        f"probability: {parts}"
    )


def _overlap_text(overlap: Mapping[str, Any]) -> str:
    parts = []
    for number, (low, high) in enumerate(overlap["ranges"], 1):
        ends = f"from {min(low, high):.3f} to {max(low, high):.3f} MHz"
        verb = "overlap" if low <= high else "leave a gap"
        parts.append(f"{verb} {ends} (clusters {number} and {number + 1})")
    shared = f"{100 * overlap['shared']:.0f} % of all curves lie in more than one range"
    return f"the ranges of W {', '.join(parts)}; {shared}"


def _agreement_text(name: str, index: float) -> str:
    verb = "do not follow" if index < FOLLOWS_NOT else "follow in part"
    verb = "follow" if index > FOLLOWS else verb
    return (
        f"the clusters {verb} the {name}: adjusted Rand index {index:.3f} (1 if they were the "
        "same, 0 by chance)"
    )
