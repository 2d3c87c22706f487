"""Draw the latent map of a data set, coloured by labels."""

from latent_nmr.commands.main import script

if __name__ == "__main__":
    script("plot-latent")
