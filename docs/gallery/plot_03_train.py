"""Can a network find the coupling without labels?
===============================================

Nobody writes the W of a sample on its echo. A β-VAE gets curves alone: it has to squeeze each into
two numbers, and to draw the curve again from these. This script trains one, and then asks whether
the two numbers have anything to do with the coupling.
"""

# %%
# The package carries 3000 simulated echoes; a part of them is enough here. The rows that the
# network sees are :math:`|M|/|M(0)|` at the 400 samples about the echo.

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import spearmanr

import latent_nmr as ln

ds = ln.load_reference(n_curves=600)
X = ln.features(ds, window="echo")
vae = ln.BetaVAE(max_epochs=40, random_state=0).fit(X)
print(f"{len(X)} curves, {vae.n_iter_} epochs, the best is {vae.best_epoch_}")

# %%
# Each curve now is a point, and the training has seen no label. Only afterwards are the points
# compared with W: the rank correlation is 1 for an axis along which W always rises.

Z = vae.transform(X)
held = vae.validation_rows_  # curves that no step of the training was taken on
for axis in range(2):
    rho = spearmanr(Z[held, axis], ds.W[held]).statistic
    print(f"LA{axis + 1}: KL {vae.kl_[axis]:.1f} nats, rank correlation with W {rho:+.2f}")

# %%
# Left, what the training brings down: the part of the objective that wants curves back, on curves
# that it learns from and on others. Middle, a curve that was held back, and what is drawn of it
# from two numbers. Right, the map, coloured by W.

fig, (left, middle, right) = plt.subplots(1, 3, figsize=(10.5, 3.4), layout="constrained")
epochs = [record.epoch for record in vae.history_]
left.semilogy(epochs, [r.reconstruction for r in vae.history_], color="#0072B2", label="training")
left.semilogy(
    epochs,
    [r.validation_reconstruction for r in vae.history_],
    "--",
    color="#D55E00",
    label="held back",
)
left.set(xlabel="epoch", ylabel="reconstruction (nats per curve)")
left.legend(frameon=False)

row = held[np.argsort(ds.W.to_numpy()[held])[len(held) // 4]]
time = ln.window_time(ds, "echo")
middle.plot(time, X[row], color="0.3", lw=2.5, label="simulated")
middle.plot(time, vae.reconstruct(X[row : row + 1])[0], color="#D55E00", lw=1.2, label="decoded")
middle.set(xlabel="t (µs)", ylabel="|M(t)| / |M(0)|", ylim=(0, None))
middle.set_title(f"W = {ds.W.to_numpy()[row]:.2f} MHz", fontsize="medium")
middle.legend(frameon=False)

ln.plots.latent_map(Z, ds.W.to_numpy(), "W", ax=right)
