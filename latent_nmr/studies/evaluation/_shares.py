"""Shares of the ceilings: how much of what labels make possible the methods reach."""

import numpy as np
import pandas as pd

from latent_nmr.analysis.score_names import score_of
from latent_nmr.studies.evaluation._methods import BOTTLENECK, METHOD
from latent_nmr.studies.evaluation._scores import FIT_SECONDS, FOREST

PREDICTIONS = ("regression", "classification")


def shares(table: pd.DataFrame, records: pd.DataFrame) -> pd.DataFrame:
    """Means of a table's methods over those of its ceilings.

    Parameters
    ----------
    table : DataFrame
        Of :meth:`EvaluationResult.table_of`.
    records : DataFrame
        From which the roles of its rows are known.

    Returns
    -------
    DataFrame
        Rows ``(model, n_components)`` of the methods, columns ``(score, ceiling)``.
    """
    means = table.xs("mean", axis=1, level=1)
    methods = set(records.loc[records["role"] == METHOD, "model"])
    rows = [key for key in means.index if key[0] in methods]
    scores = [
        name
        for name in means.columns
        if name != FIT_SECONDS and score_of(name).group in PREDICTIONS
    ]
    own = means.loc[rows, scores]
    found = {}
    for score in scores:
        for ceiling in (BOTTLENECK, FOREST):
            bounds = [_bound(means[score], ceiling, key[1]) for key in rows]
            found[score, ceiling] = own[score].to_numpy() / np.array(bounds, float)
    columns = pd.MultiIndex.from_tuples(list(found), names=["score", "ceiling"])
    return pd.DataFrame(found, index=own.index, columns=columns).dropna(axis=1, how="all")


def _bound(means: pd.Series, ceiling: str, n_components: int) -> float:
    """Mean of a ceiling, of a dimension where it has one; NaN where it says nothing."""
    for (model, its_dimension), mean in means.items():
        is_alike = pd.isna(its_dimension) or its_dimension == n_components
        if model == ceiling and is_alike and mean > 0:
            return float(mean)
    return np.nan
