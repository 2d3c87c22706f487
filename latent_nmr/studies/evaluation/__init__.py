"""Comparison of representations on one held-out split, with spread, ceiling and floor."""

from latent_nmr.studies.evaluation._echoes import evaluate_echoes as evaluate_echoes
from latent_nmr.studies.evaluation._result import EvaluationResult as EvaluationResult
from latent_nmr.studies.evaluation._study import evaluate as evaluate
