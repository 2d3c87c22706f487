"""Say which pulse angle to measure next, and what it will buy."""

from latent_nmr.commands.main import script

if __name__ == "__main__":
    script("design")
