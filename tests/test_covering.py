"""The covering arrays that other tests run on."""

from itertools import combinations, product

import pytest

from tests.covering import pairwise


@pytest.mark.parametrize("sizes", [(3, 3, 3), (2, 3, 4), (3, 3, 2, 2, 3), (1, 5)])
def test_every_pair_of_values_occurs_in_few_rows(sizes):
    values = [[f"{i}{k}" for k in range(size)] for i, size in enumerate(sizes)]
    rows = pairwise(*values)
    for i, j in combinations(range(len(values)), 2):
        assert {(row[i], row[j]) for row in rows} == set(product(values[i], values[j]))
    largest, second = sorted(sizes)[-1:-3:-1]
    assert largest * second <= len(rows) <= 2 * largest * second
    assert rows == pairwise(*values)
