"""Draw what PCA and K-means see in a data set, and what its clusters are."""

from latent_nmr.commands.main import script

if __name__ == "__main__":
    script("baselines")
