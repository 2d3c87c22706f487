"""What an echo says about its material, and whether that is so."""

from latent_nmr.studies.posterior._inference import Inference, Known
from latent_nmr.studies.posterior.calibration import CalibrationResult, calibrate
from latent_nmr.studies.posterior.inference import infer

__all__ = ["CalibrationResult", "Inference", "Known", "calibrate", "infer"]
