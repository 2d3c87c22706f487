"""The page of principal components and clusters."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latent_nmr.report._html import PageFigure, png_of, words
from latent_nmr.report.clusters import (
    choice_rows,
    choice_text,
    data_text,
    described_rows,
    notes_on,
    pca_text,
)
from latent_nmr.report.study_page import plain_table, sentences, study_page

if TYPE_CHECKING:
    from latent_nmr.studies.clusters import ClustersResult

TITLE = "Principal components and clusters"
MEAN_CURVES = "Mean curves of the clusters"
OVERVIEW = (
    "A point of a map is a curve, at its first two principal components. SSE is the sum of squared "
    "distances to the mean curves of K clusters."
)


def clusters_page(result: "ClustersResult", values: Mapping[str, Any]) -> str:
    """The page as HTML.

    Parameters
    ----------
    result : ClustersResult
    values : mapping
        `command`, and `data`, where the curves come from.
    """
    facts = result.facts
    rows = choice_rows(facts)
    sections = {
        "Principal components": sentences([pca_text(facts)]),
        "Number of clusters": sentences([f"The elbow is {choice_text(facts)}"])
        + plain_table("Criteria by K", ["K", "SSE(K)/SSE(1)", "mean silhouette"], rows),
        "Clusters": "\n".join(_clusters(facts)),
        "Remarks": sentences(notes_on(facts)),
    }
    figures = [
        PageFigure("Maps, choice of K, and mean curves", OVERVIEW, png_of(figure))
        if name == "baselines"
        else PageFigure(
            MEAN_CURVES + name.removeprefix("clusters").replace("_", ": "), "", png_of(figure)
        )
        for name, figure in result.figures.items()
    ]
    return study_page(TITLE, [data_text(facts, str(values["data"]))], sections, figures, values)


def _clusters(facts: Mapping[str, Any]) -> Iterator[str]:
    """What the clusters of each described K are."""
    for count, described in facts["clusters"].items():
        texts = [text for _, text in described_rows(count, described)]
        yield f"<h3>{words(f'K = {count}')}</h3>\n{sentences(texts)}"


def write_page(result: "ClustersResult", values: Mapping[str, Any], path: Path) -> None:
    """Write the page of a result; of `values` see `clusters_page`."""
    path.write_text(clusters_page(result, values), "utf-8")
