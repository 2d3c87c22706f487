"""Design: which pulses to measure next, and what that will say about a material."""

from latent_nmr.studies.design._candidates import Candidate as Candidate
from latent_nmr.studies.design._candidates import parse_candidates as parse_candidates
from latent_nmr.studies.design._conditions import Conditions as Conditions
from latent_nmr.studies.design._next import next_design as next_design
from latent_nmr.studies.design._proof import proof_of_design as proof_of_design
from latent_nmr.studies.design._proof import summary_of_proof as summary_of_proof
from latent_nmr.studies.design._result import DesignResult as DesignResult
from latent_nmr.studies.design._study import design as design
