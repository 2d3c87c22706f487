"""Compare representations on a held-out part, with spread, ceiling and floor."""

from latent_nmr.commands.main import script

if __name__ == "__main__":
    script("evaluate")
