"""What a design returns: candidates, and what each is expected to say."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pandas as pd

from latent_nmr.studies._result import StudyResult
from latent_nmr.studies.design._candidates import Candidate
from latent_nmr.studies.design._gain import ALL, KERNEL
from latent_nmr.studies.posterior._quantities import QUANTITIES

SCORE = "gain, nats"
# Models of records: the amortised posterior, and the linear check.
POSTERIOR, LINEAR = "posterior", "linear"
LINEAR_TARGETS = (ALL, *QUANTITIES)


class DesignResult(StudyResult):
    """Candidates and what they are expected to say.

    Attributes
    ----------
    gains : DataFrame
        One row for each candidate, the best first: `gain` (nats) with its standard error `error`,
        and for α_x, α_z, W and L the mean logarithm of how much narrower they become; `kernel` is
        the fall of the entropy of its shares, nats. With the linear check also its gain `linear`
        and `linear_error`; where some candidates have no other, these decide the order.
    linear : DataFrame
        The same of the linear check alone, which does not know kernels from each other: `gain`,
        `error`, `median` and the quantities. No rows where it was not asked for.
    best : Candidate

    Examples
    --------
    >>> import latent_nmr as ln
    >>> few = {"n_materials": 2, "n_draws": 10, "n_edge": 8}
    >>> r = ln.design("posterior", candidates="theta 60 90", progress=False, **few)
    >>> sorted(r.gains["candidate"])
    ['60', '90']
    """

    study = "design"

    @property
    def gains(self) -> pd.DataFrame:
        """One row for each candidate, the best first."""
        table, order = self._table(POSTERIOR, [*QUANTITIES, KERNEL]), "gain"
        if len(linear := self._table(LINEAR, QUANTITIES)):
            table = table.reindex(linear.index)
            table.insert(2, "linear", linear["gain"])
            table.insert(3, "linear_error", linear["error"])
            order = "linear" if table["gain"].isna().any() else "gain"
        return _ranked(table, order)

    @property
    def linear(self) -> pd.DataFrame:
        """One row for each candidate of the linear check, the best first."""
        table = self._table(LINEAR, QUANTITIES)
        table.insert(2, "median", self._of(LINEAR).groupby("features")["value"].median())
        return _ranked(table, "gain")

    @property
    def best(self) -> Candidate:
        """The candidate of the largest gain."""
        return Candidate.of_name(str(self.gains["candidate"][0]))

    def _of(self, model: str) -> pd.DataFrame:
        """Records of gains in all."""
        own = self.records
        return own[(own["model"] == model) & (own["target"] == ALL)]

    def _table(self, model: str, targets: Any) -> pd.DataFrame:
        """Means by candidate of one model."""
        own = self.records[self.records["model"] == model]
        table = own.pivot_table("value", "features", "target", aggfunc="mean")
        table = table.reindex(columns=[ALL, *targets]).rename(columns={ALL: "gain"})
        table.insert(1, "error", self._of(model).groupby("features")["value"].sem())
        return table

    def _drawers(self) -> dict[str, Callable[[], Any]]:
        from latent_nmr.plots.design import gain_figure

        def drawn() -> Any:
            gains = self.gains
            if gains["gain"].isna().all():  # other τ only: what narrows by the linear check
                parts = self.linear.set_index("candidate")[list(QUANTITIES)]
                gains = gains.set_index("candidate").combine_first(parts).reset_index()
            return gain_figure(gains)

        return {"gains": drawn}


def _ranked(table: pd.DataFrame, order: str) -> pd.DataFrame:
    ranked = table.sort_values(order, ascending=False)
    return ranked.rename_axis("candidate").reset_index()


def records_of(
    model: str,
    candidate: Candidate,
    found: Iterable[Mapping[str, float]],
    targets: Iterable[str],
) -> list[dict[str, Any]]:
    """Records of what a candidate says of each material."""
    names = tuple(targets)
    return [
        {
            "study": DesignResult.study,
            "target": target,
            "group": "",
            "features": candidate.name,
            "model": model,
            "seed": number,
            "score": SCORE,
            "value": own[target],
        }
        for number, own in enumerate(found)
        for target in names
    ]
