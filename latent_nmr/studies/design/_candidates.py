"""Measurements that a design chooses among: pulse angles, alone or one after another, and τ."""

import re
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from latent_nmr.errors import InputError, check_number
from latent_nmr.physics.protocols import Protocol, sequences_of
from latent_nmr.physics.sequence import Sequence

# What the posterior was trained on, degrees.
LEAST_ANGLE, MOST_ANGLE = 30.0, 150.0
# µs: from about the decay of the line on, and to records of five times the usual length.
LEAST_TAU, MOST_TAU = 10.0, 500.0
MOST_CANDIDATES = 200
TAU, AT = "tau", "at"
KINDS = ("theta", "pair", TAU)


class Candidate(NamedTuple):
    """One echo, or several between which the measuring time is divided evenly.

    Attributes
    ----------
    flip_angles_deg : tuple of float
        θ of the first pulse of each echo, the second being 2θ.
    tau_us : float, optional
        τ of all of them, µs; None is that of the preset.
    """

    flip_angles_deg: tuple[float, ...]
    tau_us: float | None = None

    @property
    def name(self) -> str:
        """As it is written: 60, or 60+120, or 90:50 with τ in µs."""
        angles = "+".join(f"{angle:g}" for angle in self.flip_angles_deg)
        return angles if self.tau_us is None else f"{angles}:{self.tau_us:g}"

    @classmethod
    def of_name(cls, name: str) -> "Candidate":
        """The candidate that is written so."""
        angles, _, tau = name.partition(":")
        return cls(tuple(map(float, angles.split("+"))), float(tau) if tau else None)

    def sequences(self, usual: Sequence, flip_error: float = 0.0) -> list[Sequence]:
        """Pulses of each echo, recorded as far beyond it as the usual ones are."""
        protocols = [
            Protocol(angle * (1 + flip_error), self.tau_us) for angle in self.flip_angles_deg
        ]
        return [sequences_of([own], usual)[0] for own in protocols]

    def has_spacing_of(self, usual: Sequence) -> bool:
        """Whether τ is that of the usual pulses, to a sample."""
        return self.sequences(usual)[0].segments == usual.segments


def parse_candidates(texts: Iterable[str] | str) -> list[Candidate]:
    """Candidates as they are written.

    Parameters
    ----------
    texts : str or iterable of str
        `theta 30:150:10` are echoes of every tenth degree from 30° to 150°, `theta 60 90` those
        two, `pair 30:80:10` are θ and 180° - θ one after the other, and `theta 60+120` any several.
        `tau 50:150:25` are spacings of the pulses from 50 to 150 µs at 90°, and `tau 50 at 60`
        is one at 60°.

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
    >>> [c.name for c in parse_candidates(["theta 30:60:15", "pair 60", "tau 50 at 60"])]
    ['30', '45', '60', '60+120', '60:50']
    """
    found: list[Candidate] = []
    for text in [texts] if isinstance(texts, str) else texts:
        found += [own for own in _candidates(str(text)) if own not in found]
    if not 1 <= len(found) <= MOST_CANDIDATES:
        raise InputError(
            f"candidates must be 1 to {MOST_CANDIDATES}, but are {len(found)}. Name others."
        )
    return found


def as_candidates(candidates: Iterable[str | Candidate] | str | Candidate) -> list[Candidate]:
    """Candidates that are read, in place of texts."""
    if not isinstance(candidates, Iterable | Candidate):
        raise InputError(
            f"candidates must be texts such as 'theta 30:150:10', but are {candidates!r:.60}. "
            "Write them so."
        )
    given = [candidates] if isinstance(candidates, str | Candidate) else list(candidates)
    ready = [own for own in given if isinstance(own, Candidate)]
    return ready if given and len(ready) == len(given) else parse_candidates(map(str, given))


def _candidates(text: str) -> list[Candidate]:
    """Those of one text."""
    kind, *entries = text.split() or [""]
    if kind not in KINDS or not entries:
        raise _refusal(text)
    taus: list[float | None] = [None]
    if kind == TAU:
        place = entries.index(AT) if AT in entries else len(entries)
        taus = [_tau(own, text) for entry in entries[:place] for own in _numbers(entry, text)]
        entries = entries[place + 1 :] if AT in entries else ["90"]
    found: list[Candidate] = []
    for angles in (own for entry in entries for own in _numbers(entry, text)):
        both = (angles[0], 180 - angles[0]) if kind == "pair" else angles
        found += [Candidate(tuple(map(_angle, both)), tau) for tau in taus]
    if not found:
        raise _refusal(text)
    return list(dict.fromkeys(found))


def _numbers(entry: str, text: str) -> list[tuple[float, ...]]:
    """Numbers of one entry: 60, 60+120, or 30:150:10."""
    number = r"\d+(?:\.\d*)?"
    if re.fullmatch(rf"{number}(\+{number})*", entry):
        return [tuple(float(part) for part in entry.split("+"))]
    if not re.fullmatch(rf"{number}:{number}:{number}", entry):
        raise _refusal(text)
    first, last, step = (float(part) for part in entry.split(":"))
    if step == 0 or last < first or (last - first) / step > MOST_CANDIDATES:
        raise _refusal(text)
    # A millionth of a step beyond the end is the end.
    return [(float(own),) for own in np.arange(first, last + 1e-6 * step, step)]


def _angle(angle: float) -> float:
    return check_number("θ", angle, at_least=LEAST_ANGLE, at_most=MOST_ANGLE, unit="°")


def _tau(numbers: tuple[float, ...], text: str) -> float:
    if len(numbers) != 1:
        raise _refusal(text)
    return check_number("τ", numbers[0], at_least=LEAST_TAU, at_most=MOST_TAU, unit="µs")


def _refusal(text: str) -> InputError:
    return InputError(
        "candidates must be written as 'theta FIRST:LAST:STEP', 'theta ANGLE …', 'pair …' or "
        "'tau … at ANGLE', with angles in degrees and τ in µs, but one is "
        f"{text!r}. Write 'theta 30:150:10'."
    )
