"""How a band limit treats frequencies: the same for records and for rows on a device."""

from typing import Any

import numpy as np

# The response falls from 1 to 0 as a cosine between these parts of the half width.
PASSES, STOPS = 0.8, 1.2


def band_response(frequencies: Any, bandwidth: Any) -> Any:
    """Response at `frequencies`: 1 inside, 1/2 at `bandwidth`, in the same unit; 0 beyond.

    Arrays may be NumPy's or JAX's.
    """
    ratio = abs(frequencies) / bandwidth
    xp = ratio.__array_namespace__() if hasattr(ratio, "__array_namespace__") else np
    return 0.5 + 0.5 * xp.cos(np.pi * xp.clip((ratio - PASSES) / (STOPS - PASSES), 0, 1))
