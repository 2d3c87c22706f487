"""Are there kinds of echoes?
==========================

Three kernels made the curves of the reference set. If every kernel made an echo of its own kind, a
method that sorts curves into clusters would find three, one for each. Does it, and what do the
clusters follow if it does not?
"""

# %%
# K-means sorts the curves about the echo, for several numbers of clusters K. How much of the
# scatter is left within them, and how well they are separated (the silhouette), says which K is
# natural.

import matplotlib.pyplot as plt
import numpy as np

import latent_nmr as ln

ds = ln.load_reference(n_curves=1200)
r = ln.clusters(ds, n_clusters=range(1, 7), described=(2, 3))
print(f"elbow at K = {r.facts['elbow']}, largest silhouette at K = {r.facts['largest_silhouette']}")
r.table

# %%
# Two clusters, then, and not three. For each label we ask how well it would distinguish a curve of
# one cluster from a curve of the other: 1/2 is the toss of a coin, 0 or 1 is never wrong. And of
# each kernel we count how many of its curves are in which cluster.

two = r.facts["clusters"]["2"]
separation = two["separation"][0]
print({name: round(value, 2) for name, value in separation.items()})
counts = np.array([list(cluster["kernel"].values()) for cluster in two["members"]])
print(f"agreement with the kernels (adjusted Rand index): {two['ari_kernel']:.2f}")

# %%
# Left, the mean curve of each cluster, and the band in which two thirds of its curves lie: the
# echo is tall and narrow, or washed out. Middle, what the clusters follow: the coupling within the
# plane, and so W. Right, the kernels: each is in both clusters. So there are weakly and strongly
# coupled materials, with everything in between, and no kinds.

fig, (left, middle, right) = plt.subplots(1, 3, figsize=(10.5, 3.5), layout="constrained")
time = r.arrays["time"]
for k, (colour, style) in enumerate((("#0072B2", "-"), ("#D55E00", "--"))):
    left.fill_between(time, r.arrays["lower 2"][k], r.arrays["upper 2"][k], color=colour, alpha=0.2)
    left.plot(time, r.arrays["mean 2"][k], style, color=colour, label=f"cluster {k + 1}")
    right.bar(
        np.arange(3) + 0.4 * (k - 0.5), counts[k], 0.4, color=colour, label=f"cluster {k + 1}"
    )
left.set(xlabel="t (µs)", ylabel="|M(t)| / |M(0)|", ylim=(0, None))
left.legend(frameon=False)
texts = {"W": "W", "L": "L", "alpha_x": r"$\alpha_x$", "alpha_z": r"$\alpha_z$"}
middle.barh(list(texts.values()), [separation[name] for name in texts], color="0.5")
middle.axvline(0.5, color="k", lw=0.8, ls=":")
middle.set(xlabel="probability (cluster 2 has the larger)", xlim=(0, 1))
right.set_xticks(range(3), ["Gaussian", "power law", "RKKY"])
right.set(ylabel="curves", ylim=(0, 1.3 * counts.max()))
right.legend(frameon=False, ncols=2)
