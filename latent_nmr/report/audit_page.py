"""The page of an audit."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latent_nmr.report._html import PageFigure, png_of
from latent_nmr.report.audit import HEADS, meanings, point_rows
from latent_nmr.report.study_page import meaning_list, plain_table, sentences, study_page

if TYPE_CHECKING:
    from latent_nmr.studies.audit import AuditResult

TITLE = "Audit of a decoder"


def audit_page(
    result: "AuditResult", values: Mapping[str, Any], *, n_neighbors: int, n_simulations: int
) -> str:
    """The page as HTML.

    Parameters
    ----------
    result : AuditResult
    values : mapping
        What `report.audit.audit_values` gives, `command`, and `model` and `data`, their names.
    n_neighbors, n_simulations : int
        Curves that a point was compared with.
    """
    data = str(values["data"])
    counts = {"n_neighbors": n_neighbors, "n_simulations": n_simulations}
    sections = {
        "What was found": sentences(values["sentences"]),
        "Points": plain_table("Points of the traversals", HEADS, point_rows(values)),
        "What the columns mean": meaning_list(meanings(values, data, **counts)),
        "Remarks": sentences(values["remarks"]),
    }
    figures = [
        PageFigure(_title_of(name), "", png_of(figure)) for name, figure in result.figures.items()
    ]
    facts = [str(values["model"]), data, f"{values['n_curves']} curves"]
    return study_page(TITLE, facts, sections, figures, values)


def _title_of(name: str) -> str:
    """Title of a figure: LA1 is a traversal, LA1_frequency one of another quantity."""
    if name == "profile":
        return "Along the axes"
    axis, _, quantity = name.partition("_")
    return f"Traversal of {axis}" + (f", {quantity.replace('_', ' ')}" if quantity else "")


def write_page(
    result: "AuditResult",
    values: Mapping[str, Any],
    path: Path,
    *,
    n_neighbors: int,
    n_simulations: int,
) -> None:
    """Write the page of a result; the parameters are those of `audit_page`."""
    text = audit_page(result, values, n_neighbors=n_neighbors, n_simulations=n_simulations)
    path.write_text(text, "utf-8")
