"""Tables of challenges as Markdown, of results kept as JSON; docs/challenge.md shows them.

Edition, offsets and number of curves are what each result says of itself: the names of the files
say nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from latent_nmr.report.cells import cell
from latent_nmr.report.challenge import TITLES
from latent_nmr.report.markdown import markdown
from latent_nmr.report.probe_tables import TARGET_TITLES

FROZEN, INDEPENDENT = "frozen", "independent"

Result = Mapping[str, Any]


def challenge_tables(results: Sequence[Result]) -> Iterator[str]:
    """Every table of docs/challenge.md that some kept challenges can fill.

    Parameters
    ----------
    results : sequence of mapping
        Contents of `challenge.json`, in any order. Of an edition, that with the fewest curves of
        independent offsets is the usual one, beside which one of frozen offsets and those of more
        curves are set.
    """
    editions = sorted({result["edition"] for result in results})
    own = {edition: _of(results, edition, INDEPENDENT) for edition in editions}
    usual = {edition: found[0] for edition, found in own.items() if found}
    for edition, result in usual.items():
        frozen = _of(results, edition, FROZEN)
        yield challenge(result, frozen[0] if frozen else None)
    for result in usual.values():
        if "by_angle" in result:
            yield angles(result)
    for edition, result in usual.items():
        yield from (large(many, result) for many in own[edition][1:])


def _of(results: Sequence[Result], edition: str, line_draw: str) -> list[Result]:
    """Results of an edition and a way to draw offsets, those of few curves first."""
    facts = (edition, line_draw)
    found = [one for one in results if (one["edition"], one["line_draw"]) == facts]
    return sorted(found, key=lambda one: one["n_curves"])


def challenge(own: Result, frozen: Result | None) -> str:
    """Mean squared standardised errors of one edition."""
    names = [*own["targets"], "mean", "sum"]
    if "score_2020" in own["rows"][0]["scores"]:
        names.append("score_2020")
    heads = ["", "published", *(n.replace("score_2020", "score of 2020") for n in names)]
    heads += ["evaluation part"] * ("evaluation" in own["rows"][0])
    heads += ["frozen line", "fitted to a frozen line, scored on others"] * (frozen is not None)
    rows = []
    for row in own["rows"]:
        model = row["model"]
        known = str(own["published"].get(model, ""))
        texts = [TITLES[model], known]
        texts += [cell(row["scores"][n if n == "score_2020" else f"mse_{n}"]) for n in names]
        if "evaluation" in own["rows"][0]:
            texts.append(cell(row["evaluation"]["mse_mean"]) if "evaluation" in row else "")
        if frozen is not None:
            twin = next((r for r in frozen["rows"] if r["model"] == model), None)
            texts.append(cell(twin["scores"]["mse_mean"]) if twin else "")
            elsewhere = next(iter(twin["others"].values()), None) if twin else None
            texts.append(cell(elsewhere["mse_mean"]) if elsewhere else "")
        rows.append(texts)
    return markdown(heads, rows)


def large(result: Result, usual: Result) -> str:
    """Mean errors of many curves, beside those of the usual number."""
    few = {row["model"]: row for row in usual["rows"]}
    rows = []
    for row in result["rows"]:
        scores = [few[row["model"]]["scores"], row["scores"], row.get("evaluation")]
        cells = [cell(found["mse_mean"]) if found else "" for found in scores]
        rows.append([TITLES[row["model"]], *cells])
    counts = [result["n_curves"], result["n_evaluation"]]
    return markdown(
        ["", f"{usual['n_curves']} curves", f"{counts[0]} curves", f"{counts[1]} to submit"], rows
    )


def angles(result: Result) -> str:
    """R² of the couplings in bins of the pulse angle."""
    edges = result["by_angle"]["edges_deg"]
    rows = [
        [f"{TARGET_TITLES[target]}, {TITLES[model]}", *map(_r2_text, values)]
        for target, by_model in result["by_angle"]["r2"].items()
        for model, values in by_model.items()
    ]
    ends = pairwise(edges)
    return markdown(["R² within a bin of θ", *(f"{a:.0f}° to {b:.0f}°" for a, b in ends)], rows)


def _r2_text(value: float | None) -> str:
    """R² within a bin; nothing for one without curves, or with one value of the target only."""
    return "" if value is None else f"{value:.3f}"
