"""Write the latent coordinates of a data set to a file."""

from latent_nmr.commands.main import script

if __name__ == "__main__":
    script("embed")
