"""Is a network needed, or does PCA do as well?
============================================

Two coordinates of a curve can be had in many ways. PCA takes a moment, UMAP has a good name, and
somebody in the group measures the height and the width of the echo. The question is how much each
of them knows of the coupling, on curves that none of them has seen.
"""

# %%
# Anything with `fit` and `transform` can be compared. Here is one of our own: two numbers that a
# spectroscopist would write down.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

import latent_nmr as ln


class EchoMoments(TransformerMixin, BaseEstimator):
    """Height of the echo, and the mean distance of the signal from its middle, in samples."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        distance = np.abs(np.arange(X.shape[1]) - X.shape[1] // 2)
        return np.column_stack([X.max(axis=1), (X * distance).sum(axis=1) / X.sum(axis=1)])


# %%
# The β-VAE comes with the package. It has learned from 12,000 curves; the other methods get 500 of
# them, and all are scored on curves that none has seen. A score is R² of the fifteen nearest
# neighbours on the map: 1 is perfect, 0 is what the mean would do.

ds, vae = ln.load_reference(), ln.load_pretrained("echo")
X, part = ln.features(ds, window="echo"), ln.embed(vae, ds)["split"].to_numpy()
methods = {"PCA": "pca", "UMAP": "umap", "height, width": EchoMoments()}
split = np.flatnonzero(part == "training")[:500], np.flatnonzero(part == "new")
r = ln.evaluate(X, ds, methods, fitted={"β-VAE": vae}, n_seeds=1, split=split, ceiling=False)
r.summary[["R² W", "R² α_x", "R² α_z", "R² L", "rms"]]

# %%
# Of W, two numbers read off with a ruler know nearly as much as any method: whoever wants W alone
# needs no network. The β-VAE is ahead in α_x, and draws the curve again four times closer than PCA
# (rms); UMAP cannot draw it at all. No method finds α_z, which an echo after 90° hardly shows. The
# four maps of the curves that were held back, coloured by W:

axis_names = {
    "PCA": ("PC1", "PC2"),
    "UMAP": ("UMAP1", "UMAP2"),
    "height, width": ("height of the echo", "mean distance (samples)"),
    "β-VAE": ("LA1", "LA2"),
}
fig, axes = plt.subplots(1, 4, figsize=(12, 3.6), layout="constrained")
W = ds.W.to_numpy()[split[1]]
for ax, (name, axis_name) in zip(axes, axis_names.items(), strict=True):
    ln.plots.latent_map(r.embedding(name), W, "W", axis_names=axis_name, ax=ax)
    ax.set_title(name, fontsize="medium")
