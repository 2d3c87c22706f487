"""Posteriors of a material's parameters given an echo."""
