"""Labels that a study left out, in lines for people."""

from collections.abc import Mapping


def unknown_notes(incomplete: Mapping[str, int], n_curves: int) -> list[str]:
    """A note on each label that some curves lack; `incomplete` counts these curves."""
    return [
        f"{name} is not used, being unknown for {count} of {n_curves} curves"
        for name, count in incomplete.items()
    ]
