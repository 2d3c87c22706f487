"""Say which label each latent axis orders, and what several seeds agree on."""

from latent_nmr.commands.main import script

if __name__ == "__main__":
    script("axes")
