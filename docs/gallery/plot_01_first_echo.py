"""
What does a spin echo of coupled spins look like?
=================================================

Ten thousand spins turn at frequencies of their own, and the sum of them decays. A second pulse
brings them back in step: an echo. If the spins also feel each other, the echo is another one. This
first script simulates two materials, weakly and strongly coupled, and draws both.
"""

# %%
# `ln.simulate` draws materials of the paper's set. We ask for thirty curves on small lattices,
# which is quick, and take the one of the smallest total coupling W and the one of the largest.

import matplotlib.pyplot as plt
import numpy as np

import latent_nmr as ln

ds = ln.simulate("paper", n_curves=30, n_edge=40, seed=7)
W = ds.W.to_numpy()
weak, strong = ds.isel(curve=W.argmin()), ds.isel(curve=W.argmax())
ds

# %%
# The signal is complex: `mx` and `my` are the components in the plane. Its length,
# :math:`|M|`, starts at 1/2.

fig, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
for curve, colour in ((weak, "#0072B2"), (strong, "#D55E00")):
    length = np.hypot(curve.mx, curve.my)
    label = f"W = {float(curve.W):.2f} MHz, {curve.kernel.values!s}"
    ax.plot(ds.time, length, color=colour, label=label, lw=1.2)
tau = float(ds.time[ds.echo_index]) / 2
for time, text in ((0, "90°"), (tau, "180°"), (2 * tau, "echo")):
    ax.axvline(time, color="0.6", lw=0.8, ls=":")
    ax.annotate(
        text, (time, 0.51), ha="left", va="bottom", xytext=(3, 0), textcoords="offset points"
    )
ax.set(xlabel="t (µs)", ylabel="|M(t)|", ylim=(0, 0.56), xlim=(-2, float(ds.time[-1])))
ax.legend(loc="upper center", bbox_to_anchor=(0.33, 0.9), frameon=False)
