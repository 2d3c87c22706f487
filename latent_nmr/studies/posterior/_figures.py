"""Figures of an inference, drawn when they are asked for."""

from collections.abc import Callable
from typing import Any

import numpy as np


def drawers(found: Any) -> dict[str, Callable[[], Any]]:
    """What draws each figure of an `Inference`, by its name."""
    own = {"marginals": lambda: _marginals(found), "pairs": lambda: _pairs(found)}
    own |= {
        f"echo_{number}" if len(found.echoes) > 1 else "echo": _echo(found, number - 1)
        for number in range(1, len(found.echoes) + 1)
    }
    return own


def _marginals(found: Any) -> Any:
    from latent_nmr.plots.posterior import marginals_figure

    names = found.draws["kernel"].to_numpy(str)
    return marginals_figure(found.quantities(), names, found.prior_quantities(), found.kernels)


def _pairs(found: Any) -> Any:
    from latent_nmr.plots.posterior import pairs_figure

    return pairs_figure(found.quantities(), found.draws["kernel"].to_numpy(str))


def _echo(found: Any, number: int) -> Callable[[], Any]:
    def draw() -> Any:
        from latent_nmr.plots.posterior import predictive_figure

        echo = found.echoes[number]
        nothing = np.zeros((0, len(echo.time)))
        return predictive_figure(echo.time, echo.measured, found.predicted.get(number, nothing))

    return draw
