"""Check posteriors on simulated curves: ranks, coverage, classes, and what is known of each."""

from latent_nmr.commands.main import script

if __name__ == "__main__":
    script("calibrate")
