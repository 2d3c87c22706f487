"""Design: which pulses to measure next, and what that will say about a material."""

from latent_nmr.studies.design._belief import SimulatedEcho as SimulatedEcho
from latent_nmr.studies.design._candidates import Candidate as Candidate
from latent_nmr.studies.design._candidates import parse_candidates as parse_candidates
from latent_nmr.studies.design._study import DesignResult as DesignResult
from latent_nmr.studies.design._study import design as design
