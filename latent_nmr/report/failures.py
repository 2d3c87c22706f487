"""Fits that failed, in lines for people."""

from collections.abc import Mapping, Sequence
from typing import Any


def failure_lines(failures: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line for every model and reason: how many of its fits failed, and the first of them."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for failure in failures:
        groups.setdefault((failure["model"], failure["reason"]), []).append(failure)
    lines = []
    for (model, reason), found in groups.items():
        facts = [f"{name} {found[0][name]}" for name in ("features", "target", "seed")
                 if found[0].get(name, "") != "" and found[0][name] != model]  # fmt: skip
        count = "1 fit" if len(found) == 1 else f"{len(found)} fits, the first"
        lines.append(f"failed     {model}: {count} ({', '.join(facts)}): {reason}")
    return lines
