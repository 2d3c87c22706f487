"""Measurements that a design chooses among: pulse angles, alone or one after another."""

import re
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from latent_nmr.errors import InputError, check_number

# What the posterior was trained on, degrees.
LEAST_ANGLE, MOST_ANGLE = 30.0, 150.0
MOST_CANDIDATES = 200


class Candidate(NamedTuple):
    """One echo, or several between which the measuring time is divided evenly.

    Attributes
    ----------
    flip_angles_deg : tuple of float
        θ of the first pulse of each echo, the second being 2θ.
    """

    flip_angles_deg: tuple[float, ...]

    @property
    def name(self) -> str:
        """As it is written: 60, or 60+120."""
        return "+".join(f"{angle:g}" for angle in self.flip_angles_deg)


def parse_candidates(texts: Iterable[str] | str) -> list[Candidate]:
    """Candidates as they are written.

    Parameters
    ----------
    texts : str or iterable of str
        `theta 30:150:10` are echoes of every tenth degree from 30° to 150°, `theta 60 90` those
        two, `pair 30:80:10` are θ and 180° - θ one after the other, and `theta 60+120` any several.

    Returns
    -------
    list of Candidate
        Without repetitions, in the order of the text.

    Raises
    ------
    InputError
        For a text that says no angles, or angles beyond 30° to 150°.

    Examples
    --------
    >>> from latent_nmr.studies.design import parse_candidates
    >>> [c.name for c in parse_candidates(["theta 30:60:15", "pair 60"])]
    ['30', '45', '60', '60+120']
    """
    found: list[Candidate] = []
    for text in [texts] if isinstance(texts, str) else texts:
        kind, *entries = str(text).split()
        if kind not in ("theta", "pair") or not entries:
            raise _refusal(text)
        for entry in entries:
            for angles in _angles(entry, text):
                both = (angles[0], 180 - angles[0]) if kind == "pair" else angles
                candidate = Candidate(tuple(_checked(angle) for angle in both))
                if candidate not in found:
                    found.append(candidate)
    if not 1 <= len(found) <= MOST_CANDIDATES:
        raise InputError(
            f"candidates must be 1 to {MOST_CANDIDATES}, but are {len(found)}. Name others."
        )
    return found


def as_candidates(candidates: Iterable[str | Candidate] | str | Candidate) -> list[Candidate]:
    """Candidates that are read, in place of texts."""
    given = [candidates] if isinstance(candidates, str | Candidate) else list(candidates)
    ready = [own for own in given if isinstance(own, Candidate)]
    return ready if given and len(ready) == len(given) else parse_candidates(map(str, given))


def _angles(entry: str, text: str) -> list[tuple[float, ...]]:
    """Angles of one entry: 60, 60+120, or 30:150:10."""
    number = r"\d+(?:\.\d*)?"
    if re.fullmatch(rf"{number}(\+{number})*", entry):
        return [tuple(float(part) for part in entry.split("+"))]
    if not re.fullmatch(rf"{number}:{number}:{number}", entry):
        raise _refusal(text)
    first, last, step = (float(part) for part in entry.split(":"))
    if step == 0 or last < first or (last - first) / step > MOST_CANDIDATES:
        raise _refusal(text)
    # A millionth of a step beyond the end is the end.
    return [(float(angle),) for angle in np.arange(first, last + 1e-6 * step, step)]


def _checked(angle: float) -> float:
    return check_number("θ", angle, at_least=LEAST_ANGLE, at_most=MOST_ANGLE, unit="°")


def _refusal(text: str) -> InputError:
    return InputError(
        "candidates must be written as 'theta FIRST:LAST:STEP', 'theta ANGLE …' or 'pair …', with "
        f"angles in degrees, but one is {text!r}. Write 'theta 30:150:10'."
    )
