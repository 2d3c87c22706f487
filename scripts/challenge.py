"""The ML4SCI challenge of 2020 and 2021, on its own files or on fresh curves."""

from latent_nmr.commands.main import script

if __name__ == "__main__":
    script("challenge")
