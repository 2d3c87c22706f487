"""Fits in threads side by side: what they share, and what they should not say."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

from threadpoolctl import threadpool_limits

# Before Python 3.14, all threads share one list of filters. scikit-learn empties and refills it
# in every thread that grows a tree; a thread that finds it empty warns of a lost configuration.
NOISE = "`sklearn.utils.parallel.delayed` should be used with"


@contextlib.contextmanager
def threads_side_by_side() -> Iterator[None]:
    """Give each thread one core, and drop scikit-learn's warning about its own threads.

    A filter would not do: the warning comes when there are none.
    """
    show, filters = warnings.showwarning, list(warnings.filters)

    def show_others(message: Warning | str, *facts: Any, **more: Any) -> None:
        if not str(message).startswith(NOISE):
            show(message, *facts, **more)

    warnings.showwarning = show_others
    try:
        with threadpool_limits(1, user_api="blas"):
            yield
    finally:
        warnings.showwarning = show
        warnings.filters[:] = filters  # type: ignore[index]
