"""Progress bars: on a terminal and in notebooks, with an estimate of the time left."""

import sys
import warnings
from typing import Any

from tqdm import TqdmWarning

with warnings.catch_warnings():
    # Without ipywidgets a notebook gets bars of text, and needs no advice on packages.
    warnings.simplefilter("ignore", TqdmWarning)
    from tqdm.auto import tqdm


def progress_bar(total: int | None, unit: str, *, shown: bool | None = None, **facts: Any) -> Any:
    """A bar of tqdm; the caller closes it.

    Parameters
    ----------
    total : int or None
        Number of steps.
    unit : str
        Name of a step.
    shown : bool, optional
        By default on a terminal and in a notebook; never where there is no standard error.
    **facts
        Further arguments of tqdm; its `delay` is 1 s by default.
    """
    has_widgets = any(base.__module__ == "tqdm.notebook" for base in tqdm.__mro__)
    is_notebook = has_widgets or "ipykernel" in sys.modules
    # None leaves the choice to tqdm, which takes the output of a notebook for a file.
    disable = (None if not is_notebook else False) if shown is None else not shown
    if sys.stderr is None and not has_widgets:
        disable = True
    return tqdm(total=total, unit=unit, disable=disable, **{"delay": 1, **facts})
