"""Words for principal components and clusters: lines for a terminal."""

from collections.abc import Mapping
from typing import Any

from latent_nmr.report.labels import unknown_notes
from latent_nmr.studies.clusters import MAP_LABELS

# Adjusted Rand index below which clusters do not follow the kernel, and above which they do.
FOLLOWS_NOT, FOLLOWS = 0.1, 0.5


def cluster_lines(facts: Mapping[str, Any], source: str = "") -> list[str]:
    """Facts of a `ClustersResult` in lines; `source` says where the data come from."""
    rows = [
        ("data", data_text(facts, source)),
        ("PCA", pca_text(facts)),
        *_scree_rows(facts),
        ("elbow", choice_text(facts)),
    ]
    for count, described in facts["clusters"].items():
        rows += described_rows(count, described)
    rows += [("note", note) for note in notes_on(facts)]
    return [f"{name:<11} {text}" for name, text in rows]


def data_text(facts: Mapping[str, Any], source: str = "") -> str:
    """Of what the result is."""
    of = f" of {source}" if source else ""
    window = f", window {facts['window']}" if facts["window"] else ""
    columns = f"{facts['part']} features" if "part" in facts else "samples"
    return f"{facts['n_curves']} curves × {facts['n_features']} {columns}{of}{window}"


def pca_text(facts: Mapping[str, Any]) -> str:
    """What the components explain."""
    first, second = (100 * share for share in facts["pca"]["explained_variance_ratio"][:2])
    needed = facts["pca"]["n_components_for"]
    return (
        f"PC1 explains {first:.1f} %, PC2 {second:.1f} % of the variance; 90 % take "
        f"{needed['0.9']} components, 99 % take {needed['0.99']}"
    )


def choice_text(facts: Mapping[str, Any]) -> str:
    """What SSE and silhouette say of the choice of K."""
    return (
        f"at K = {facts['elbow']}, where SSE lies farthest below the line between its ends; the "
        f"largest silhouette is at K = {facts['largest_silhouette']}"
    )


def choice_rows(facts: Mapping[str, Any]) -> list[list[str]]:
    """Of each K its SSE, as a fraction of that of one cluster, and its silhouette."""
    sums, silhouettes = facts["sse"], facts["silhouette"]
    return [
        [count, f"{value / sums['1']:.2f}", _silhouette_text(silhouettes.get(count))]
        for count, value in sums.items()
    ]


def _silhouette_text(score: float | None) -> str:
    return "-" if score is None else f"{score:.2f}"


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
    """SSE and silhouette over K."""
    counts, fractions, silhouettes = zip(*choice_rows(facts), strict=True)
    return [
        ("K", "  ".join(f"{count:>4}" for count in counts)),
        ("SSE/SSE(1)", "  ".join(fractions)),
        ("silhouette", "  ".join(f"{text:>4}" for text in silhouettes)),
    ]


def described_rows(count: str, described: Mapping[str, Any]) -> list[tuple[str, str]]:
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
