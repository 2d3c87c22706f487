"""How a training of the β-VAE goes on: portions, rates, the best epoch, and when it ends."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

SCHEDULES = ("constant", "cosine")
# Part of a cosine's epochs over which the learning rate rises first.
RISING_SHARE = 0.05

NOT_FINITE = "loss not finite"
CONVERGED = "validation reconstruction stopped improving"
EXHAUSTED = "max_epochs reached"


class EpochRecord(NamedTuple):
    """One line of the training history; losses in nats per curve.

    `reconstruction`, `kl` and `kl_per_axis` are means over the epoch's optimiser steps, those
    of the validation part are taken after the last step. Contrasts are in nats per material, of
    the batch in training and of the whole part in validation, and nought where the objective
    does not look at repeats.
    """

    epoch: int
    beta: float
    reconstruction: float
    kl: float
    kl_per_axis: tuple[float, ...]
    validation_reconstruction: float
    validation_kl: float
    validation_kl_per_axis: tuple[float, ...]
    seconds: float
    contrast: float = 0.0
    validation_contrast: float = 0.0

    def is_finite(self) -> bool:
        """Whether every loss is."""
        names = ("reconstruction", "kl", "contrast")
        losses = [getattr(self, f"{part}{name}") for name in names for part in ("", "validation_")]
        return all(map(math.isfinite, losses))


@dataclass(frozen=True)
class Schedule:
    """How long and in which portions to train.

    An epoch passes all rows, and small sets several times until it has `min_epoch_steps`
    steps, so that `patience` counts comparable pieces of work for any number of rows. Over the
    first `warm_up_epochs`, β rises linearly to its value; only later epochs compete for the best.
    The learning rate stays, or follows :meth:`rate`. `contrast` is the weight of the contrast in
    the objective, which epochs compete by.
    """

    batch_size: int
    min_epoch_steps: int
    max_epochs: int
    patience: int
    learning_rate: float
    warm_up_epochs: int = 0
    schedule: str = "constant"
    contrast: float = 0.0

    def merit(self, record: EpochRecord) -> float:
        """What of an epoch is to be low: held-out reconstruction and weighted contrast."""
        return record.validation_reconstruction + self.contrast * record.validation_contrast

    def portions(self, n_rows: int) -> dict[str, int]:
        """Number and size of the batches of one epoch, from the number of training rows."""
        batch_size = min(self.batch_size, n_rows)
        n_batches = max(-(-n_rows // batch_size), self.min_epoch_steps)
        return {"n_batches": n_batches, "batch_size": batch_size}

    def beta_share(self, epoch: int) -> float:
        """Part of β in force in an epoch, counted from 1."""
        return min(1.0, epoch / (self.warm_up_epochs + 1))

    def rate(self, epoch: int) -> float:
        """Learning rate in an epoch, counted from 1.

        `cosine`: over the first 5 % of `max_epochs` it rises linearly to `learning_rate`; from
        there it falls along half a cosine, to nearly nought in the last (I. Loshchilov and F.
        Hutter, ICLR 2017, eq. 5, without restarts).
        """
        if self.schedule == "constant":
            return self.learning_rate
        n_rising = math.ceil(RISING_SHARE * self.max_epochs)
        if epoch <= n_rising:
            return self.learning_rate * epoch / n_rising
        fallen = (epoch - n_rising) / (self.max_epochs - n_rising + 1)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * fallen))


def is_better(
    record: EpochRecord, history: Sequence[EpochRecord], best: int, schedule: Schedule
) -> bool:
    """Whether the next epoch after `history` takes the place of the best so far.

    While β rises, reconstructions of different epochs cannot be compared: the last one counts,
    until the first at full β takes its place.
    """
    if not record.is_finite():
        return False
    if not best or record.epoch <= schedule.warm_up_epochs + 1:
        return True
    return schedule.merit(record) < schedule.merit(history[best - 1])


def best_epoch(history: Sequence[EpochRecord], schedule: Schedule) -> int:
    """Epoch with the lowest validation reconstruction at full β; 0 if no loss was finite."""
    best = 0
    for record in history:
        if is_better(record, history, best, schedule):
            best = record.epoch
    return best


def stop_reason(history: Sequence[EpochRecord], best: int, schedule: Schedule) -> str:
    """Why no further epoch is due; empty if one is."""
    if not history:
        return ""
    if not history[-1].is_finite():
        return NOT_FINITE
    # While β rises the last epoch is the best, so that patience counts from the first after.
    if len(history) - best >= schedule.patience:
        return CONVERGED
    return EXHAUSTED if len(history) >= schedule.max_epochs else ""
