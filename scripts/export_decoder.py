"""Write a model's decoder as JSON, for programs in other languages."""

from latent_nmr.commands.main import script

if __name__ == "__main__":
    script("export-decoder")
