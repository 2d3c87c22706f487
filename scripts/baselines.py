"""Draw the principal components and the clusters of a data set, and describe the clusters."""

from latent_nmr.commands.main import script

if __name__ == "__main__":
    script("baselines")
