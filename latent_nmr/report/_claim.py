"""The paper's claim, held against a table of scores.

A. Rao et al., Phys. Rev. Research 5, 043098 (2023): a VAE finds W, L and the kernel where PCA and
K-means fail. To *fail* at a score is here to be no better than shuffled labels: not above them by
more than three of their deviations over seeds and one of the method's own.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from latent_nmr.report._score_words import (
    ABOVE,
    BELOW,
    LEVEL,
    SPREAD_RULE,
    axes,
    capital,
    cell_of,
    coordinates,
    difference,
    listed,
    owner,
    short,
    text_of,
)
from latent_nmr.report.score_table import Row, find_row

CLAIM = (
    "The claim that a VAE finds W, L and the kernel where PCA and K-means fail "
    "(A. Rao et al., Phys. Rev. Research 5, 043098 (2023))"
)
CLAIMED = ("r2_W", "r2_L", "f1_macro")
RIVALS = ("pca", "kmeans")
PAPER_DIMENSION = 2
CHANCE_DEVIATIONS = 3.0
SINGLE_SEEDS = "These are single seeds: what another would give is not known."
FAILS, BOTH_FAIL = "fails", "both fail"


def usual_dimension(rows: Sequence[Row]) -> int | None:
    """The dimension to speak of first: the paper's two, else the least."""
    found = [row.n_components for row in rows if row.n_components is not None]
    return PAPER_DIMENSION if PAPER_DIMENSION in found else min(found, default=None)


def judge(
    rows: Sequence[Row], expected_floor: Mapping[str, float]
) -> tuple[int | None, tuple[str, ...]]:
    """The dimension at which the claim is judged, and the judgement in sentences."""
    of_vae = [row.n_components for row in rows if (row.role, row.method) == ("method", "vae")]
    if not of_vae:
        return None, (f"{CLAIM} cannot be judged here: there is no β-VAE among the methods.",)
    rivals = [
        row
        for row in rows
        if row.role == "method" and row.method in RIVALS and row.n_components in of_vae
    ]
    n_components = usual_dimension(rivals)
    if n_components is None:
        reason = "neither PCA nor K-means is there at a dimension of the β-VAE"
        return None, (f"{CLAIM} cannot be judged here: {reason}.",)
    vae = find_row(rows, "vae", n_components)
    assert vae is not None
    floors = (row for row in rows if (row.role, row.n_components) == ("floor", n_components))
    chance = Chance(next(floors, None), expected_floor)
    contests = [Contest(row, vae, chance) for row in rivals if row.n_components == n_components]
    contests = [contest for contest in contests if contest.outcomes]
    if not contests:
        return None, (f"{CLAIM} cannot be judged here: W, L and the kernel have no score.",)
    judgement = _judgement([name for found in contests for name in found.outcomes.values()])
    sentences = [f"{CLAIM} {judgement} with {axes(n_components)}."]
    sentences += [contest.words for contest in contests]
    sentences.append(_absent(contests))
    if not all(contest.knows_chance for contest in contests):
        sentences.append("Of a score without shuffled labels nobody can be said to fail.")
    has_spread = any(contest.has_spread for contest in contests)
    sentences.append(SPREAD_RULE if has_spread else SINGLE_SEEDS)
    return n_components, tuple(filter(None, sentences))


class Chance(NamedTuple):
    """What shuffled labels give: measured, or expected where that is missing."""

    floor: Row | None
    expected: Mapping[str, float]

    def explains(self, row: Row, score: str) -> bool | None:
        """Whether a score is no better than that of shuffled labels; None if it is not known."""
        cell, floor = cell_of(row, score), cell_of(self.floor, score)
        if cell is None:
            return None
        if floor is not None:
            margin = CHANCE_DEVIATIONS * floor.deviation + cell.deviation
            return cell.mean <= floor.mean + margin
        expected = self.expected.get(score)
        return None if expected is None else cell.mean <= expected + cell.deviation


class Contest:
    """A rival and the β-VAE at one dimension.

    Attributes
    ----------
    outcomes : dict of str
        By score that both have.
    knows_chance : bool
        Of every such score.
    has_spread : bool
    words : str
    """

    def __init__(self, row: Row, vae: Row, chance: Chance):
        self.row = row
        found = {name: difference(row, vae, name) for name in CLAIMED}
        self.differences = {name: both for name, both in found.items() if both is not None}
        self.knows_chance = all(chance.explains(row, name) is not None for name in self.differences)
        self.has_spread = any(both.has_spread for both in self.differences.values())
        self.outcomes = {name: both.side for name, both in self.differences.items()}
        for name in self.outcomes:
            if chance.explains(row, name):
                self.outcomes[name] = BOTH_FAIL if chance.explains(vae, name) else FAILS

    @property
    def words(self) -> str:
        """What the rival does at every score."""
        spread = " by more than the spread" if self.has_spread else ""
        failures = [
            f"at {scores} {end}"
            for outcome, end in (
                (FAILS, "where the β-VAE does not"),
                (BOTH_FAIL, "as the β-VAE does"),
            )
            if (scores := self._scores(outcome))
        ]
        sides = [
            f"{where} the β-VAE{how} in {scores}"
            for outcome, where, how in (
                (BELOW, "below", spread),
                (LEVEL, "within the spread of" if spread else "equal to", ""),
                (ABOVE, "above", spread),
            )
            if (scores := self._scores(outcome))
        ]
        n_components = self.row.n_components or 0
        fail, they, are = ("fails", "it", "is") if n_components == 1 else ("fail", "they", "are")
        parts = [f"{fail} {listed(failures)}"] if failures else []
        if sides:
            parts.append(f"{are} {listed(sides)}")
        if not failures and self.knows_chance:
            parts = [f"{fail} at none of these: {they} {parts[0]}"]
        return f"{capital(coordinates(self.row.method, n_components))} {listed(parts)}."

    def _scores(self, outcome: str) -> str:
        """Scores of an outcome, each with both values."""
        return listed(
            [
                f"{short(name)} ({text_of(both.ours, name)} against {text_of(both.theirs, name)})"
                for name, both in self.differences.items()
                if self.outcomes[name] == outcome
            ]
        )


def _judgement(outcomes: Sequence[str]) -> str:
    """Whether the claim holds."""
    if set(outcomes) == {FAILS}:
        return "holds on these data"
    if FAILS in outcomes:
        return "holds in part on these data"
    if set(outcomes) == {BELOW}:
        return "holds on these data in degree only"
    return "does not hold on these data"


def _absent(contests: Sequence[Contest]) -> str:
    """Say which rivals and which scores the judgement does without."""
    there = {contest.row.method for contest in contests}
    parts = [
        f"{owner(name)} has no such scores at this dimension"
        for name in RIVALS
        if name not in there
    ]
    scored = {name for contest in contests for name in contest.outcomes}
    missing = [short(name) for name in CLAIMED if name not in scored]
    if missing:
        parts.append(f"there is no score of {listed(missing)}")
    return f"{capital(listed(parts))}, so this part of it is open." if parts else ""
