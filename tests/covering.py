"""Fewer combinations than the full product: every pair of values of two parameters once."""

from itertools import combinations, product

import pytest


def pairwise(*values):
    """Rows, one value per parameter, in which every pair of values of two parameters occurs.

    What is given up are faults that need three values at once; nearly all need two. Rows of the
    product are taken greedily, so that the result is the same in every worker.
    """
    places = list(combinations(range(len(values)), 2))
    rows = list(product(*(range(len(given)) for given in values)))

    def pairs_of(row):
        return {(i, j, row[i], row[j]) for i, j in places}

    missing = set().union(*map(pairs_of, rows))
    chosen = []
    while missing:
        best = max(rows, key=lambda row: len(pairs_of(row) & missing))
        missing -= pairs_of(best)
        chosen.append(tuple(given[k] for given, k in zip(values, best, strict=True)))
    return chosen


def half_of(cases):
    """Every second case in the ordinary run; the others have the mark `slow`."""
    return [
        case if number % 2 == 0 else pytest.param(*case, marks=pytest.mark.slow)
        for number, case in enumerate(cases)
    ]
