"""Colours, labels and file formats that all figures share.

Colours are safe for colour-blind readers: the palette of Okabe and Ito for kernels (with a marker
each), viridis and similar maps for numbers.
"""

import io
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from latent_nmr._png import MAX_BYTES, shrink_png

KERNEL_STYLES = {
    "gaussian": ("Gaussian", "#0072B2", "o"),
    "power": ("power law", "#D55E00", "^"),
    "rkky": ("RKKY", "#009E73", "s"),
}
# Marker of classes that are no kernels.
UNKNOWN_MARKER = "D"
COLOUR_MAPS = {"W": "viridis", "L": "plasma"}
OTHER_MAP = "cividis"
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
    "height": "0.75 |M(t)| / echo height",
}
FREQUENCY_TEXTS = {
    "w ν": "local frequency, w ν (MHz)",
    "w (ν₁ - ν₂)/2": r"half the difference, $w (\nu_1 - \nu_2)/2$ (MHz)",
}
TIME_TEXT = "t (µs)"
SCREEN_DPI = 110
# The first is the default.
FORMATS = (".png", ".pdf", ".svg")


class StillFigure(Figure):
    """A figure that a notebook shows where it stands at the end of a cell.

    Jupyter does so by itself for figures of pyplot, and for others only once pyplot was imported.
    """

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=SCREEN_DPI)
        return buffer.getvalue()


def new_figure(width: float, height: float, *, wspace: float | None = None) -> Figure:
    """Blank figure of the given size in inches, without side effects on pyplot.

    `wspace` is the room between columns, as a fraction of the width of panels.
    """
    layout = ConstrainedLayoutEngine(wspace=wspace)
    return StillFigure(figsize=(width, height), layout=layout, dpi=200)


def save_figure(figure: Figure, path: Path | str, *, max_bytes: int = MAX_BYTES) -> Path:
    """Write `figure` to a file.

    Parameters
    ----------
    figure : Figure
    path : path-like
        A suffix that names a format of `FORMATS` decides it; any other name is of a PNG, whose
        suffix is added.
    max_bytes : int
        Largest size of a PNG. A larger one is reduced to a palette of 256 colours and, if that is
        not enough, to fewer dots per inch.

    Returns
    -------
    Path
        Where the figure is.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> ax = ln.plots.scree_plot({1: 9.0, 2: 3.0, 3: 2.5}, {2: 0.7, 3: 0.5})
    >>> ln.plots.save_figure(ax.figure, "scree").name
    'scree.png'
    """
    path = Path(path)
    if path.suffix.lower() in FORMATS[1:]:
        # No date inside: equal figures are equal files.
        date = "Date" if path.suffix.lower() == ".svg" else "CreationDate"
        figure.savefig(path, metadata={date: None})
        return path
    if path.suffix.lower() not in FORMATS:
        path = path.with_name(path.name + FORMATS[0])
    path.write_bytes(png_bytes(figure, figure.dpi, max_bytes=max_bytes))
    return path


def png_bytes(figure: Figure, dpi: float, *, max_bytes: int = MAX_BYTES) -> bytes:
    """`figure` as a PNG file of at most `max_bytes` in memory; see `save_figure`."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=dpi)
    return shrink_png(content.getvalue(), max_bytes)


def colour_table(label: str, n_colours: int = 64) -> list[str]:
    """Colours of the map of a label from its lowest to its highest value, as #RRGGBB."""
    colours = colormaps[COLOUR_MAPS.get(label, OTHER_MAP)](np.linspace(0, 1, n_colours))
    return [to_hex(colour) for colour in colours]


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
