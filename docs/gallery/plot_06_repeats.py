"""How much of a curve is chance?
==============================

Two samples of one material do not give one curve: their offsets are drawn at random, ten thousand
in a simulation. Whoever reads a number off a curve, or a point off a map, has to know how far
chance alone moves it. Repeats show it: curves of the same parameters, with offsets of their own.
"""

# %%
# Three curves of each of eight materials. Repeats of a material stand side by side in the data set,
# and the coordinate `material` says which belong together.

import matplotlib.pyplot as plt
import numpy as np

import latent_nmr as ln

ds = ln.simulate("paper", n_curves=24, repeats=3, seed=3)
X, material = ln.features(ds, window="echo"), ds.material.to_numpy()
means = np.stack([X[material == m].mean(axis=0) for m in range(8)])
scatter = np.sqrt(3 / 2 * ((X - means[material]) ** 2).mean())
print(f"a curve lies {scatter:.4f} rms from the mean of its material, in units of |M(0)|")

# %%
# The trained β-VAE puts each curve on its map. `transform_std` is how well one curve fixes its
# point; it knows nothing of other offsets, and repeats lie much farther apart than it says.

vae = ln.load_pretrained("echo")
Z, sd = vae.transform(X), vae.transform_std(X)
centres = np.stack([Z[material == m].mean(axis=0) for m in range(8)])
apart = np.sqrt(3 / 2 * ((Z - centres[material]) ** 2).mean(axis=0))
print("standard deviation of repeats on LA1, LA2:", apart.round(3))
print("posterior standard deviation, its mean:   ", sd.mean(axis=0).round(3))

# %%
# Left, the three curves of two materials; right, all of them on the map of the other echoes, one
# marker for each material. Where the coupling is weak, repeats fall nearly on one another. Where it
# is strong there is little echo left and chance shapes what is, so that the points of one material
# may lie as far apart as those of two.

fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8), layout="constrained")
time = ln.window_time(ds, "echo")
W = ds.W.to_numpy()[::3]
colours = plt.colormaps["Dark2"](range(8))
for m in (W.argmin(), W.argmax()):
    rows = X[material == m]
    left.plot(time, rows.T, color=colours[m], lw=0.8)
    left.plot([], [], color=colours[m], label=f"W = {W[m]:.2f} MHz, three repeats")
left.set(xlabel="t (µs)", ylabel="|M(t)| / |M(0)|", ylim=(0, 1.05))
left.legend(frameon=False)
others = vae.transform(ln.features(ln.load_reference(), window="echo"))
right.scatter(*others.T, s=2, color="0.8", label="reference set")
for m in range(8):
    right.scatter(*Z[material == m].T, s=14, color=colours[m], marker="os^vDP*X"[m])
right.set(xlabel="LA1", ylabel="LA2")
right.legend(frameon=False, markerscale=4)
