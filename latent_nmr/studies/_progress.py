"""Progress bars of studies: on a terminal and in notebooks, with an estimate of the time left."""

from typing import Any

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
        By default on a terminal and in a notebook.
    **facts
        Further arguments of tqdm.
    """
    is_notebook = any(base.__module__ == "tqdm.notebook" for base in tqdm.__mro__)
    # None leaves the choice to tqdm, which takes the output of a notebook for a file.
    disable = (None if not is_notebook else False) if shown is None else not shown
    return tqdm(total=total, unit=unit, delay=1, disable=disable, **facts)
