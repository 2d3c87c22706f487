"""What a table of scores says, in sentences: each method beside the β-VAE, and the paper's claim.

"Above" and "below by more than the spread" follow the rule of `latent_nmr.report._score_words`:
the difference exceeds the sum of both standard deviations over seeds. Shuffled labels are *at
chance* if their mean is within three standard deviations over seeds of the score expected of them;
three deviations and not three of the mean, because five seeds estimate a deviation to a third
and there are many scores.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from latent_nmr.analysis.score_names import CLASSIFICATION, HEADLINES
from latent_nmr.report._claim import judge, usual_dimension
from latent_nmr.report._score_words import (
    LEVEL,
    Difference,
    axes,
    capital,
    cell_of,
    coordinates,
    difference,
    in_words,
    listed,
    noun,
    owner,
    short,
    text_of,
)
from latent_nmr.report.score_table import Row

# Compared where there are no labels to score.
LABEL_FREE = ("rms", "trustworthiness", "continuity")
FLOOR_DEVIATIONS = 3.0


@dataclass(frozen=True)
class Verdict:
    """A paragraph of the result.

    Attributes
    ----------
    method : str
        One of `METHOD_TITLES`, or "claim".
    n_components : int or None
        The dimension that the paragraph is mainly about.
    sentences : tuple of str
    text : str
        All of them.
    """

    method: str
    n_components: int | None
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        """The sentences as a paragraph."""
        return " ".join(self.sentences)


def verdicts(rows: Sequence[Row], expected_floor: Mapping[str, float]) -> list[Verdict]:
    """Say what the rows say: of the paper's claim, of every method, of shuffled labels.

    A difference counts if it exceeds the sum of both standard deviations over seeds ("by more than
    the spread"). Methods are compared at equal dimension, mainly at two, the paper's own.

    Parameters
    ----------
    rows : sequence of Row
    expected_floor : mapping of float
        By score, what shuffled labels are expected to give.

    Returns
    -------
    list of Verdict
        The claim first, then methods in the order of their rows, the floor last.
    """
    found = [Verdict("claim", *judge(rows, expected_floor))]
    methods = dict.fromkeys(row.method for row in rows if row.role == "method")
    found.extend(_method_verdict(rows, method, expected_floor) for method in methods)
    floors = [row for row in rows if row.role == "floor"]
    text = _floor_words(floors, expected_floor)
    if text:
        found.append(Verdict(floors[0].method, usual_dimension(floors), (text,)))
    return found


def _method_verdict(
    rows: Sequence[Row], method: str, expected_floor: Mapping[str, float]
) -> Verdict:
    """The paragraph of one method."""
    own = [row for row in rows if (row.role, row.method) == ("method", method)]
    vae = {row.n_components: row for row in rows if (row.role, row.method) == ("method", "vae")}
    rival = method != "vae"
    shared = [row for row in own if row.n_components in vae] if rival else []
    n_components = usual_dimension(shared or own)
    row = next(row for row in own if row.n_components == n_components)
    names = [name for name in HEADLINES if cell_of(row, name)]
    sentences = []
    if not names:
        sentences.append(_unlabelled(row))
        names = [name for name in LABEL_FREE if cell_of(row, name)]
    other = vae.get(n_components) if rival else None
    differences = {name: difference(row, other, name) for name in names}
    known = {name: found for name, found in differences.items() if found is not None}
    alone = [name for name in names if name not in known]
    if known:
        sentences.append(_comparison(row, known, expected_floor))
    if alone:
        sentences.append(_values(row, alone, expected_floor, is_first=not known))
    if rival and vae and other is None:
        sentences.append(f"There is no β-VAE with {axes(n_components or 0)} to compare with.")
    sentences.append(_share_of_ceiling(row, rows, expected_floor))
    sentences.append(_missing_spread(row, other, known))
    others = [found for found in shared if found is not row]
    sentences.append(_other_dimensions(others, vae))
    if not rival:
        sentences.append(_active_axes(own))
    return Verdict(method, n_components, tuple(filter(None, sentences)))


def _unlabelled(row: Row) -> str:
    """Say that there is nothing to say of labels."""
    has, n_components = _verb("have", row), row.n_components or 0
    names = listed([short(name) for name in HEADLINES])
    return f"{capital(coordinates(row.method, n_components))} {has} no score of {names}."


def _verb(plural: str, row: Row) -> str:
    """A verb for the coordinates of a row."""
    singular = {"have": "has", "are": "is", "reach": "reaches", "they reach": "it reaches"}
    return singular[plural] if row.n_components == 1 else plural


def _comparison(
    row: Row, differences: Mapping[str, Difference], expected_floor: Mapping[str, float]
) -> str:
    """Every score beside that of the β-VAE, by the side it is on."""
    sides: dict[str, list[str]] = {}
    for name, found in differences.items():
        ratio = "" if found.ratio is None else f", ratio {found.ratio:.2f}"
        texts = f"{text_of(found.ours, name)} against {text_of(found.theirs, name)}"
        score = f"{noun(name)} ({texts}{ratio}{_chance(name, expected_floor)})"
        sides.setdefault(found.words, []).append(score)
    parts = [f"{words} in {listed(scores)}" for words, scores in sides.items()]
    n_components = row.n_components or 0
    return (
        f"Beside the β-VAE's {axes(n_components)}, {coordinates(row.method, n_components)} "
        f"{_verb('are', row)} {'; '.join(parts)}."
    )


def _chance(score: str, expected_floor: Mapping[str, float]) -> str:
    """What chance gives, for scores whose ratio is misleading because that is not zero."""
    if score not in CLASSIFICATION or score not in expected_floor:
        return ""
    return f", chance {expected_floor[score]:.2f}"


def _values(
    row: Row, names: Sequence[str], expected_floor: Mapping[str, float], *, is_first: bool
) -> str:
    """Scores that there is nothing to compare with."""
    parts = []
    for name in names:
        cell = cell_of(row, name)
        assert cell is not None
        chance = _chance(name, expected_floor).replace(", ", "", 1)
        parts.append(f"{noun(name)} {text_of(cell, name)}{f' ({chance})' if chance else ''}")
    if not is_first:
        return f"Without a score of the β-VAE: {listed(parts)}."
    reach = _verb("reach", row)
    return f"{capital(coordinates(row.method, row.n_components or 0))} {reach} {listed(parts)}."


def _share_of_ceiling(row: Row, rows: Sequence[Row], expected_floor: Mapping[str, float]) -> str:
    """How much of what the curves give the coordinates keep."""
    forests = (row for row in rows if row.role == "ceiling" and row.n_components is None)
    ceiling = next(forests, None)
    if ceiling is None:
        return ""
    whose = " of the random forest's" if ceiling.method == "forest" else " of the ceiling's"
    parts = []
    for name in HEADLINES:
        found = difference(row, ceiling, name)
        if found is not None and found.ratio is not None:
            theirs = f"{found.theirs.mean:.3f}{_chance(name, expected_floor)}"
            parts.append(f"{100 * found.ratio:.0f} %{whose} {noun(name)} ({theirs})")
            whose = " of its"
    return f"{capital(_verb('they reach', row))} {listed(parts)}." if parts else ""


def _missing_spread(row: Row, other: Row | None, differences: Mapping[str, Difference]) -> str:
    """Say where the spread is not known, or known of one side only."""
    if other is None or not differences:
        return ""
    n_ours = min(len(found.ours.values) for found in differences.values())
    n_theirs = min(len(found.theirs.values) for found in differences.values())
    if max(n_ours, n_theirs) == 1:
        return "Of one seed there is no spread to hold these differences against."
    if min(n_ours, n_theirs) > 1:
        return ""
    single, several = (row, other) if n_ours == 1 else (other, row)
    why = "is deterministic" if single.method == "pca" else "has one seed"
    which = f"so the spread is that of {owner(several.method)} alone."
    return f"{capital(owner(single.method))} {why}, {which}"


def _other_dimensions(others: Sequence[Row], vae: Mapping[int | None, Row]) -> str:
    """On which side of the β-VAE a method is, in a few words per dimension."""
    parts = []
    for row in others:
        sides: dict[str, list[str]] = {}
        for name in HEADLINES:
            found = difference(row, vae[row.n_components], name)
            if found is not None:
                level = "within the spread" if found.has_spread else "equal"
                side = level if found.side == LEVEL else found.side
                sides.setdefault(side, []).append(short(name))
        if sides:
            words = ", ".join(f"{side} in {_all_or(names)}" for side, names in sides.items())
            parts.append(f"with {axes(row.n_components or 0)} {words}")
    return f"At other dimensions, beside the β-VAE's: {'; '.join(parts)}." if parts else ""


def _all_or(names: Sequence[str]) -> str:
    """Scores of one dimension in a list."""
    return f"all {in_words(len(names))}" if len(names) == len(HEADLINES) else listed(names)


def _active_axes(own: Sequence[Row]) -> str:
    """How many of its axes a VAE uses."""
    cells = {row.n_components or 0: cell_of(row, "active_axes") for row in own}
    parts = [
        f"{text_of(cell, 'active_axes')} of {in_words(n_components)}"
        for n_components, cell in cells.items()
        if cell is not None
    ]
    return f"Active axes: {', '.join(parts)}." if parts else ""


def _floor_words(floors: Sequence[Row], expected_floor: Mapping[str, float]) -> str:
    """Whether shuffled labels are at chance."""
    strays, singles, n_scores = [], 0, 0
    for row in floors:
        for name in HEADLINES:
            cell, chance = cell_of(row, name), expected_floor.get(name)
            if cell is None or chance is None:
                continue
            n_scores += 1
            singles += len(cell.values) == 1
            if abs(cell.mean - chance) > FLOOR_DEVIATIONS * cell.deviation:
                where = f" with {axes(row.n_components)}" if row.n_components else ""
                strays.append(f"{noun(name)}{where} {text_of(cell, name)}, expected {chance:.3f}")
    if not n_scores:
        return ""
    if singles == n_scores:
        return (
            "Shuffled labels have one seed, so no spread says whether they are at chance: "
            f"{'; '.join(strays) or 'they give what is expected'}."
        )
    rule = "within three standard deviations over seeds"
    if not strays:
        return f"Shuffled labels are at chance, {rule}, in all {n_scores} scores looked at."
    return (
        f"Shuffled labels are not at chance, {rule}, in {len(strays)} of {n_scores} scores: "
        f"{'; '.join(strays)}. What is no better than these is no finding."
    )
