"""Median importances of forests in the form that figures take."""

from collections.abc import Mapping

import numpy as np

from latent_nmr.data.feature_layout import Block
from latent_nmr.data.feature_settings import FeatureSettings
from latent_nmr.plots.importances import Coefficient, Explained
from latent_nmr.studies._result import StudyResult
from latent_nmr.studies.probes.data import section_polynomials
from latent_nmr.studies.probes.measurements import ELIMINATION, REGRESSION
from latent_nmr.studies.probes.names import BINARY, GROUP_TITLES, POINTS, POLYNOMIAL
from latent_nmr.studies.probes.tables import medians

TARGET_TITLES = {"W": "W", "L": "L", "alpha_x": r"$\alpha_x$", "alpha_z": r"$\alpha_z$"}


def columns_of(result: StudyResult, target: str, number: int) -> list[Explained]:
    """One column per group of kernels that a target was predicted for.

    `number` counts the quantities of the features, of which one is explained.
    """
    table = ELIMINATION if target == BINARY else REGRESSION
    groups = dict.fromkeys(
        entry["group"]
        for entry in result.facts["importances"]
        if (entry["table"], entry["target"]) == (table, target)
    )
    columns = []
    for group in groups:
        by_features = medians(result, table=table, target=target, group=group)
        title = "power law or not"
        if target != BINARY:
            title = f"{TARGET_TITLES.get(target, target)}, {GROUP_TITLES[group]}"
        columns.append(explained(result, title, by_features, number))
    return [column for column in columns if column.points is not None or column.coefficients]


def blocks_of(result: StudyResult) -> list[Block]:
    """What the features are."""
    return FeatureSettings.of_metadata(result.facts).blocks(result.arrays["time"])


def explained(
    result: StudyResult, title: str, by_features: Mapping[str, np.ndarray], number: int
) -> Explained:
    """Importances by kind of features as one column of a figure, of one quantity."""
    coefficients, block = [], blocks_of(result)[number]
    if POLYNOMIAL in by_features:
        time = block.time
        model = section_polynomials(time)
        places = [(s, power) for s in model.sections_ for power in range(model.degree + 1)]
        # Every block has as many, whatever its number of columns.
        own = by_features[POLYNOMIAL][number * len(places) :][: len(places)]
        coefficients = [
            Coefficient(
                float(time[section.samples.start]),
                float(time[section.samples.stop - 1]),
                section.n_sections,
                power,
                float(importance),
            )
            for (section, power), importance in zip(places, own, strict=True)
        ]
    points = by_features.get(POINTS)
    return Explained(title, None if points is None else points[block.columns], coefficients)
