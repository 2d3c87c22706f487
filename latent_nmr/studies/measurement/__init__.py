"""Measured echoes: from files to points, estimates and verdicts."""

from latent_nmr.studies.measurement._result import MeasurementResult
from latent_nmr.studies.measurement._study import measure, measurement_digest

__all__ = ["MeasurementResult", "measure", "measurement_digest"]
