"""The ML4SCI challenge of 2020 and 2021: models that read parameters off curves, compared."""

from latent_nmr.studies.challenge._editions import EDITIONS as EDITIONS
from latent_nmr.studies.challenge._result import ChallengeResult as ChallengeResult
from latent_nmr.studies.challenge._study import challenge as challenge
