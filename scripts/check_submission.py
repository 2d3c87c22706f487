"""Check a submission file of the challenge."""

from latent_nmr.commands.main import script

if __name__ == "__main__":
    script("check-submission")
