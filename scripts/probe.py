"""Fit classifiers and random forests to labelled echoes, and score them on held-out curves."""

from latent_nmr.commands.main import script

if __name__ == "__main__":
    script("probe")
