"""What does a point of the latent map look like?
==============================================

A map of echoes is of use only if one can say what lies where. Two questions help: which materials
are found at a point, and which curve does the decoder draw there? Here both are answered for the
published model, which comes with the package.
"""

# %%
# First the map. Curves that the model was trained on are left out, so that it is judged on others.

import matplotlib.pyplot as plt
import numpy as np

import latent_nmr as ln

ds, vae = ln.load_reference(), ln.load_pretrained("echo")
table = ln.embed(vae, ds)
table = table[table["split"] != "training"]
Z = table[["LA1", "LA2"]].to_numpy()
labels = {name: table[name].to_numpy() for name in ("kernel", "W", "L")}
ln.plots.latent_maps(Z, labels)

# %%
# Then the traversal: one coordinate moves over the range in which nine of ten curves lie, the other
# stays at its median. Each curve has the colour of the mean W of the twenty nearest data. From a
# tall and narrow echo to a washed-out one: that is what the axes have found. Where the straight
# line crosses an empty part of the map, the decoder draws something all the same, with ripples that
# no echo has; the example on audits asks which of its curves are to be believed.

fig, axes = plt.subplots(1, 2, figsize=(9.5, 3.6), layout="constrained")
time = ln.window_time(ds, "echo")
limits = tuple(np.quantile(table["W"], (0.05, 0.95)))
for axis, ax in enumerate(axes):
    points = np.tile(np.median(Z, axis=0), (7, 1))
    points[:, axis] = np.linspace(*np.quantile(Z[:, axis], (0.05, 0.95)), 7)
    distance = np.linalg.norm(Z[None] - points[:, None], axis=-1)
    nearest = np.argsort(distance, axis=1)[:, :20]
    W = table["W"].to_numpy()[nearest].mean(axis=1)
    ln.plots.traversal(
        time,
        vae.inverse_transform(points),
        W,
        color_text="mean W of the nearest data (MHz)",
        signal_text="|M(t)| / |M(0)|",
        color_limits=limits,
        ax=ax,
    )
    ax.set_title(
        f"LA{axis + 1} from {points[0, axis]:.1f} to {points[-1, axis]:.1f}", fontsize="medium"
    )
