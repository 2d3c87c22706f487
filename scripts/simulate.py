"""Simulate labelled spin echoes into a zarr store."""

from latent_nmr.commands.main import script

if __name__ == "__main__":
    script("simulate")
