"""The paper's claim, held against a table of scores.

A. Rao et al., Phys. Rev. Research 5, 043098 (2023): a VAE finds W, L and the kernel where PCA and
K-means fail. To *fail* at a score is here to be no better than shuffled labels: not above them by
more than three of their deviations over seeds and one of the method's own.
"""

from collections.abc import Mapping, Sequence

from latent_nmr.analysis._score_words import (
    ABOVE,
    BELOW,
    LEVEL,
    SPREAD_RULE,
    axes,
    capital,
    cell_of,
    difference,
    listed,
    owner,
    short,
    subject,
    text_of,
)
from latent_nmr.analysis.score_table import Row, find_row

CLAIM = (
    "The claim that a VAE finds W, L and the kernel where PCA and K-means fail "
    "(A. Rao et al., Phys. Rev. Research 5, 043098 (2023))"
)
CLAIMED = ("r2_W", "r2_L", "f1_macro")
RIVALS = ("pca", "kmeans")
PAPER_DIMENSION = 2
CHANCE_DEVIATIONS = 3.0
FAILS, BOTH_FAIL = "fails", "both fail"


def usual_dimension(rows: Sequence[Row]) -> int | None:
    """The dimension to speak of first: the paper's two, else the least."""
    found = [row.n_components for row in rows if row.n_components is not None]
    return PAPER_DIMENSION if PAPER_DIMENSION in found else min(found, default=None)


def claim_words(rows: Sequence[Row], expected_floor: Mapping[str, float]) -> tuple[int | None, str]:
    """The dimension at which the claim is judged, and the judgement."""
    of_vae = [row.n_components for row in rows if (row.role, row.method) == ("method", "vae")]
    if not of_vae:
        return None, f"{CLAIM} cannot be judged here: there is no β-VAE among the methods."
    rivals = [
        row
        for row in rows
        if row.role == "method" and row.method in RIVALS and row.n_components in of_vae
    ]
    n_components = usual_dimension(rivals)
    if n_components is None:
        reason = "neither PCA nor K-means is there at a dimension of the β-VAE"
        return None, f"{CLAIM} cannot be judged here: {reason}."
    rivals = [row for row in rivals if row.n_components == n_components]
    vae = find_row(rows, "vae", n_components)
    assert vae is not None
    floor = next(
        (row for row in rows if (row.role, row.n_components) == ("floor", n_components)), None
    )
    outcomes = {
        row.method: {
            name: outcome
            for name in CLAIMED
            if (outcome := _outcome(row, vae, name, floor, expected_floor))
        }
        for row in rivals
    }
    if not any(outcomes.values()):
        return n_components, f"{CLAIM} cannot be judged here: W, L and the kernel have no score."
    sentences = [f"{CLAIM} {_judgement(outcomes)} with {axes(n_components)}."]
    sentences += [
        _rival_words(row, vae, found) for row in rivals if (found := outcomes[row.method])
    ]
    sentences += [_absent(outcomes), SPREAD_RULE]
    return n_components, " ".join(filter(None, sentences))


def is_at_chance(
    row: Row, score: str, floor: Row | None, expected_floor: Mapping[str, float]
) -> bool | None:
    """Whether a score is no better than that of shuffled labels; None where that is not known."""
    cell, chance = cell_of(row, score), cell_of(floor, score)
    if cell is None:
        return None
    if chance is not None:
        margin = CHANCE_DEVIATIONS * chance.deviation + cell.deviation
        return cell.mean <= chance.mean + margin
    expected = expected_floor.get(score)
    return None if expected is None else cell.mean <= expected + cell.deviation


def _outcome(
    row: Row, vae: Row, score: str, floor: Row | None, expected_floor: Mapping[str, float]
) -> str:
    """How a rival does at a score: fails where the VAE does not, or its side of the VAE."""
    found = difference(row, vae, score)
    if found is None:
        return ""
    if is_at_chance(row, score, floor, expected_floor):
        return BOTH_FAIL if is_at_chance(vae, score, floor, expected_floor) else FAILS
    return found.side


def _judgement(outcomes: Mapping[str, Mapping[str, str]]) -> str:
    """Whether the claim holds."""
    seen = {outcome for found in outcomes.values() for outcome in found.values()}
    if seen == {FAILS}:
        return "holds on these data"
    if FAILS in seen:
        return "holds in part on these data"
    if seen == {BELOW}:
        return "holds on these data in degree only"
    return "does not hold on these data"


def _rival_words(row: Row, vae: Row, outcomes: Mapping[str, str]) -> str:
    """What a rival does at every score."""
    found = {name: difference(row, vae, name) for name in outcomes}
    spread = " by more than the spread" if any(d and d.has_spread for d in found.values()) else ""
    is_one = row.n_components == 1
    fail, they_are, are = ("fails", "it is", "is") if is_one else ("fail", "they are", "are")
    failures, sides = [], []
    for outcome, words in {
        FAILS: f"{fail} at {{}} where the β-VAE does not",
        BOTH_FAIL: f"{fail} at {{}} as the β-VAE does",
        BELOW: f"below the β-VAE{spread} in {{}}",
        LEVEL: f"{'within the spread of' if spread else 'equal to'} the β-VAE in {{}}",
        ABOVE: f"above the β-VAE{spread} in {{}}",
    }.items():
        names = [name for name, seen in outcomes.items() if seen == outcome]
        if names:
            part = words.format(listed([_beside(row, vae, name) for name in names]))
            (failures if outcome in (FAILS, BOTH_FAIL) else sides).append(part)
    if not failures:
        middle = f"{fail} at none of these: {they_are} {listed(sides)}"
    else:
        middle = listed([*failures, *([f"{are} {listed(sides)}"] if sides else [])])
    return f"{subject(row.method, row.n_components or 0)} {middle}."


def _beside(row: Row, vae: Row, score: str) -> str:
    """A score of a rival with that of the VAE."""
    found = difference(row, vae, score)
    assert found is not None
    ours, theirs = text_of(found.ours, score), text_of(found.theirs, score)
    return f"{short(score)} ({ours} against {theirs})"


def _absent(outcomes: Mapping[str, Mapping[str, str]]) -> str:
    """Say which rivals and which scores the judgement does without."""
    parts = [f"{owner(method)} is not among the methods" for method in RIVALS]
    parts = [p for p, method in zip(parts, RIVALS, strict=True) if method not in outcomes]
    scored = {name for found in outcomes.values() for name in found}
    missing = [short(name) for name in CLAIMED if name not in scored]
    if missing:
        parts.append(f"there is no score of {listed(missing)}")
    if not parts:
        return ""
    return f"{capital(listed(parts))}, so this part of it is open."
