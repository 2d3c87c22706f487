"""Train a β-VAE on spin echoes: python scripts/train_vae.py --window echo."""

from latent_nmr.commands.main import script

if __name__ == "__main__":
    script("train-vae")
