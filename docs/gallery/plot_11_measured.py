"""What does a file from the spectrometer say of a sample?
=======================================================

The magnet is cold, the echo is recorded, and there is a text file with three columns: time and the
two channels. Is there an echo in it, may it be compared with simulated ones, and if so, what are W
and L?
"""

# %%
# First we need a file. This one holds a simulated echo as a receiver would give it: the carrier is
# 12 kHz off, the phase is anything, the unit is volts, the first 20 µs are lost to dead time, and
# there is noise.

import tempfile
from pathlib import Path

import numpy as np

import latent_nmr as ln

sample = ln.simulate("paper", n_curves=6, seed=11).isel(curve=[3])
record = ln.shift_frequency(sample, 0.012)
record = ln.add_noise(ln.rotate_phase(record, 2.1), 40, seed=0, window="echo")
time = record.time.to_numpy()[126:]
volts = 0.37 * np.column_stack([record.mx[0, 126:], record.my[0, 126:]])
folder = tempfile.TemporaryDirectory()
path = Path(folder.name, "echo.txt")
np.savetxt(path, np.column_stack([time, volts]), header="time (us), real (V), imaginary (V)")
print(path.read_text().splitlines()[:3])

# %%
# One call does the rest: it reads the file, corrects carrier and phase, measures the noise, and
# compares the record with simulated measurements of the same noise, band and length. Two things
# the file does not say: the separation of the pulses, and that its times count from the first of
# them, so that the echo is at 200 µs.

opening = {"columns": ("time", "real", "imaginary"), "time_unit": "µs"}
r = ln.measure(path, pulse_separation=100, echo_time=200, opening=opening)
folder.cleanup()
row = r.table.iloc[0]
print(f"{row.verdict} (p = {row.p_value:.2f}), SNR {row.snr:.0f}")
for name in ("W", "L"):
    print(
        f"{name} = {row[name]:.3g}, 95 % between {row[name + '_low95']:.3g} and "
        f"{row[name + '_high95']:.3g}; it was made with {float(sample[name][0]):.3g}"
    )

# %%
# INSIDE does not prove that the sample is of the simulated kind: it says that its curve is no
# argument against it. If it is, W and L are known as well as the intervals say. The measured
# curve, over what the model draws for it and the nearest simulated one, with what is left in units
# of the noise:

r.figures["echo_0_curves"]

# %%
# And where it lies among the simulated echoes, with the regions of 68 and 95 %:

r.figures["echo_0_map"]
