"""The study that ranks pulse angles by what an echo after them is expected to say."""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import pandas as pd

from latent_nmr._progress import progress_bar
from latent_nmr.errors import InputError, check_count
from latent_nmr.models.posterior.prior import Materials
from latent_nmr.models.posterior.receiver import RECORD
from latent_nmr.physics.presets import get_preset
from latent_nmr.studies._identity import digest_of
from latent_nmr.studies._ledger import Ledger
from latent_nmr.studies._result import RECORD_COLUMNS
from latent_nmr.studies.design._candidates import Candidate, as_candidates
from latent_nmr.studies.design._conditions import Conditions
from latent_nmr.studies.design._gain import ALL, KERNEL, TARGETS, Spread, gain_of
from latent_nmr.studies.design._linear import MOST_MATERIALS, SCATTERED, LinearCheck
from latent_nmr.studies.design._result import (
    POSTERIOR,
    DesignResult,
    records_of,
)
from latent_nmr.studies.posterior._asked import AskedRow
from latent_nmr.studies.posterior._combine import Says, Weighted, weighted
from latent_nmr.studies.posterior._data import ask
from latent_nmr.studies.posterior._simulated import simulated_echoes
from latent_nmr.studies.posterior.models import as_posterior

if TYPE_CHECKING:
    from latent_nmr.models.posterior.echo_posterior import EchoPosterior

MOST_SEED = 2**32 - 1
# Draws of what is known, for each draw of a further echo.
BELIEF_DRAWS = 5
DEFAULT_CANDIDATES = ("theta 30:150:10",)
PRESET = "paper"


def design(
    posterior: "EchoPosterior | Path | str",
    known: Sequence[Says] = (),
    *,
    candidates: Iterable[str | Candidate] | str | Candidate = DEFAULT_CANDIDATES,
    snr: float = 30.0,
    phase: bool = True,
    flip_error: float = 0.0,
    n_materials: int = 48,
    n_draws: int = 400,
    n_edge: int | None = None,
    seed: int = 0,
    linear: bool = False,
    folder: Path | str | None = None,
    progress: bool | None = None,
) -> DesignResult:
    """Rank pulse angles by what an echo after them is expected to say about a material.

    Materials are drawn from what is known: the prior, or the posterior of measured echoes.
    Each is simulated after every candidate's pulses, with the same offsets for all candidates, and
    noise of an equal measuring time is added; several echoes of one candidate share that time.

    Parameters
    ----------
    posterior : EchoPosterior, path-like or str
        Of whole records; or the name of one of the package.
    known : sequence
        Echoes of the sample that were measured, as :func:`latent_nmr.infer` keeps them in
        `result.echoes`; none leaves the prior.
    candidates : str, Candidate, or iterable of them
        As :func:`latent_nmr.studies.design.parse_candidates` reads them.
    snr : float
        |M(0)| of an echo at 90° over the standard deviation of the noise of one column of
        :func:`latent_nmr.record_rows`; at θ it is sin θ times as large.
    phase : bool
        Whether phase and carrier will be known; otherwise |M| alone counts.
    flip_error : float
        Part by which all pulses turn spins further than they are taken for.
    n_materials : int
        Materials whose gains are averaged; the error falls with its root.
    n_draws : int
        Draws of each posterior.
    n_edge : int, optional
        Lattice edge of the simulations, in sites; by default that of preset `paper`.
    seed : int
        Of materials, offsets, noise and draws.
    linear : bool
        Answer also by the information that the echoes of the first materials, 12 at most, have if
        they are linear in the parameters: by derivatives of the simulator, without the posterior.
        Only this check answers candidates of another τ. It takes pulses for known as they are.
    folder : path-like, optional
        Where the gains of each candidate are kept, so that an interrupted study continues.
    progress : bool, optional
        Show a progress bar; by default on a terminal.

    Returns
    -------
    DesignResult

    Raises
    ------
    InputError
        For a setting that cannot be used.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> few = {"n_materials": 2, "n_draws": 10, "n_edge": 8}
    >>> ln.design("posterior", candidates="theta 60", progress=False, **few).best.name
    '60'
    """
    model, echoes = _model(posterior), list(known)
    chosen = as_candidates(candidates)
    conditions = Conditions.of(snr, phase, flip_error)
    for name, count in (("n_materials", n_materials), ("n_draws", n_draws)):
        check_count(name, count, at_least=2)
    check_count("seed", seed, at_least=0, at_most=MOST_SEED)
    usual = [own for own in chosen if own.has_spacing_of(get_preset(PRESET).sequence)]
    if not linear and len(usual) < len(chosen):
        other = next(own for own in chosen if own not in usual)
        raise InputError(
            "candidates must have the τ of the posterior, 100 µs, unless the linear check is asked "
            f"for, which needs no posterior, but one is {other.name}. Ask for the linear check."
        )
    task = Task.of(model, echoes, conditions, n_materials, n_draws, n_edge, seed)
    place = None if folder is None else Path(folder)
    check = task.linear_check(place)
    records, effective = [], []
    with progress_bar(len(usual) + linear * len(chosen), "echo", shown=progress, delay=2) as bar:
        ledger = Ledger(place, task.identity())
        for candidate in usual:
            found = ledger.take({"candidate": candidate.name}, partial(task.gains, candidate))
            records += records_of(POSTERIOR, candidate, found, TARGETS)
            effective += [own["n_effective"] for own in found]
            bar.update()
        scattered = {}
        for candidate in chosen if linear else ():
            found, scattered[candidate.name] = check.records(candidate)
            records += found
            bar.update()
    facts = {
        **conditions._asdict(),
        "n_materials": n_materials,
        "n_draws": n_draws,
        "n_known": len(echoes),
        "seed": seed,
        "least_effective": min(effective, default=None),
        "before": {**task.before.deviations, KERNEL: task.before.entropy},
    }
    if linear:
        facts |= {"n_linear": min(n_materials, MOST_MATERIALS), SCATTERED: scattered}
    return DesignResult(pd.DataFrame(records, columns=list(RECORD_COLUMNS)), facts)


class Task(NamedTuple):
    """What all candidates have in common."""

    model: "EchoPosterior"
    known: Sequence[Says]
    belief: Weighted
    before: Spread
    truths: Materials
    conditions: Conditions
    n_draws: int
    n_edge: int | None
    seed: int

    @classmethod
    def of(
        cls,
        model: "EchoPosterior",
        known: Sequence[Says],
        conditions: Conditions,
        n_materials: int,
        n_draws: int,
        n_edge: int | None,
        seed: int,
    ) -> Self:
        """With materials drawn from what is known."""
        random = np.random.RandomState(seed)
        belief = weighted(model.prior_, known, BELIEF_DRAWS * n_draws, random)
        picked = random.choice(len(belief.weights), n_materials, p=belief.weights)
        truths, before = belief.materials.rows(picked), Spread.of(model.prior_, belief)
        return cls(model, known, belief, before, truths, conditions, n_draws, n_edge, seed)

    def gains(self, candidate: Candidate) -> list[dict[str, float]]:
        """What echoes of a candidate say about each material, as JSON holds it."""
        new = measured(self.model, self.truths, candidate, self.conditions, self.n_edge, self.seed)
        found = []
        for number, echoes in enumerate(new):
            random = np.random.RandomState([self.seed, number, len(echoes)])
            gain = gain_of(
                self.model.prior_,
                self.known,
                self.belief,
                self.before,
                self.truths.rows([number]),
                echoes,
                self.n_draws,
                random,
            )
            found.append({ALL: gain.nats, **gain.narrowing, "n_effective": gain.n_effective})
        return found

    def linear_check(self, folder: Path | None) -> LinearCheck:
        """Of the same materials and conditions."""
        belief = self.belief if self.known else None
        how = self.conditions, self.n_edge, self.seed, folder
        return LinearCheck.of(self.model.prior_, belief, self.truths, *how)

    def identity(self) -> dict[str, Any]:
        """What decides all gains: what is known stands in its densities at the materials."""
        said = [echo.information(self.truths) for echo in self.known]
        weights = {name: np.asarray(own) for name, own in self.model.weights_.items()}
        digest = digest_of(self.truths._asdict(), said, weights)
        settings = {**self.conditions._asdict(), "n_draws": self.n_draws, "n_edge": self.n_edge}
        return {"study": DesignResult.study, "digest": digest, "seed": self.seed, **settings}


def measured(
    model: "EchoPosterior",
    truths: Materials,
    candidate: Candidate,
    conditions: Conditions,
    n_edge: int | None,
    seed: int,
) -> list[list[Says]]:
    """Echoes of every material after the pulses of a candidate, with noise."""
    angles, columns = candidate.flip_angles_deg, []
    for step, angle in enumerate(angles):
        echoes = simulated_echoes(
            model.prior_,
            truths,
            angle,
            seed=seed + step,
            n_edge=n_edge,
            flip_error=conditions.flip_error,
        )
        # Rows are over |M(0)|, which is sin θ of that at 90°; the time is shared.
        snr = float(conditions.snr * np.sin(np.radians(angle)) / np.sqrt(len(angles)))
        asked = ask(RECORD, echoes, snr=snr, seed=seed + step)
        columns.append(
            [AskedRow(model, row[None], angle, conditions.phase, snr) for row in asked.rows]
        )
    return [list(own) for own in zip(*columns, strict=True)]


def _model(posterior: "EchoPosterior | Path | str") -> "EchoPosterior":
    """A posterior of whole records."""
    model = as_posterior(posterior)
    if model.get_params()["receiver"] != RECORD:
        raise InputError(
            "posterior must be one of whole records, whose M(0) further echoes are simulated over, "
            f"but its receiver is {model.get_params()['receiver']!r}. Use 'posterior'."
        )
    return model
