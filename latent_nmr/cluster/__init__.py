"""Stores that many processes fill: jobs of Slurm, what they do, and how far they are."""
