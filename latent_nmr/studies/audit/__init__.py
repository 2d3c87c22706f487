"""Audit of a decoder: its curves compared with new simulations and with the nearest data."""

from latent_nmr.analysis.audit import chance_outside
from latent_nmr.studies.audit._study import AuditResult, audit

__all__ = ["AuditResult", "audit", "chance_outside"]
