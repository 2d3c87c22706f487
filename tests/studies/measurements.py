"""Results of measured echoes for tests: records of all verdicts, files that are refused."""

import numpy as np

from latent_nmr.studies.measurement._records import Estimate, FileResult, RecordResult
from latent_nmr.studies.measurement._result import MeasurementResult, ReferenceMap

TIME = (np.arange(400) - 200) / (2 * np.pi)
KERNELS = ("gaussian", "power", "rkky")


def curve(height=0.6, width=8.0, shift=0.0):
    """An echo on the model's window, shape (400,)."""
    return height * np.exp(-np.abs(TIME - shift) / width) + 0.02


def reference(n_curves=300, n_components=4, seed=0):
    """A map whose first axis is W, and whose other axes are L and noise."""
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((n_curves, n_components))
    labels = {
        "W": 0.2 + 0.1 * np.tanh(points[:, 0]),
        "L": 15 + 10 * np.tanh(points[:, -1]),
        "alpha_x": rng.uniform(0.02, 0.1, n_curves),
        "alpha_z": rng.uniform(0.02, 0.1, n_curves),
        "kernel": np.array([KERNELS[i % 3] for i in range(n_curves)]),
    }
    return ReferenceMap(points, labels)


def estimate(mean, sd):
    return Estimate(mean, sd, mean - sd, mean + sd, mean - 2 * sd, mean + 2 * sd)


def record(verdict="INSIDE", number=0, n_components=4, seed=0, noise=0.02, **changes):
    """A record with this verdict; `changes` replace its fields."""
    rng = np.random.default_rng(seed)
    decoded, nearest = curve(), curve(width=8.6)
    measured = np.abs(decoded + noise * rng.standard_normal(400))
    measured[:40] = np.nan
    has_point = verdict in ("INSIDE", "OUTSIDE")
    spread = rng.standard_normal((n_components, n_components)) / 6
    values = {
        "record": number,
        "verdict": verdict,
        "reason": "The curve lies as near to the simulated ones as they do to each other.",
        "p_value": 0.43 if has_point else None,
        "echo_p_value": 1e-6 if has_point else 0.2,
        "echo_time": 58.2,
        "snr": 13.5,
        "point": 0.3 + rng.standard_normal(n_components) / 3 if has_point else None,
        "covariance": spread @ spread.T + 0.02 * np.eye(n_components) if has_point else None,
        "estimates": {
            "W": estimate(0.19, 0.02),
            "L": estimate(14.0, 5.0),
            "alpha_x": estimate(0.06, 0.01),
            "alpha_z": estimate(0.07, 0.02),
        }
        if has_point
        else {},
        "kernels": {"gaussian": 0.2, "power": 0.62, "rkky": 0.18} if has_point else {},
        "time": TIME,
        "measured": measured,
        "decoded": decoded if has_point else np.full(400, np.nan),
        "nearest": nearest if has_point else np.full(400, np.nan),
        "nearest_labels": {"W": 0.19, "L": 12.5, "kernel": "power"} if has_point else {},
        "noise": noise,
    }
    return RecordResult(**(values | changes))


FACTS = {
    "format": "NQR JSON",
    "nucleus": "209Bi",
    "carrier_frequency": 83.56,
    "scans_done": 1000,
    "scans_asked": 1000,
    "pulse_separation": 124.0,
    "time_factor": 0.806,
    "echo_kind": "echo",
    "echo_width": 11.2,
}
STEPS = [
    {"name": "read", "detail": "Read NQR JSON: 1 record of 4608 points.", "values": {"records": 1}},
    {"name": "carrier", "detail": "Mixed down by 4.994 MHz, found.", "values": {"carrier": 4.994}},
]
REFUSED = FileResult(
    "fid_1D.tnt",
    refused={
        "path": "fid_1D.tnt",
        "reason": "it must hold DATA, but is cut short",
        "cure": "Copy it again.",
    },
)


def result(*records, refused=(REFUSED,), n_components=4):
    """A result of one file with these records (one that is INSIDE), and of refused ones."""
    records = records or (record(n_components=n_components),)
    files = [FileResult("sample_SE.meas", FACTS, STEPS, records), *refused]
    model = {"name": "measured-echo", "n_components": n_components}
    return MeasurementResult(files, model, reference(n_components=n_components))
