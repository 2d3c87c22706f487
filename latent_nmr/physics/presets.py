"""Published data sets as distributions: what is fixed, and the law its curves are drawn from.

`paper` is the set of A. Rao et al., Phys. Rev. Research 5, 043098 (2023), [P]; the others are
those of the ML4SCI hackathon's NMR challenge. Where the text of a source and its data disagree, the
data are followed: docs/presets.md lists these discrepancies.
"""

import math
from dataclasses import dataclass

from latent_nmr.errors import check_choice
from latent_nmr.physics.line import Line
from latent_nmr.physics.parameters import (
    Challenge2020Law,
    Challenge2021Law,
    FlipAngleLaw,
    Law,
    UniformLaw,
)
from latent_nmr.physics.protocols import Protocol
from latent_nmr.physics.sequence import Sequence, spin_echo


@dataclass(frozen=True)
class Preset:
    """A data set: lattice, line, sequence, and the law its curves are drawn from.

    Attributes
    ----------
    name : str
    n_edge : int
    line : Line
    sequence : Sequence
        The first, where there are several.
    law : Law
    protocols : tuple of Protocol
        Where a data set has more than one echo of each material.
    sequences : tuple of Sequence
        One for each protocol, or the one there is.
    """

    name: str
    n_edge: int
    line: Line
    sequence: Sequence
    law: Law
    protocols: tuple[Protocol, ...] = ()
    sequences: tuple[Sequence, ...] = ()


# [P] records one sample per 1/(2π) µs. The challenge records half as many, and its line is cut
# at half the width.
_PAPER_ECHO = spin_echo(dt=1 / (2 * math.pi), pulse_spacing=628, n_samples=1882)
_PAPER_LAW = UniformLaw(
    kernel_ranges={"gaussian": (8.0, 32.0), "power": (1.0, 3.0), "rkky": (13.0, 52.0)},
    coupling_range=(0.01, 0.1),
    strength_range=(0.1, 0.3),
)
_CHALLENGE_ECHO = spin_echo(dt=2 / (2 * math.pi), pulse_spacing=157, n_samples=471)
_CHALLENGE_LINE = Line(fwhm=0.05, cutoff=0.25)

PRESETS = {
    preset.name: preset
    for preset in (
        Preset(
            "paper",
            100,
            Line(fwhm=0.05, cutoff=0.5),
            _PAPER_ECHO,
            _PAPER_LAW,
        ),
        # Away from 90° a magnetisation stays along z and turns the phase of M by α_z.
        Preset(
            "paper-60",
            100,
            Line(fwhm=0.05, cutoff=0.5),
            _PAPER_ECHO.flipped_by(math.radians(60)),
            _PAPER_LAW,
        ),
        # By opposite amounts at θ and 180° - θ, where an unknown carrier turns both alike.
        Preset(
            "paper-pair",
            100,
            Line(fwhm=0.05, cutoff=0.5),
            _PAPER_ECHO,
            _PAPER_LAW,
            protocols=(Protocol(60.0), Protocol(120.0)),
        ),
        Preset(
            "challenge2021-spin",
            100,
            Line(fwhm=0.05, cutoff=0.5),
            _PAPER_ECHO,
            FlipAngleLaw(_PAPER_LAW, (30.0, 150.0)),
        ),
        Preset(
            "challenge2021-gauss",
            100,
            _CHALLENGE_LINE,
            _CHALLENGE_ECHO,
            Challenge2021Law("gaussian"),
        ),
        Preset(
            "challenge2021-rkky", 100, _CHALLENGE_LINE, _CHALLENGE_ECHO, Challenge2021Law("rkky")
        ),
        Preset("challenge2020", 100, _CHALLENGE_LINE, _CHALLENGE_ECHO, Challenge2020Law()),
    )
}


def get_preset(name: str) -> Preset:
    """Return the preset called `name`, or raise `InputError` naming those there are."""
    return PRESETS[check_choice("preset", name, PRESETS)]
