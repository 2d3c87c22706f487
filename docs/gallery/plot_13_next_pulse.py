"""What does one echo leave open, and which pulse would say more?
==============================================================

After an echo one would like to know W, L and the kernel, with probabilities, and where to go on:
another echo of the sample takes an hour, and after another pulse it may say more than the first one
repeated.
"""

# %%
# One sample, and its echoes after pulses of 90°, 60° and 120°, each with the noise of a measurement
# of the same length.

import matplotlib.pyplot as plt
import numpy as np

import latent_nmr as ln

ANGLES = (90, 60, 120)
records = {
    angle: ln.simulate("paper", n_curves=1, seed=11, flip_angle_deg=angle) for angle in ANGLES
}
sample = records[90]
rows = {angle: ln.record_rows(ln.add_noise(records[angle], 60, seed=0)) for angle in ANGLES}

# %%
# The posterior that comes with the package was trained on simulated echoes. It draws materials that
# each echo allows; a row is the mean of four samples, and has half of their noise.

model = ln.load_pretrained("posterior")
draws = {angle: model.sample(rows[angle], angle, snr=120, n_draws=4000) for angle in ANGLES}
kernels = {angle: model.predict_kernel_proba(rows[angle], angle, snr=120)[0] for angle in ANGLES}
for angle in ANGLES:
    W, alpha_z = (np.asarray(x)[0] for x in (draws[angle].W, draws[angle].alpha_z))
    print(
        f"{angle:3d}°: W = {W.mean():.3f} ± {W.std():.3f} MHz, "
        f"α_z = {alpha_z.mean():.3f} ± {alpha_z.std():.3f} MHz"
    )
truth = {"W": float(sample.W[0]), "alpha_z": float(sample.alpha_z[0])}
print(f"true: W = {truth['W']:.3f}, α_z = {truth['alpha_z']:.3f}, {sample.kernel.values[0]}")

# %%
# After 90° the echo says how strong the coupling within the plane is, and leaves α_z open, and with
# it W. After 60° or 120° the phase shows α_z, and W is known. The kernel stays uncertain after any
# of them. So the next pulse is not one of 90°; `ln.design` ranks pulses for a sample of which
# something is known already.

fig, (left, middle, right) = plt.subplots(1, 3, figsize=(10.5, 3.3), layout="constrained")
STYLES = {90: ("#0072B2", "-"), 60: ("#D55E00", "--"), 120: ("#009E73", ":")}
for ax, name in ((left, "W"), (middle, "alpha_z")):
    values = {angle: np.asarray(getattr(draws[angle], name))[0] for angle in ANGLES}
    bins = np.linspace(*np.quantile(np.concatenate(list(values.values())), (0.002, 0.998)), 60)
    for angle, (colour, style) in STYLES.items():
        ax.hist(values[angle], bins, density=True, histtype="step", color=colour, ls=style, lw=1.4)
        ax.plot([], [], style, color=colour, label=f"{angle}°")
    ax.axvline(truth[name], color="k", lw=0.8, label="true")
    ax.set(yticks=[], ylabel="probability density")
left.set_xlabel("W (MHz)")
middle.set_xlabel(r"$\alpha_z$ (MHz)")
left.legend(frameon=False)
places = np.arange(len(model.prior_.kernels))
for k, (angle, (colour, _)) in enumerate(STYLES.items()):
    right.bar(places + 0.27 * (k - 1), kernels[angle], 0.27, color=colour, label=f"{angle}°")
right.set_xticks(places, model.prior_.kernels)
right.set(ylabel="probability of the kernel", ylim=(0, 1))
right.legend(frameon=False)
