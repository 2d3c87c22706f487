"""Say what a saved model is, without loading its weights."""

from latent_nmr.commands.main import script

if __name__ == "__main__":
    script("card")
