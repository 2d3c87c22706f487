"""Measured echoes: from prepared records to points, estimates and verdicts."""
