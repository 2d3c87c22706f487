"""The figures of an evaluation: maps of every method, traversals, scores over the dimension."""

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt
import pandas as pd

from latent_nmr.analysis.score_names import CLASSIFICATION, HEADLINES, METHOD_TITLES, score_of
from latent_nmr.data.feature_layout import part_metadata, part_of_metadata
from latent_nmr.data.protocols import PROTOCOLS, protocols_of_metadata
from latent_nmr.plots.curves import Quantity
from latent_nmr.plots.evaluation import Line, Map, maps_by_method, scores_over_dimension
from latent_nmr.plots.style import SIGNAL_TEXTS, Figure
from latent_nmr.studies.latent_figures import draw_walks, quantities_of, time_marks

MAP_LABELS = ("W", "L", "kernel")
# Metadata of features that may be more than |M| of one echo.
HAVE_QUANTITIES = {"part", PROTOCOLS}
# Panels of the figure of scores where none of the usual ones is there.
MOST_PANELS = 4

Arrays = Mapping[str, npt.NDArray]
Facts = Mapping[str, Any]


def mapped_fits(facts: Facts) -> list[dict[str, Any]]:
    """Of every method the first fit of its smallest dimension of two or more."""
    found: dict[str, dict[str, Any]] = {}
    for fit in facts["fits"]:
        if fit["n_components"] >= 2 and fit.get("role", "method") == "method":
            known = found.get(fit["model"], fit)
            found[fit["model"]] = min(known, fit, key=lambda f: (f["n_components"], f["seed"]))
    order = [name for name in METHOD_TITLES if name in found]
    return [found[name] for name in (*order, *(n for n in found if n not in order))]


def map_labels(arrays: Arrays) -> dict[str, npt.NDArray]:
    """Labels that colour the maps: W, L and kernel, or the first three."""
    labels = {name[6:]: values for name, values in arrays.items() if name.startswith("label/")}
    usual = [name for name in MAP_LABELS if name in labels]
    return {name: labels[name] for name in usual or list(labels)[:3]}


def maps(facts: Facts, arrays: Arrays) -> Figure:
    """Held-out curves by the first two coordinates of each method."""
    drawn = [
        Map(
            METHOD_TITLES.get(str(fit["model"]), str(fit["model"])),
            arrays[f"coordinates/{fit['number']}/held-out"],
            (fit["axis_names"][0], fit["axis_names"][1]),
        )
        for fit in mapped_fits(facts)
    ]
    return maps_by_method(drawn, map_labels(arrays))


def walked_fit(facts: Facts) -> dict[str, Any] | None:
    """The β-VAE with the lowest validation loss, at the dimension nearest to two."""
    fits = [fit for fit in facts["fits"] if fit["n_walks"]]
    if not fits:
        return None
    wanted = min({fit["n_components"] for fit in fits}, key=lambda n: (abs(n - 2), n))
    own = [fit for fit in fits if fit["n_components"] == wanted]
    return min(own, key=lambda fit: (fit["validation_loss"], fit["seed"]))


def traversals(facts: Facts, arrays: Arrays) -> Figure:
    """Curves along each axis of that β-VAE, coloured by the mean W of the data nearest to them."""
    fit, drawn = walked_fit(facts), facts["drawn"]
    assert fit is not None  # there is a figure only then
    walks, positions = arrays["walks"], arrays["walk_positions"]
    return draw_walks(
        walks,
        positions,
        names=fit["axis_names"],
        latent=arrays[f"coordinates/{fit['number']}/held-out"],
        strength=arrays.get("label/W"),
        quantities=_quantities(drawn, arrays.get("time")),
        marks=drawn["time_marks"],
    )


def drawing_facts(metadata: Facts) -> dict[str, Any]:
    """Words and marks of the traversals, as far as the metadata of the curves give them."""
    normalisation = metadata.get("normalisation", "")
    found = {
        "signal_text": SIGNAL_TEXTS.get(normalisation, "decoded curve"),
        "time_marks": time_marks(dict(metadata)),
    }
    if normalisation in SIGNAL_TEXTS and HAVE_QUANTITIES & set(metadata):
        found |= {"normalisation": normalisation, **part_metadata(part_of_metadata(metadata))}
        protocols = [own._asdict() for own in protocols_of_metadata(metadata)]
        found |= {PROTOCOLS: protocols} if protocols else {}
    return found


def _quantities(drawn: Facts, time: npt.NDArray | None) -> list[Quantity]:
    """What the decoded columns are: several quantities of echoes, or one."""
    if time is not None and HAVE_QUANTITIES & set(drawn):
        return quantities_of(drawn, time)
    return [Quantity(drawn["signal_text"], time)]


def scores_to_draw(rows: pd.DataFrame) -> list[str]:
    """Headline scores, or the first of those that predict a label, or else all that are there."""
    present = list(dict.fromkeys(rows["score"]))
    usual = [name for name in HEADLINES if name in present]
    labelled = [n for n in present if n.startswith(("r2_", "f1_")) and n not in CLASSIFICATION]
    free = [name for name in ("rms", "trustworthiness", "continuity") if name in present]
    return usual or labelled[:MOST_PANELS] or free


def has_several_dimensions(rows: pd.DataFrame) -> bool:
    """Whether any method was fitted at more than one dimension."""
    of_methods = rows[rows["role"] == "method"]
    return bool((of_methods.groupby("model")["n_components"].nunique() > 1).any())


def dimensions(rows: pd.DataFrame) -> Figure:
    """Scores over the number of coordinates; bars are the sample sd over seeds."""
    panels = {figure_title(name): lines_of(rows, name) for name in scores_to_draw(rows)}
    bounds: dict[str, dict[str, float]] = {"ceiling": {}, "floor": {}}
    for role, found in bounds.items():
        for name in scores_to_draw(rows):
            own = rows[(rows["role"] == role) & (rows["score"] == name)]
            if len(own):  # of floors that of the smallest dimension
                is_least = own["n_components"] == own["n_components"].min()
                is_forest = own["n_components"].isna()
                first = own[is_forest if role == "ceiling" else is_least]
                if len(first):
                    found[figure_title(name)] = float(first["value"].mean())
    return scores_over_dimension(panels, bounds["ceiling"], bounds["floor"])


def lines_of(rows: pd.DataFrame, score: str) -> list[Line]:
    """One line per method, and one of the bottlenecks, a ceiling by dimension."""
    has_place = (rows["role"] != "floor") & rows["n_components"].notna()
    own = rows[has_place & (rows["score"] == score)]
    lines = []
    for model in dict.fromkeys(own["model"]):
        of_model = own[own["model"] == model].groupby("n_components")["value"]
        means, spread = of_model.mean(), of_model.std().fillna(0.0)
        places = means.index.to_numpy().astype(int)
        title = METHOD_TITLES.get(str(model), str(model))
        lines.append(Line(model, title, places, means.to_numpy(), spread.to_numpy()))
    return lines


def figure_title(score: str) -> str:
    """Title of a score with its Greek letters set as on the other figures."""
    title = score_of(score).title
    return title.replace("α_x", r"$\alpha_x$").replace("α_z", r"$\alpha_z$")


def captions(facts: Facts) -> dict[str, tuple[str, str]]:
    """Title and caption of every figure that there may be."""
    found = {
        "maps": (
            "Maps",
            "Held-out curves by the first two coordinates of each method, at the smallest "
            "dimension that has two; one seed. Coloured by labels that no method has seen.",
        ),
        "dimensions": (
            "Scores by dimension",
            "Scores on the held-out part over the number of coordinates; bars are the sample "
            "standard deviation over seeds.",
        ),
    }
    fit = walked_fit(facts)
    if fit is not None:
        found["traversals"] = (
            "Traversals",
            f"Curves that the decoder of the β-VAE with {fit['n_components']} axes (seed "
            f"{fit['seed']}, of the seeds the one with the lowest loss on its validation curves) "
            "generates along each axis from -2.5 to 2.5, the others at zero; coloured by the mean "
            "W of the held-out curves nearest to each point.",
        )
    return found
