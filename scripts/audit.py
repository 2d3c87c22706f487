"""Set what a decoder generates beside fresh simulations: where does it invent structure?"""

from latent_nmr.commands.main import script

if __name__ == "__main__":
    script("audit")
