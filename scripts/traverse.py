"""Draw the curves that a model generates along a latent axis."""

from latent_nmr.commands.main import script

if __name__ == "__main__":
    script("traverse")
