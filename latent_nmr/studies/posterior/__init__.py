"""What an echo says about its material, and whether that is so."""

from latent_nmr.studies.posterior.calibration import CalibrationResult, calibrate

__all__ = ["CalibrationResult", "calibrate"]
