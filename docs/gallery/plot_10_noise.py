"""Which features of an echo survive the receiver?
===============================================

A receiver adds noise, turns every signal by a phase that nobody has noted, and stands a little off
resonance. What a model looks at is of use in the laboratory only if it does not mind.
"""

# %%
# Forty materials after a pulse of 60°, as they are simulated, and through three receivers: one
# with an unknown phase, one that is off by 10 kHz besides, one with noise.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import latent_nmr as ln

ds = ln.simulate("paper-60", n_curves=40, n_edge=50, seed=5)
phase = np.random.default_rng(0).uniform(0, 2 * np.pi, 40)
receivers = {
    "phase": ln.rotate_phase(ds, phase),
    "phase, 10 kHz off": ln.rotate_phase(ln.shift_frequency(ds, 0.010), phase),
    "SNR 30": ln.add_noise(ds, 30, seed=1, window="echo"),
    "SNR 10": ln.add_noise(ds, 10, seed=1, window="echo"),
}

# %%
# Kinds of features: Re M and Im M; the length :math:`|M|`; and polar ones, which are length and
# local frequency. A frequency means little where there is little signal, and polar features weigh
# it by the signal's strength; with a larger `weight_floor` they are more cautious. How far does a
# receiver move each of them, in units of what distinguishes the materials?


def moved(receiver, part):
    """Root mean square of the change over the standard deviation between materials."""
    before = ln.features(ds, "echo", part=part)
    change = ln.features(receiver, "echo", part=part) - before
    return np.sqrt((change**2).mean() / before.var(axis=0).mean())


kinds = {
    "Re M, Im M": "both",
    "|M|": "magnitude",
    "polar": "polar",
    "polar, cautious": ln.Polar(weight_floor=0.02),
}
table = pd.DataFrame(
    {
        name: [moved(receiver, part) for part in kinds.values()]
        for name, receiver in receivers.items()
    },
    index=list(kinds),
)
table.round(2)

# %%
# An unknown phase makes Re M and Im M worthless, while the length and the local frequency do not
# notice. A carrier that is off shifts the local frequency, all of it by the same amount; half the
# difference of two echoes, of 60° and 120°, would be free of it. Noise harms all of them, the
# frequency most, since it is a derivative: caution helps at SNR 30 and no longer at SNR 10, where
# nothing but averaging does. Left, one of the echoes as the receivers give it.

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
colours = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
curve = int(ds.W.to_numpy().argmin())
time = ds.time.to_numpy()
left.plot(time, 2 * ds.my[curve], color="k", lw=2, label="as simulated")
for (name, measured), colour in zip(receivers.items(), colours, strict=True):
    if name != "SNR 30":
        left.plot(time, 2 * measured.my[curve], color=colour, lw=1.1, label=name)
left.set(xlabel="t (µs)", ylabel="Im M(t) / |M(0)|", xlim=(180, 220))
left.legend(frameon=False, fontsize="small")
for k, (name, column) in enumerate(table.items()):
    right.bar(np.arange(len(kinds)) + 0.2 * (k - 1.5), column, 0.2, color=colours[k], label=name)
right.axhline(1, color="0.5", lw=0.8, ls=":")
right.set_xticks(range(len(kinds)), kinds)
right.set(ylabel="change / spread of materials")
right.legend(frameon=False, fontsize="small")
