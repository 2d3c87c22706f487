"""Records and checks of a calibration, from ranks, shares and spreads."""

import itertools
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from latent_nmr.analysis.posterior_scores import (
    contraction,
    corrected_ranks,
    coverage,
    reliability,
    reliability_by_chance,
    uniform_p,
)
from latent_nmr.models.posterior.prior import Materials, Prior
from latent_nmr.studies._result import record
from latent_nmr.studies.posterior._correction import place_columns, places_of
from latent_nmr.studies.posterior._quantities import QUANTITIES, quantities

if TYPE_CHECKING:
    from latent_nmr.studies.posterior._answers import Answers
    from latent_nmr.studies.posterior._data import Questions

FloatArray = npt.NDArray[np.float64]

LEVELS = (0.5, 0.68, 0.9, 0.95)
RAW, CORRECTED = "raw", "corrected"
# Limits of the gate.
OVERALL, IN_THIRDS, CLASSES, CHANCE = 0.02, 0.04, 0.02, 0.01
# Ends of the bands of θ, degrees, in which it is said what is known.
ANGLES = (30, 50, 70, 80, 100, 110, 130, 150)
N_PRIOR = 100_000


def records_of(
    features: str,
    questions: "Questions",
    truth: Materials,
    answers: "Answers",
    prior: Prior,
    n_edge: int,
    seed: int,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Records of one way to trust the phase, and the checks that they are for."""
    note = partial(record, "calibration", features=features, seed=seed)
    true = quantities(prior, truth, n_edge)
    groups = dict(_thirds(true["W"], questions))
    rows, gate = [], []
    corrected = _corrected(questions, answers, seed)
    ways = {RAW: (answers.ranks, answers.given_ranks), CORRECTED: corrected}
    for way, (ranks, given) in ways.items():
        own = [*_coverages(note, way, ranks, groups), *_uniformity(note, way, given, truth, prior)]
        rows += own
        gate += _checks(features, way, own)
    rows += _others(note, answers, truth, seed)
    gate += _other_checks(features, rows)
    rows += _knowledge(note, questions, answers, true, prior, n_edge)
    return rows, gate


def _thirds(W: FloatArray, questions: "Questions") -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    """Rows of everything, and of thirds of W, SNR and θ."""
    yield "all", np.ones(len(W), bool)
    for name, values in (("W", W), ("SNR", questions.snr), ("θ", questions.flip_angle_deg)):
        if np.ptp(values) == 0:
            continue
        third = np.searchsorted(np.quantile(values, [1 / 3, 2 / 3]), values)
        for number in range(3):
            if (third == number).any():
                yield f"{name} {number + 1}/3", third == number


def _corrected(
    questions: "Questions", answers: "Answers", seed: int
) -> tuple[FloatArray, FloatArray]:
    """Ranks of either half corrected by those of the other."""
    n_rows = len(questions.snr)
    half = np.random.RandomState(seed).permutation(n_rows) < n_rows // 2
    found = [np.empty_like(answers.ranks), np.empty_like(answers.ranks)]
    columns = columns_of(questions, answers)
    for column in range(len(QUANTITIES)):
        places = places_of(columns, column)
        for own, other in ((half, ~half), (~half, half)):
            for kept, ranks in zip(found, (answers.ranks, answers.given_ranks), strict=True):
                kept[own, column] = corrected_ranks(
                    ranks[own, column], places[own], ranks[other, column], places[other]
                )
    return found[0], found[1]


def columns_of(questions: "Questions", answers: "Answers") -> FloatArray:
    """Where posteriors lie, see `place_columns`."""
    W = answers.means[:, QUANTITIES.index("W")]
    return place_columns(questions.flip_angle_deg, questions.snr, W, answers.spreads)


def _coverages(note: Any, way: str, ranks: FloatArray, groups: dict) -> Iterator[dict[str, Any]]:
    for column, name in enumerate(QUANTITIES):
        for group, own in groups.items():
            for level in LEVELS:
                yield note(
                    target=name,
                    group=group,
                    model=way,
                    score=f"coverage_{100 * level:.0f}",
                    value=coverage(ranks[own, column], level),
                )


def _uniformity(
    note: Any, way: str, ranks: FloatArray, truth: Materials, prior: Prior
) -> Iterator[dict[str, Any]]:
    for column, name in enumerate(QUANTITIES):
        for number, kernel in enumerate(prior.kernels):
            own = truth.kernel == number
            if own.sum() > 1:
                value = uniform_p(ranks[own, column])
                yield note(target=name, group=kernel, model=way, score="ks_p", value=value)


def _checks(features: str, way: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Worst deviations of coverage, and the least p-value times the number of tests."""
    apart = {True: 0.0, False: 0.0}
    chances = []
    for row in rows:
        if row["score"] == "ks_p":
            chances.append(row["value"])
            continue
        level = float(row["score"].removeprefix("coverage_")) / 100
        is_all = row["group"] == "all"
        apart[is_all] = max(apart[is_all], abs(row["value"] - level))
    least = min(1.0, min(chances, default=1.0) * len(chances))
    named = {
        "coverage, worst": (apart[True], OVERALL),
        "coverage in thirds, worst": (apart[False], IN_THIRDS),
    }
    found = [_check(features, way, name, *own, own[0] <= own[1]) for name, own in named.items()]
    title = "ranks uniform, least p × tests"
    return [*found, _check(features, way, title, least, CHANCE, least >= CHANCE)]


def _others(note: Any, answers: "Answers", truth: Materials, seed: int) -> list[dict[str, Any]]:
    """Classes, the joint, information and what leaks."""
    random = np.random.RandomState(seed)
    scores = {
        ("kernel", "calibration_error"): reliability(answers.shares, truth.kernel).error,
        ("kernel", "calibration_error_by_chance"): reliability_by_chance(answers.shares, random),
        ("kernel", "accuracy"): float(np.mean(answers.shares.argmax(axis=1) == truth.kernel)),
        ("joint", "nearness_p"): uniform_p(answers.joint_ranks),
        ("joint", "information"): float(answers.information.mean()),
        ("joint", "leaked"): float(answers.leaked.mean()),
    }
    return [
        note(target=target, group="all", model=RAW, score=score, value=value)
        for (target, score), value in scores.items()
    ]


def _other_checks(features: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = {row["score"]: row["value"] for row in rows if row["target"] in ("kernel", "joint")}
    error, chance, leaked = (found[k] for k in ("calibration_error", "nearness_p", "leaked"))
    return [
        _check(features, RAW, "kernel, calibration error", error, CLASSES, error < CLASSES),
        _check(features, RAW, "joint, p of random points", chance, CHANCE, chance >= CHANCE),
        _check(features, RAW, "leaked mass", leaked, 0.01, leaked < 0.01),
    ]


def _check(
    features: str, way: str, name: str, value: float, limit: float, passed: bool
) -> dict[str, Any]:
    facts = {"features": features, "model": way, "check": name}
    return facts | {"value": float(value), "limit": limit, "passed": bool(passed)}


def _knowledge(
    note: Any,
    questions: "Questions",
    answers: "Answers",
    true: dict[str, FloatArray],
    prior: Prior,
    n_edge: int,
) -> list[dict[str, Any]]:
    """Contraction and R² of means, overall and by θ."""
    drawn = quantities(prior, prior.draw(N_PRIOR, np.random.RandomState(0)), n_edge)
    angles = questions.flip_angle_deg
    groups = {"all": np.ones(len(angles), bool)}
    for low, high in itertools.pairwise(ANGLES):
        groups[f"{low} to {high}°"] = (angles >= low) & (angles < high)
    rows = []
    for column, name in enumerate(QUANTITIES):
        for group, own in groups.items():
            if own.sum() < 2:
                continue
            rest = true[name][own] - answers.means[own, column]
            scores = {
                "contraction": contraction(answers.spreads[own, column], drawn[name].std()),
                "r2": float(1 - np.mean(rest**2) / np.var(true[name][own])),
            }
            rows += [
                note(target=name, group=group, model=RAW, score=score, value=value)
                for score, value in scores.items()
            ]
    return rows
