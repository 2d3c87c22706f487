"""Figures of a decoder's audit, for any command that has one."""

import numpy as np

from latent_nmr.analysis.axis_audit import AxisAudit
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.plots.audit import AuditPanel, audit_profiles, audit_sheet
from latent_nmr.plots.style import KERNEL_STYLES, SIGNAL_TEXTS
from latent_nmr.studies.latent_figures import time_marks

# Points of a walk that are drawn, evenly spread and with both ends.
N_DRAWN = 6


def draw_sheet(model: BetaVAE, audit: AxisAudit, n_fields: int):
    """Curves of six points along an axis, over the bands they are judged by."""
    places = np.linspace(0, len(audit.points) - 1, min(N_DRAWN, len(audit.points)))
    points = [audit.points[place] for place in places.round().astype(int)]
    panels = [
        AuditPanel(
            _title(audit.axis, point),
            point.decoded,
            point.simulation.mean,
            point.simulation.deviation,
            point.neighbours.mean,
            point.neighbours.deviation,
        )
        for point in points
    ]
    return audit_sheet(
        audit.time,
        panels,
        signal_text=SIGNAL_TEXTS[model.metadata_["normalisation"]],
        simulated_text=f"simulated at their mean parameters, {n_fields} ν fields",
        neighbours_text=f"{len(points[0].place.rows)} nearest curves",
        marks=time_marks(model.metadata_),
    )


def draw_profiles(model: BetaVAE, audits: list[AxisAudit]):
    """Sizes of residuals and scatters along each axis, with the verdicts."""
    rows = [
        {
            "positions": np.array([point.position for point in audit.points]),
            "sizes": {
                name: np.array([value(point) for point in audit.points])
                for name, value in (
                    ("simulation", lambda point: point.simulation.rms),
                    ("simulation_scatter", lambda point: point.simulation.scatter),
                    ("neighbours", lambda point: point.neighbours.rms),
                    ("neighbours_scatter", lambda point: point.neighbours.scatter),
                )
            },
            "verdicts": [point.verdict for point in audit.points],
            "is_off_data": [point.is_off_data for point in audit.points],
            "axis_name": f"LA{audit.axis}",
        }
        for audit in audits
    ]
    return audit_profiles(rows, signal_text=SIGNAL_TEXTS[model.metadata_["normalisation"]])


def _title(axis: int, point) -> str:
    """Place, verdict and parameters of a point, in two short lines."""
    place = point.place
    kernel = KERNEL_STYLES.get(place.kernel, (place.kernel,))[0]
    where = " off the data," if point.is_off_data else ""
    return (
        f"LA{axis} = {point.position:.3g}:{where} {point.verdict}\n"
        f"{kernel} ({place.n_of_kernel} of {len(place.rows)}), "
        f"W {place.coupling_strength:.2f} MHz, L {place.coupling_length:.1f}"
    )
