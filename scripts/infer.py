"""Say what an echo says of its material: couplings, W, L and the kernel, with probabilities."""

from latent_nmr.commands.main import script

if __name__ == "__main__":
    script("infer")
