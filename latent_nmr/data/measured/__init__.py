"""Measured echoes: files of spectrometers, and what is done to them before a model sees them."""
