"""The output folder of the command `baselines`: its figures, its numbers, and its words."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latent_nmr.commands._baselines import DESCRIBED, MAP_LABELS, Findings
from latent_nmr.errors import InputError
from latent_nmr.plots.baselines import ClusterCurve, Scree, baselines_figure, clusters_figure
from latent_nmr.plots.style import SIGNAL_TEXTS, save_figure
from latent_nmr.studies.latent_figures import time_marks

if TYPE_CHECKING:
    import xarray as xr

NUMBERS_FILE = "baselines.json"
OVERVIEW, CLUSTERS = "baselines", "clusters"
# What the command writes, and so all that --force may remove.
FILES = {
    NUMBERS_FILE,
    *(stem + suffix for stem in (OVERVIEW, CLUSTERS) for suffix in (".png", ".pdf")),
}
# Attributes that pulses and echo are marked from.
MARKED = ("pulse_samples", "pulse_angles_rad", "dt_us", "echo_index")
# Adjusted Rand index below which clusters do not follow the kernel, and above which they do.
FOLLOWS_NOT, FOLLOWS = 0.1, 0.5


def refuse_folder(out: Path, *, force: bool) -> None:
    """Raise unless `out` is new or empty, or holds an earlier result that --force may replace."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not out.is_dir():
        raise InputError(f"--out must be a folder, but {out} is a file. Choose another.")
    foreign = sorted({path.name for path in out.iterdir()} - FILES)
    if foreign:
        raise InputError(
            f"--out must be a new folder or hold nothing but an earlier result, but {out} holds "
            f"{foreign[0]}. Choose another."
        )
    if not force:
        raise InputError(
            f"--out must be a new folder, but {out} holds an earlier result. Choose another, or "
            "use --force to replace it."
        )


def draw(
    folder: Path, findings: Findings, dataset: "xr.Dataset", time: np.ndarray, normalisation: str
) -> None:
    """Draw both figures into `folder`; `time` are the samples of the window, µs."""
    known = all(name in dataset.attrs for name in MARKED)
    common: dict[str, Any] = {
        "signal_text": SIGNAL_TEXTS[normalisation],
        "marks": time_marks(dataset.attrs) if known else {},
    }
    by_count = {count: cluster_lines(findings, count) for count in DESCRIBED}
    overview = baselines_figure(
        findings.scores,
        findings.explained.tolist(),
        {name: findings.labels[name] for name in MAP_LABELS if name in findings.labels},
        Scree(findings.sums, findings.silhouettes),
        by_count[2],
        time,
        **common,
    )
    save_figure(overview, folder / OVERVIEW)
    save_figure(clusters_figure(by_count, time, **common), folder / CLUSTERS)


def cluster_lines(findings: Findings, count: int) -> list[ClusterCurve]:
    """Clusters of one K as they are drawn."""
    lines = []
    for number, cluster in enumerate(findings.clusters[count], 1):
        text = f"cluster {number}: "
        if cluster.strength is not None:
            low, high = cluster.strength.lowest, cluster.strength.highest
            text += f"W {low:.2f} to {high:.2f} MHz, "
        text += f"{cluster.n_curves} curves"
        lines.append(ClusterCurve(cluster.mean, cluster.lower, cluster.upper, text))
    return lines


def command_of(data: Path, settings: dict[str, Any], out: Path) -> str:
    """The command that makes the result again."""
    words = ["latent-nmr", "baselines", str(data)]
    for name, value in settings.items():
        words += [f"--{name}", str(value)]
    return shlex.join([*words, "--out", str(out)])


def report_lines(values: dict[str, Any], out: Path) -> list[str]:
    """The result for people."""
    ratio = values["pca"]["explained_variance_ratio"]
    needed = values["pca"]["n_components_for"]
    rows = [
        ("data", f"{values['n_curves']} curves × {values['n_features']} samples of "
         f"{values['data']}, window {values['window']}"),
        ("PCA", f"PC1 explains {100 * ratio[0]:.1f} %, PC2 {100 * ratio[1]:.1f} % of the variance; "
         f"90 % take {needed['0.9']} components, 99 % take {needed['0.99']}"),
        *_scree_rows(values),
    ]  # fmt: skip
    for count in map(str, DESCRIBED):
        rows += _cluster_rows(count, values["clusters"][count])
    rows += [("note", note) for note in values["notes"]]
    rows.append(("written", f"{out}/: {', '.join(sorted(FILES))}"))
    return [f"{name:<11} {text}" for name, text in rows]


def _scree_rows(values: dict[str, Any]) -> list[tuple[str, str]]:
    """SSE and silhouette over K, and what they say of its choice."""
    sums, silhouettes = values["sse"], values["silhouette"]
    shown = [silhouettes.get(count) for count in sums]
    texts = ["-" if score is None else f"{score:.2f}" for score in shown]
    return [
        ("K", "  ".join(f"{count:>4}" for count in sums)),
        ("SSE/SSE(1)", "  ".join(f"{value / sums['1']:.2f}" for value in sums.values())),
        ("silhouette", "  ".join(f"{text:>4}" for text in texts)),
        ("elbow", f"at K = {values['elbow']}, where SSE lies farthest below the line between its "
         f"ends; the largest silhouette is at K = {values['largest_silhouette']}"),
    ]  # fmt: skip


def _cluster_rows(count: str, described: dict[str, Any]) -> list[tuple[str, str]]:
    """Size, W and kernel of the clusters of one K."""
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
    if "ari_kernel" in described:
        rows.append(("", _kernel_text(described["ari_kernel"])))
    return rows


def _separation_text(number: int, by_label: dict[str, float]) -> str:
    """Which labels part a cluster from the next, the best first."""
    ordered = sorted(by_label.items(), key=lambda item: -abs(item[1] - 0.5))
    parts = ", ".join(f"{label} {probability:.2f}" for label, probability in ordered)
    return (
        f"a curve of cluster {number + 1} has the larger value than one of cluster {number} with "
        f"probability: {parts}"
    )


def _overlap_text(overlap: dict[str, Any]) -> str:
    parts = []
    for number, (low, high) in enumerate(overlap["ranges"], 1):
        ends = f"from {min(low, high):.3f} to {max(low, high):.3f} MHz"
        verb = "overlap" if low <= high else "leave a gap"
        parts.append(f"{verb} {ends} (clusters {number} and {number + 1})")
    shared = f"{100 * overlap['shared']:.0f} % of all curves lie in more than one range"
    return f"the ranges of W {', '.join(parts)}; {shared}"


def _kernel_text(index: float) -> str:
    verb = "do not follow" if index < FOLLOWS_NOT else "follow in part"
    verb = "follow" if index > FOLLOWS else verb
    return (
        f"the clusters {verb} the kernel: adjusted Rand index {index:.3f} (1 if they were the "
        "same, 0 by chance)"
    )
