"""What posteriors say of curves whose materials are known."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from latent_nmr.analysis.posterior_scores import nearness_ranks, ranks_of
from latent_nmr.models.posterior.prior import Materials
from latent_nmr.studies.posterior._quantities import QUANTITIES, quantities

if TYPE_CHECKING:
    from latent_nmr.models.posterior.echo_posterior import EchoPosterior
    from latent_nmr.studies.posterior._data import Questions

FloatArray = npt.NDArray[np.float64]

# Rows of which draws are held at a time.
PIECE = 512
# Squared distance, in normal scores, between materials of two kernels.
KERNEL_DISTANCE = 4.0


class Answers(NamedTuple):
    """What posteriors say of rows whose materials are known.

    Attributes
    ----------
    ranks, given_ranks : ndarray, shape (n_rows, 4)
        Of `QUANTITIES`: in the posterior, and in the one given the true kernel.
    means, spreads : ndarray, shape (n_rows, 4)
    shares : ndarray, shape (n_rows, n_kernels)
    joint_ranks : ndarray, shape (n_rows,)
    information : ndarray, shape (n_rows,)
        nats.
    leaked : ndarray, shape (n_rows,)
        Part of the draws outside of the prior.
    """

    ranks: FloatArray
    given_ranks: FloatArray
    means: FloatArray
    spreads: FloatArray
    shares: FloatArray
    joint_ranks: FloatArray
    information: FloatArray
    leaked: FloatArray


def answers_of(
    model: "EchoPosterior",
    questions: "Questions",
    truth: Materials,
    phase: bool,
    n_draws: int,
    seed: int,
    n_edge: int,
    bar: Any,
) -> Answers:
    """Posteriors of all rows, in pieces."""
    random = np.random.RandomState(seed)
    labels = _labels(model, truth)
    pieces = []
    for start in range(0, len(truth.kernel), PIECE):
        part = slice(start, start + PIECE)
        own = truth.rows(part)
        given = {
            "flip_angle_deg": questions.flip_angle_deg[part],
            "phase": phase,
            "snr": questions.snr[part],
        }
        X = questions.rows[part]
        names = labels["kernel"][part]
        how = {"n_draws": n_draws, "random_state": random}
        drawn = model.sample(X, **given, **how)
        given_kernel = model.sample(X, **given, **how, kernel=names)
        said = {name: values[part] for name, values in labels.items()}
        pieces.append(
            Answers(
                *_of_numbers(model, drawn, given_kernel, own, random, n_edge),
                shares=model.predict_kernel_proba(X, **given),
                joint_ranks=_joint_ranks(model, drawn, own, random),
                information=model.information(X, said, **given),
                leaked=np.array([model.prior_.leaked(drawn)] * len(X)),
            )
        )
        bar.update(len(X))
    return Answers(*(np.concatenate(parts) for parts in zip(*pieces, strict=True)))


def _of_numbers(
    model: "EchoPosterior",
    drawn: Materials,
    given_kernel: Materials,
    own: Materials,
    random: np.random.RandomState,
    n_edge: int,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Ranks, ranks given the kernel, means and standard deviations of `QUANTITIES`."""
    prior = model.prior_
    found, given = quantities(prior, drawn, n_edge), quantities(prior, given_kernel, n_edge)
    true = quantities(prior, own, n_edge)
    columns = [
        (
            ranks_of(found[name], true[name], random),
            ranks_of(given[name], true[name], random),
            found[name].mean(axis=1),
            found[name].std(axis=1),
        )
        for name in QUANTITIES
    ]
    ranks, given_ranks, means, spreads = (
        np.stack(parts, axis=1) for parts in zip(*columns, strict=True)
    )
    return ranks, given_ranks, means, spreads


def _joint_ranks(
    model: "EchoPosterior", drawn: Materials, own: Materials, random: np.random.RandomState
) -> FloatArray:
    """How the truths lie among the draws in distance from points of the prior."""
    prior = model.prior_
    points = prior.draw(len(own.kernel), random)
    at = prior.scores(points)

    def distances(materials: Materials) -> FloatArray:
        to = at[:, None] if materials.kernel.ndim == 2 else at
        other = points.kernel[:, None] if materials.kernel.ndim == 2 else points.kernel
        apart = np.sum((prior.scores(materials) - to) ** 2, axis=-1)
        return apart + KERNEL_DISTANCE * (materials.kernel != other)

    return nearness_ranks(distances(drawn), distances(own))


def _labels(model: "EchoPosterior", truth: Materials) -> Mapping[str, npt.NDArray[Any]]:
    """Materials under the names that data sets have."""
    names = np.array(model.prior_.kernels)[truth.kernel]
    return truth._replace(kernel=names)._asdict()
