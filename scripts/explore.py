"""Write one HTML file on which one moves through the latent space of a model."""

from latent_nmr.commands.main import script

if __name__ == "__main__":
    script("explore")
