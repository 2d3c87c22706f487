"""Labelled echo data sets: what they hold, how they are made, kept, cut and normalised."""
