"""Draw the latent space of a model as in Fig. 3 of the paper: maps by W, L and kernel, and walks.

    python scripts/draw_latent_figure.py MODEL DATA --out artifacts/figures/latent-echo

Of the data, only curves that the model was not fitted on are drawn. LA1 and LA2 run from -2.5 to
2.5; the walks are coloured by the mean W of the drawn curves nearest to each point.
Paper: A. Rao et al., Phys. Rev. Research 5, 043098 (2023).
"""

import argparse
from pathlib import Path

import numpy as np

from latent_nmr.analysis.traversal import SPAN, mean_of_nearest, traverse
from latent_nmr.data.windows import features
from latent_nmr.latent_axes import axis_names
from latent_nmr.plots.overview import Walk, latent_overview
from latent_nmr.plots.style import SIGNAL_TEXTS, save_figure
from latent_nmr.studies.latent_figures import time_marks
from latent_nmr.studies.stores import load_for_model
from latent_nmr.studies.trained_model import load_model, training_split

LABELS = ("W", "L", "kernel")


def main() -> None:
    """Load, embed, draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="figure to write")
    options = parser.parse_args()
    model = load_model(options.model)
    dataset = load_for_model(options.data, model)
    X = features(dataset, model.metadata_["window"], model.metadata_["normalisation"])
    rows = np.flatnonzero(training_split(model, X) == "new")
    latent = model.transform(X[rows])
    strength = dataset["W"].to_numpy()[rows]
    walks = []
    for axis, name in enumerate(axis_names(model.n_components)[:2], start=1):
        walk = traverse(model, model.n_components, axis)
        walks.append(Walk(name, walk.curves, mean_of_nearest(walk.points, latent, strength)))
    figure = latent_overview(
        latent,
        {label: dataset[label].to_numpy()[rows] for label in LABELS},
        walks,
        np.asarray(model.metadata_["time_us"]),
        span=SPAN,
        color_text="mean W of the nearest data (MHz)",
        signal_text=SIGNAL_TEXTS[model.metadata_["normalisation"]],
        marks=time_marks(model.metadata_),
    )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    print(f"wrote {save_figure(figure, options.out)}: {len(rows)} curves of {options.data}")


if __name__ == "__main__":
    main()
