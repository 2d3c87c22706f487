"""Why does a pulse of 60° show α_z, and one of 90° not?
=====================================================

In a 90°-180° echo the coupling along z, α_z, seems to be lost: no method reads it off :math:`|M|`.
The reason is simple, and so is the cure. After a pulse of 90° nothing is left along z, and α_z has
nothing to couple. After 60° half of the magnetisation stays there; it makes a field along z, which
turns the phase of the signal.
"""

# %%
# One sample, three couplings α_z, three pulse angles; α_x, the kernel and the offsets stay.

import jax
import matplotlib.pyplot as plt
import numpy as np

import latent_nmr as ln

ALPHA_Z, ANGLES = (0.02, 0.06, 0.10), (90, 60, 120)
offsets = ln.draw_frequencies(jax.random.key(1), 100, ln.Line())
table = ln.kernel_table("gaussian", 15.0, 100)
DT = 1 / (2 * np.pi)
sequences = [ln.spin_echo(DT, 628, 1882, flip_angle=np.deg2rad(a)) for a in ANGLES]
M = ln.simulate_lattices(
    np.stack([offsets] * 9),
    np.stack([table] * 9),
    [(0.03, 0.03, alpha_z) for _ in ANGLES for alpha_z in ALPHA_Z],
    [sequence for sequence in sequences for _ in ALPHA_Z],
)
time, signal = DT * np.arange(1882), (M[..., 0] + 1j * M[..., 1]).reshape(3, 3, -1)

# %%
# The frequency of the signal is the rise of its phase. A pulse of θ leaves cos θ / 2 along z. Its
# field α_z cos θ / 2 shifts the line; the couplings within the plane, α_x, undo a part of it, since
# an isotropic coupling exerts no torque at all. So the line is expected at -(α_z - α_x) cos θ / 2:
# nowhere else at 90°, and moved by opposite amounts at 60° and 120°. Half the difference of the two
# is free of any offset that is common to both, such as that of a carrier.

first = signal[..., :30]
turn = np.angle((first[..., 1:] * first[..., :-1].conj()).sum(axis=-1)) / (2 * np.pi * DT)
found = {90: turn[0], 60: (turn[1] - turn[2]) / 2}
for angle, shifts in found.items():
    for alpha_z, shift in zip(ALPHA_Z, shifts, strict=True):
        expected = -(alpha_z - 0.03) * np.cos(np.deg2rad(angle)) / 2
        print(
            f"{angle}°, α_z = {alpha_z:.2f} MHz: {1e3 * shift:+5.1f} kHz, "
            f"expected {1e3 * expected:+5.1f} kHz"
        )

# %%
# Left, the lengths of the three signals after a pulse of 90°: they can hardly be distinguished.
# Middle, their phases, which do not help either. Right, the phases after 60° and, dashed, 120°.

fig, (left, middle, right) = plt.subplots(1, 3, figsize=(10.5, 3.4), layout="constrained")
early = time < 15
STYLES = (("#0072B2", 4, "-"), ("#E69F00", 2.5, "--"), ("#D55E00", 1, "-"))
for k, (alpha_z, (colour, width, style)) in enumerate(zip(ALPHA_Z, STYLES, strict=True)):
    label = f"$\\alpha_z$ = {alpha_z:.2f} MHz"
    left.plot(time, 2 * abs(signal[0, k]), style, color=colour, lw=width, label=label)
    phase = np.unwrap(np.angle(signal[:, k, early])) / (2 * np.pi)
    phase -= phase[:, :1]
    middle.plot(time[early], phase[0], style, color=colour, lw=width)
    right.plot(time[early], phase[1], color=colour, label=label)
    right.plot(time[early], phase[2], "--", color=colour)
left.set(xlabel="t (µs)", ylabel="|M(t)| / |M(0)|", xlim=(168, 232), ylim=(0, 1.3))
left.set_title("(a) 90°: length", fontsize="medium")
middle.set_title("(b) 90°: phase", fontsize="medium")
right.set_title("(c) 60° (dashed: 120°): phase", fontsize="medium")
for ax in (middle, right):
    ax.set(xlabel="t (µs)", ylabel="turns since the pulse", ylim=(-0.3, 0.3))
left.legend(frameon=False, fontsize="small")
