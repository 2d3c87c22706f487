"""Training of a β-VAE on echoes: the model, its history, its embedding, and what its axes order."""

from latent_nmr.studies.training._study import CHECKPOINT_FILE as CHECKPOINT_FILE
from latent_nmr.studies.training._study import TrainingResult as TrainingResult
from latent_nmr.studies.training._study import train as train
