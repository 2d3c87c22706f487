"""Which of a decoder's curves are physics?
========================================

A decoder draws a curve for every point of its map, also where no echo has ever been. Before one
reads physics off a traversal, each of its curves should be held against what the equations of
motion give. That is an audit: simulate the materials that lie around a point, and see whether the
drawn curve is one of theirs.
"""

# %%
# Six points along the first axis of the published model, four new simulations for each.

import latent_nmr as ln

ds, vae = ln.load_reference(), ln.load_pretrained("echo")
r = ln.audit(vae, ds, axes=(1,), span=2, n_steps=6, n_simulations=4)
r.table[["axis", "z", "verdict", "off_data", "rms", "rms_neighbours"]]

# %%
# *Faithful*: within the scatter of the simulations. *Averages*: not one material's curve, but the
# mean of those nearby. *Invents*: neither; the curve is the decoder's own. The picture has each
# drawn curve over both bands, and what sticks out of them.

r.figures["LA1"]
