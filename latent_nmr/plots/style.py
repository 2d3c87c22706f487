"""Colours, words and file formats that all figures share.

Colours survive colour-blindness: Okabe and Ito's set for kernels (with a marker each), viridis
and its relatives for numbers.
"""

import io
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

KERNEL_STYLES = {
    "gaussian": ("Gaussian", "#0072B2", "o"),
    "power": ("power law", "#D55E00", "^"),
    "rkky": ("RKKY", "#009E73", "s"),
}
COLOUR_MAPS = {"W": "viridis", "L": "plasma"}
LABEL_TEXTS = {
    "W": "W (MHz)",
    "L": "L (lattice constants)",
    "kernel": "kernel",
    "alpha_x": r"$\alpha_x$ (MHz)",
    "alpha_y": r"$\alpha_y$ (MHz)",
    "alpha_z": r"$\alpha_z$ (MHz)",
    "kernel_parameter": "kernel parameter",
    "decay_rate": "R (MHz)",
}
SIGNAL_TEXTS = {
    "initial": "|M(t)| / |M(0)|",
    "window_max": "|M(t)| / max |M|",
}
TIME_TEXT = "t (µs)"


def new_figure(width: float, height: float) -> Figure:
    """Blank figure of the given size in inches that leaves pyplot's state alone."""
    return Figure(figsize=(width, height), layout="constrained", dpi=200)


def save_figure(figure: Figure, stem: Path) -> list[Path]:
    """Write `figure` as PNG and PDF under `stem`; returns the two paths."""
    paths = [stem.with_name(stem.name + suffix) for suffix in (".png", ".pdf")]
    for path in paths:
        # No date inside: equal figures are equal files.
        metadata = {"CreationDate": None} if path.suffix == ".pdf" else {}
        figure.savefig(path, metadata=metadata)
    return paths


def png_bytes(figure: Figure, dpi: int) -> bytes:
    """`figure` as a PNG file in memory."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=dpi)
    return content.getvalue()


def own_axes(ax: Axes | None, width: float = 4.0, height: float = 3.2) -> Axes:
    """Return `ax`, or the axes of a new figure."""
    return new_figure(width, height).subplots() if ax is None else ax


def mark_times(ax: Axes, marks: dict[str, float], limits: tuple[float, float]) -> None:
    """Draw a dotted line at each named time inside `limits`, with its name above the frame."""
    for name, time in marks.items():
        if limits[0] <= time <= limits[1]:
            ax.axvline(time, color="0.4", linestyle=":", linewidth=1, zorder=0)
            ax.annotate(
                name,
                (time, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(0, 2),
                textcoords="offset points",
                ha="left" if time == limits[0] else "center",
                va="bottom",
                fontsize="small",
                color="0.3",
            )
