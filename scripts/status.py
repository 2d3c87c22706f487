"""Say which curves of a store are finished, on their way or missing."""

from latent_nmr.commands.main import script

if __name__ == "__main__":
    script("status")
