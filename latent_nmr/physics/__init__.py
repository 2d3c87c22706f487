"""Mean-field spin dynamics of interacting nuclei: arrays in, arrays out.

Units throughout: frequencies and couplings in MHz, time in µs, distances in lattice
constants. Spins are expectation values <I>, dimensionless and at most 1/2 long.
"""
