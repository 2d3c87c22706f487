"""Place measured echoes in latent space: a verdict, and W, L and kernel with intervals."""

from latent_nmr.commands.main import script

if __name__ == "__main__":
    script("measure")
