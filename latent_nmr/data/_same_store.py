"""Whether a store is the one that a simulation would make: checked before it is continued."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from latent_nmr.data._checksums import check_attributes
from latent_nmr.data._guarded import guarded
from latent_nmr.data.echoes import simulation_attributes
from latent_nmr.data.reading import array_of
from latent_nmr.errors import InputError
from latent_nmr.physics.simulate import Simulation, draw_parameters

# Finished curves whose parameters are drawn again before a store is continued.
N_COMPARED = 8
TOLERANCE, RULE = "tolerance", "step_rule"
# Settings of stores that do not say them: those begun before there was such a setting, and, of the
# last, all that have no repeats and no protocols.
UNSAID = {
    "relaxation_rate": 0.0,
    "equilibrium_mz": 0.0,
    "repeats": 1,
    "protocols": None,
    "offsets": "same",
}


def check_same_settings(path: Path, group: zarr.Group, simulation: Simulation) -> None:
    """Refuse to continue a store that was made with other settings."""
    guarded(path, lambda: check_attributes(group, str(path)))
    wanted = simulation_attributes(simulation)
    # An older store does not say how its numbers were drawn; its curves themselves do.
    unsaid = {"package_version", RULE} | ({"random_numbers"} - set(group.attrs))
    # The tolerance last: it is none where another setting, which is then named, fixes the steps.
    for name in (*(n for n in (*wanted, *UNSAID) if n not in {*unsaid, TOLERANCE}), TOLERANCE):
        held, asked = (
            attributes.get(name, UNSAID.get(name)) for attributes in (group.attrs, wanted)
        )
        if held != asked:
            raise InputError(
                f"a store must be continued with its own settings, but {path} has {name} = "
                f"{held!r} and {asked!r} is asked for. "
                "Choose another path, or the store's setting."
            )
    _check_same_rule(path, group.attrs, wanted[RULE])


def _check_same_rule(path: Path, held: Mapping[str, Any], asked: dict[str, Any] | None) -> None:
    """Refuse a store whose steps were chosen by other constants, and name some of these."""
    there, here = held.get(RULE) or {}, asked or {}
    others = [n for n in dict.fromkeys([*there, *here]) if there.get(n) != here.get(n)]
    if others:
        named = ", ".join(f"{n} = {there.get(n)} there and {here.get(n)} here" for n in others[:3])
        raise InputError(
            "a store must be continued under the rule by which its steps were chosen, but the rule "
            f"of {path} has other constants ({named}). Continue it with the version "
            f"of latent_nmr that began it, {held.get('package_version')}, or choose another path."
        )


def check_same_curves(
    path: Path, group: zarr.Group, simulation: Simulation, finished: np.ndarray
) -> None:
    """Refuse to continue a store whose seed gives other curves here than those that it holds.

    Labels have the same bits on every machine. Some are drawn again, the first and the last among
    them, since a store may have changed its ways whenever it was continued.
    """
    if not len(finished):
        return
    rows = finished[np.unique(np.linspace(0, len(finished) - 1, N_COMPARED).astype(int))]
    names = ("alpha_x", "alpha_z", "kernel_parameter")
    held = guarded(path, lambda: {n: np.asarray(array_of(group, n).oindex[rows]) for n in names})
    for place, drawn in enumerate(draw_parameters(simulation, rows.tolist())[1]):
        alpha_x, _, alpha_z = drawn.couplings
        for name, wanted in zip(names, (alpha_x, alpha_z, drawn.kernel_parameter), strict=True):
            if held[name][place] != wanted:
                raise InputError(
                    f"a store must be continued with the curves of its seed, but {name} of curve "
                    f"{rows[place]} in {path} is {held[name][place]:.6g} and seed "
                    f"{simulation.seed} gives {wanted:.6g}: it was begun under other settings of "
                    "JAX's random numbers, or changed. Choose another path."
                )
