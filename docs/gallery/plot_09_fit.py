"""Which couplings made this echo?
===============================

Given an echo and the law of its kernel, one would like to know α_x, α_z and the exponent of the
kernel, with error bars. The simulator is a differentiable function of all of them, so that a fit by
least squares needs no trial and error: every step knows in which direction to go.
"""

# %%
# First an experiment whose answer we know: a pulse of 60°, so that α_z shows, and a little noise.

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import least_squares

import latent_nmr as ln

N_EDGE, DT, N_SAMPLES, NOISE = 48, 0.5, 481, 0.004
time, sequence = DT * np.arange(N_SAMPLES), ln.spin_echo(DT, 200, N_SAMPLES, np.deg2rad(60))
line = ln.Line(draw="stratified")  # the quantiles of the line, on the sites in random order


def simulate(points, seeds):
    """Re M and Im M at points (α_x, α_z, p), one after another, shape (n_points, 2 N_SAMPLES)."""
    offsets = [ln.draw_frequencies(jax.random.key(seed), N_EDGE, line) for seed in seeds]
    tables = [ln.kernel_table("power", p, N_EDGE) for _, _, p in points]
    couplings = [(alpha_x, alpha_x, alpha_z) for alpha_x, alpha_z, _ in points]
    M = ln.simulate_lattices(np.stack(offsets), np.stack(tables), couplings, sequence, step=2)
    return M[..., :2].reshape(len(points), -1)


truth = np.array([0.030, 0.080, 2.0])  # α_x, α_z (MHz), exponent
measured = simulate([truth], [0])[0]
measured = measured + np.random.default_rng(0).normal(0, NOISE, measured.shape)

# %%
# A fit finds the valley that it starts in, so we look around first. The line is shifted by -(α_z -
# α_x) cos 60° / 2, which gives the difference of the couplings at once; 36 curves of such
# couplings say where to begin. The offsets of a real sample are unknown; the fit uses others than
# the experiment had.

z = (measured.reshape(-1, 2) @ [1, 1j])[:16]
shift = np.angle((z[1:] * z[:-1].conj()).sum()) / (2 * np.pi * DT)
start = [
    (alpha_x, alpha_x - 4 * shift, p)
    for alpha_x in np.linspace(0.02, 0.06, 9)
    for p in (1.4, 1.8, 2.2, 2.6)
]
distances = ((simulate(start, [1] * len(start)) - measured) ** 2).sum(axis=1)
guess = np.array(start[distances.argmin()])
print(f"begin at α_x = {guess[0]:.3f}, α_z = {guess[1]:.3f} MHz, p = {guess[2]:.1f}")

# %%
# `ln.curve_function` is the simulator as a function inside JAX; `jax.jacfwd` gives the derivatives
# of all samples with respect to the three parameters, and the curve with them.

near = ln.curve_inputs((guess[0], guess[0], guess[1]), guess[2], sequence)
offsets = ln.draw_frequencies(jax.random.key(1), N_EDGE, line)
curve = ln.curve_function(offsets, "power", sequence, near=near, step=2)


@jax.jit
def slopes_and_signal(point):
    """Derivatives, shape (2 N_SAMPLES, 3), and Re M and Im M."""

    def signal(point):
        alpha_x, alpha_z, p = point
        couplings = jnp.stack([alpha_x, alpha_x, alpha_z])
        m = curve(near._replace(couplings=couplings, kernel_parameter=p))[:, :2].ravel()
        return m, m

    return jax.jacfwd(signal, has_aux=True)(point)


visited = []


def residuals(point):
    """What is left, over the noise; keeps the slopes for the step that follows."""
    slopes, signal = map(np.array, slopes_and_signal(jnp.float32(point)))
    visited.append((np.array(point), slopes, signal))
    return (signal - measured) / NOISE


fit = least_squares(residuals, guess, lambda _: visited[-1][1] / NOISE, x_scale=guess, max_nfev=20)
point, slopes, signal = min(visited, key=lambda visit: ((visit[2] - measured) ** 2).sum())
print(
    f"{len(visited)} curves; what is left is {np.std(signal - measured) / NOISE:.1f} of the noise"
)

# %%
# The error bar is not that of the noise: what is left also is the work of other offsets. So ask
# how far these move the answer. Curves of the fitted material with eight other sets of offsets
# differ from each other by a little, and the slopes say what change of the parameters would do the
# same.

others = simulate([point] * 8, range(2, 10))
moved = (others - others.mean(axis=0)) @ np.linalg.pinv(slopes).T
spread = np.sqrt(2) * moved.std(axis=0, ddof=1)  # the experiment's offsets, and those of the fit
for name, unit, true, found, sd in zip(
    ("α_x", "α_z", "p"), (" MHz", " MHz", ""), truth, point, spread, strict=True
):
    print(f"{name} = {found:.4f} ± {sd:.4f}{unit}, true {true:.4f}")

# %%
# Left, the measured echo, where the fit began, and where it ended. Right, the 36 curves of the
# look around, coloured by how far they are from the measured one, and the way of the fit from the
# best of them. (Tried on eight such experiments, the true values were about as far off as the bars
# say.)

fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.7), layout="constrained")
for values, label, style in (
    (measured, "measured", {"color": "0.65", "lw": 3}),
    (visited[0][2], "begin", {"color": "#0072B2", "ls": "--", "lw": 1.2}),
    (signal, "fit", {"color": "#D55E00", "lw": 1.2}),
):
    left.plot(time, 2 * np.hypot(*values.reshape(-1, 2).T), label=label, **style)
left.set(xlabel="t (µs)", ylabel="|M(t)| / |M(0)|", xlim=(150, 240), ylim=(0, 0.3))
left.legend(frameon=False)
around, path = np.array(start), np.array([visit[0] for visit in visited])
rms = np.sqrt(distances / measured.size) / NOISE
scan = right.scatter(around[:, 0], around[:, 2], c=rms, s=60, cmap="viridis_r", marker="s")
fig.colorbar(scan, label="rms difference / noise")
right.plot(path[:, 0], path[:, 2], ".-", color="#0072B2", label="steps")
right.errorbar(
    point[0], point[2], spread[2], spread[0], fmt="o", color="#D55E00", capsize=3, label="fit"
)
right.plot(truth[0], truth[2], "k+", ms=12, mew=2, label="true")
right.set(xlabel=r"$\alpha_x$ (MHz)", ylabel="exponent p", ylim=(1.3, 2.9))
right.legend(frameon=False, ncols=3, fontsize="small", loc="upper center")
