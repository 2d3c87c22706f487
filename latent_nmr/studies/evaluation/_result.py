"""The result of an evaluation: scores by method, dimension and seed; coordinates; figures."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from latent_nmr.analysis.score_names import FORMER_NAMES, in_order, score_of
from latent_nmr.errors import InputError
from latent_nmr.latent_axes import axis_names
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.studies._result import StudyResult
from latent_nmr.studies.evaluation import _figures
from latent_nmr.studies.evaluation._fits import Fit
from latent_nmr.studies.evaluation._parts import FITTED, HELD_OUT, Material
from latent_nmr.studies.evaluation._scores import FIT_SECONDS
from latent_nmr.studies.evaluation._shares import shares

KEYS = ["model", "n_components"]
AXIS_PREFIXES = {
    "vae": "LA",
    "pca": "PC",
    "umap": "UMAP ",
    "kmeans": "distance to K",
    "repeat-pca": "RPC",
}


class EvaluationResult(StudyResult):
    """Scores of representations on held-out curves.

    `records` has one row per part of the data, method, dimension, seed and score. The column
    `role` says whether a row is of a `method`, of the `floor` (model `shuffled`: labels predicted
    after a permutation) or of the `ceiling` (model `forest`: labels predicted from the curves;
    `bottleneck`: coordinates that a network was taught to predict all labels from).

    `figures` are `maps` (coordinates coloured by labels), `traversals` (curves along the axes of
    the β-VAE with the lowest validation loss) and `dimensions` (scores over the number of
    coordinates), as far as there is anything to draw. Shown in a notebook, it is its `summary`.

    Examples
    --------
    >>> import numpy as np
    >>> import latent_nmr as ln
    >>> X = np.random.default_rng(0).normal(size=(60, 8))
    >>> settings = {"ceiling": False, "n_neighbors": 5}
    >>> r = ln.evaluate(X, {"height": X[:, 0]}, ("pca",), **settings)
    >>> r.table.index.tolist(), r.embedding("pca").shape
    ([('pca', 2), ('shuffled', 2)], (12, 2))
    """

    study = "evaluation"

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a result that :meth:`save` wrote, in this version or an earlier one.

        Raises
        ------
        InputError
            If there is no evaluation at `path`, or it is damaged.
        """
        result = super().load(path)
        result.records["score"] = result.records["score"].replace(FORMER_NAMES)
        return result

    @property
    def table(self) -> pd.DataFrame:
        """Scores on the held-out part: methods by dimension, mean and sd over seeds by score."""
        return self.table_of(HELD_OUT)

    def table_of(self, part: str) -> pd.DataFrame:
        """The table of the held-out part, or of a further set by its name.

        Rows are ``(model, n_components)``, bottleneck and floor after the methods of their
        dimension and the forest, which has none, at the end. Columns are ``(score, "mean")`` and
        ``(score, "sd")``, the sample standard deviation over seeds; NaN for one seed.
        """
        self._check_part(part)
        rows = self.records[self.records["part"] == part]
        rows = rows.assign(n_components=rows["n_components"].astype("Int64"))
        order = pd.MultiIndex.from_frame(rows[KEYS].drop_duplicates())
        grouped = rows.groupby([*KEYS, "score"], sort=False, dropna=False)["value"]
        wide = grouped.agg(mean="mean", sd="std").unstack("score").swaplevel(axis=1)
        names = in_order([name for name in dict.fromkeys(rows["score"]) if name != FIT_SECONDS])
        names += [FIT_SECONDS] * (FIT_SECONDS in set(rows["score"]))
        columns = pd.MultiIndex.from_product([names, ["mean", "sd"]], names=["score", None])
        return wide.reindex(index=order, columns=columns)

    @property
    def shares(self) -> pd.DataFrame:
        """Scores of every method over those of the ceilings, on the held-out part.

        Rows are ``(model, n_components)``; columns ``(score, "bottleneck")``, over the bottleneck
        of the same dimension, and ``(score, "forest")``: ratios of means over seeds. NaN where a
        ceiling is missing or not above zero. Neither is a strict bound: the bottleneck weighs all
        labels alike, and forests are no perfect predictors; a share may exceed 1.
        """
        return self.shares_of(HELD_OUT)

    def shares_of(self, part: str) -> pd.DataFrame:
        """The same for a further set."""
        return shares(self.table_of(part), self.records)

    @property
    def summary(self) -> pd.DataFrame:
        """The table of the held-out part for reading: each score as "mean ± sd", without |ρ|."""
        return self.summary_of(HELD_OUT)

    def summary_of(self, part: str) -> pd.DataFrame:
        """The same for a further set."""
        table, texts = self.table_of(part), {}
        for name in dict.fromkeys(table.columns.get_level_values(0)):
            digits = 1 if name == FIT_SECONDS else score_of(name).digits
            if name != FIT_SECONDS and score_of(name).group == "order":
                continue
            title = "fit (s)" if name == FIT_SECONDS else score_of(name).title
            pairs = zip(table[name, "mean"], table[name, "sd"], strict=True)
            texts[title] = [_text(mean, sd, digits) for mean, sd in pairs]
        index = pd.MultiIndex.from_tuples(
            [(model, "" if pd.isna(n) else int(n)) for model, n in table.index],
            names=["method", "dimension"],
        )
        return pd.DataFrame(texts, index=index)

    @property
    def parts(self) -> list[str]:
        """Names of the parts that were scored: `held-out`, then further sets."""
        return list(self.facts["n_scored"])

    def embedding(
        self, model: str, n_components: int | None = None, seed: int = 0, part: str = HELD_OUT
    ) -> npt.NDArray[np.floating]:
        """Coordinates of the curves of a part, shape (n_curves, n_components).

        Parameters
        ----------
        model : str
            Name of the method.
        n_components : int, optional
            By default the smallest of the method.
        seed : int
        part : str
            `held-out`, `training`, or the name of a further set. Rows of the first two are those
            of ``arrays["rows/held-out"]`` and ``arrays["rows/training"]`` of `X`.

        Raises
        ------
        InputError
            If there is no such fit.
        """
        fits = [fit for fit in self.facts["fits"] if (fit["model"], fit["seed"]) == (model, seed)]
        if n_components is not None:
            fits = [fit for fit in fits if fit["n_components"] == n_components]
        if not fits:
            every = [f"{fit['model']}, {fit['n_components']}" for fit in self.facts["fits"]]
            known = "; ".join(dict.fromkeys(every))
            raise InputError(
                "model, n_components and seed must be those of a fit, but there is none of "
                f"{model}, {n_components}, seed {seed}. There are {known}."
            )
        if part != FITTED:
            self._check_part(part)
        fit = min(fits, key=lambda fit: fit["n_components"])
        return self.arrays[f"coordinates/{fit['number']}/{part}"]

    def _drawers(self) -> dict[str, Callable[[], Any]]:
        found: dict[str, Callable[[], Any]] = {}
        if _figures.mapped_fits(self.facts) and _figures.map_labels(self.arrays):
            found["maps"] = lambda: _figures.maps(self.facts, self.arrays)
        if _figures.walked_fit(self.facts) is not None:
            found["traversals"] = lambda: _figures.traversals(self.facts, self.arrays)
        rows = self.records[self.records["part"] == HELD_OUT]
        if _figures.scores_to_draw(rows) and _figures.has_several_dimensions(rows):
            found["dimensions"] = lambda: _figures.dimensions(rows)
        return found

    def _check_part(self, part: str) -> None:
        if part not in self.parts:
            raise InputError(
                f"part must be one of {', '.join(self.parts)}, but is {part!r}. Choose one."
            )

    def __repr__(self) -> str:
        facts, models = self.facts, dict.fromkeys(fit["model"] for fit in self.facts["fits"])
        failed = f", {len(self.failures)} failed fits" if self.failures else ""
        return (
            f"<EvaluationResult: {', '.join(models)}; fitted on {facts['n_training']} curves, "
            f"scored on {facts['n_held_out']}{failed}>"
        )

    def _repr_html_(self) -> str:
        failures = [f"{f['model']}, seed {f['seed']}: {f['reason']}" for f in self.failures]
        lines = [self.summary_of(part).to_html() for part in self.parts]
        heads = [f"<p><b>{part}</b></p>" if len(lines) > 1 else "" for part in self.parts]
        notes = [f"<p>{_escaped(text)}</p>" for text in failures]
        return "\n".join([*(a + b for a, b in zip(heads, lines, strict=True)), *notes])


def arrays_of(
    material: Material, fits: Sequence[Fit], metadata: Mapping[str, Any]
) -> tuple[dict[str, npt.NDArray], dict[str, Any]]:
    """Arrays of a result, and the facts that their figures need."""
    found: dict[str, npt.NDArray] = {
        "rows/training": material.split.fitted,
        "rows/held-out": material.split.held_out,
    }
    found |= {f"label/{name}": values for name, values in material.labels[HELD_OUT].items()}
    for number, fit in enumerate(fits):
        for part in material.curves:
            found[f"coordinates/{number}/{part}"] = fit.coordinates(part)
    facts = facts_of_fits(fits)
    walked = _figures.walked_fit({"fits": facts})
    if walked is not None:
        for name in ("walks", "walk_positions"):
            found[name] = fits[walked["number"]].arrays[name]
    if "time_us" in metadata:
        found["time"] = np.asarray(metadata["time_us"], np.float64)
    return found, {"drawn": _figures.drawing_facts(metadata)}


def facts_of_fits(fits: Sequence[Fit]) -> list[dict[str, Any]]:
    """What is known of each fit, in plain values."""
    return [
        {
            "number": number,
            "model": fit.method.name,
            "kind": fit.method.kind,
            "role": fit.method.role,
            "n_components": fit.n_components,
            "seed": fit.seed,
            "axis_names": _axis_names(fit),
            "epochs": fit.number("epochs"),
            "validation_loss": fit.number("validation_loss"),
            "saved": fit.saved_name,
            "n_walks": len(fit.arrays["walks"]) if "walks" in fit.arrays else 0,
        }
        for number, fit in enumerate(fits)
    ]


def _axis_names(fit: Fit) -> list[str]:
    if isinstance(fit.method.estimator, BetaVAE):
        return axis_names(fit.n_components)
    prefix = AXIS_PREFIXES.get(fit.method.kind, f"{fit.method.name} ")
    return [f"{prefix}{axis}" for axis in range(1, fit.n_components + 1)]


def _text(mean: float, sd: float, digits: int) -> str:
    if pd.isna(mean):
        return ""
    return f"{mean:.{digits}f}" + ("" if pd.isna(sd) else f" ± {sd:.{digits}f}")


def _escaped(text: str) -> str:
    from html import escape

    return escape(text)
