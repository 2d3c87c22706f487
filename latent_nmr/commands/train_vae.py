"""Train a β-VAE on spin echoes and write the model, its embedding and its figures."""

import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from latent_nmr._interrupts import stop_if_interrupted
from latent_nmr.commands._shell import (
    NUMERICAL_FAILURE,
    SUCCESS,
    Report,
    tell,
)

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

    from latent_nmr.models.beta_vae import BetaVAE
    from latent_nmr.models.training import EpochRecord

RUNS_FOLDER = Path("artifacts/runs")

# Options that change where and how results appear, not what they are.
NOT_SETTINGS = ("out", "force", "json")


@dataclass(frozen=True)
class Options:
    """Train a β-VAE on spin echoes and write the model, its embedding and its figures.

    Without --data, on the compact reference set: 3000 simulated curves of preset paper with
    stratified ν. With --simulate N, on N fresh ones, kept in artifacts/data.
    """

    window: str = "echo"
    """Part of the record: echo (400 samples around the echo), full, or echo300."""
    data: Path | None = None
    """Zarr store or compact set of echoes; without it, the compact reference set."""
    simulate: int | None = None
    """Simulate so many curves of preset paper and use these."""
    n_curves: int | None = None
    """Curves to use; without it, all."""
    data_seed: int = 0
    """Seed of the curves that --simulate makes."""
    line_draw: str = "independent"
    """How ν of these curves is drawn: independent, stratified or frozen."""
    normalisation: str = "initial"
    """What |M| is divided by: initial (|M(0)|) or window_max."""
    n_components: int = 2
    """Number of latent axes."""
    beta: float = 2.0
    """Weight of the KL term."""
    likelihood: str = "gaussian"
    """Law of the data around the decoded curve: gaussian or bernoulli."""
    scale: float | Literal["learned"] = 0.02
    """σ of the Gaussian likelihood, as a fraction of |M(0)|; learned takes the best fitting one."""
    learning_rate: float = 1e-3
    """Of Adam."""
    batch_size: int = 128
    """Curves per optimiser step."""
    max_epochs: int = 1000
    """Epochs after which training ends if early stopping has not ended it."""
    patience: int = 7
    """Epochs without a better validation reconstruction before training stops."""
    validation_fraction: float = 0.15
    """Part of the curves held out for early stopping."""
    warm_up_epochs: int = 0
    """Epochs over which β rises linearly to its value."""
    min_epoch_steps: int = 50
    """Fewest optimiser steps in an epoch; a small set is passed several times."""
    seed: int = 0
    """Seed of split, weights, batch order and latent noise."""
    out: Path | None = None
    """Folder to write; without it, artifacts/runs/vae-WINDOW-seedSEED."""
    force: bool = False
    """Replace a run with other settings."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Load or simulate the data, fit, save, report."""
    from latent_nmr.commands._earlier_run import finished_run, refuse_other_data

    out = options.out or RUNS_FOLDER / f"vae-{options.window}-seed{options.seed}"
    settings = settings_of(options)
    model = untrained_model(options)
    finished = finished_run(out, settings, force=options.force)
    if finished is not None:
        missing = refuse_other_data(out, finished, lambda: load_data(options)[0])
        remark = "already finished" + (f" ({missing})" if missing else "")
        return report_of(finished, out, f"{remark}; use --force to train it anew")

    from latent_nmr._files import sole_writer

    with sole_writer(out):
        return train_and_write(options, settings, model, out)


def train_and_write(
    options: Options, settings: dict[str, Any], model: "BetaVAE", out: Path
) -> Report:
    """Fit the model, taking up what an earlier process left, and write the run folder."""
    from latent_nmr._files import staged_folder
    from latent_nmr.commands._earlier_run import progress_file, write_manifest
    from latent_nmr.commands._run_folder import write_run
    from latent_nmr.data.windows import features

    clock = Stopwatch()
    dataset, data_path = load_data(options)
    X = features(dataset, options.window, options.normalisation)
    clock.lap("data")
    progress = progress_file(out)
    fit_with_progress(model, X, progress)
    clock.lap("training")
    with staged_folder(out) as staging:
        result = write_run(staging, model, dataset, X, options.window, options.normalisation)
        clock.lap("writing")
        result |= {
            "settings": settings,
            "data": str(data_path),
            "data_sha256": model.metadata_["data_sha256"],
            "seconds": clock.seconds,
        }
        write_manifest(staging, result)
    progress.unlink(missing_ok=True)
    return report_of(result, out, "")


def settings_of(options: Options) -> dict[str, Any]:
    """Options that decide the result, as JSON holds them."""
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, value in asdict(options).items()
        if name not in NOT_SETTINGS
    }


def untrained_model(options: Options) -> "BetaVAE":
    """Check every option that can be checked without data, and build the estimator."""
    from latent_nmr.data.windows import HALF_WIDTHS, NORMALISATIONS
    from latent_nmr.errors import InputError, check_choice, check_count
    from latent_nmr.models.beta_vae import BetaVAE
    from latent_nmr.physics.line import DRAWS

    check_choice("--window", options.window, HALF_WIDTHS)
    check_choice("--normalisation", options.normalisation, NORMALISATIONS)
    check_choice("--line-draw", options.line_draw, DRAWS)
    check_count("--seed", options.seed, at_least=0, at_most=2**32 - 1)
    check_count("--data-seed", options.data_seed, at_least=0)
    for name, count in (("--n-curves", options.n_curves), ("--simulate", options.simulate)):
        if count is not None:
            check_count(name, count, at_least=2)
    if options.simulate is not None and (options.n_curves or 0) > options.simulate:
        raise InputError(
            f"--n-curves must be at most --simulate, but is {options.n_curves} of "
            f"{options.simulate}. Simulate more."
        )
    if options.data is not None and options.simulate is not None:
        raise InputError(
            "--data and --simulate must not both say where curves come from, but are "
            f"{options.data} and {options.simulate}. Leave one out."
        )
    if options.simulate is None and (options.data_seed, options.line_draw) != (0, "independent"):
        raise InputError(
            "--data-seed and --line-draw must come with --simulate, but there is none, and they "
            f"are {options.data_seed} and {options.line_draw}. Say --simulate N."
        )
    names = {field.name for field in fields(options)} & set(BetaVAE().get_params())
    parameters = {name: getattr(options, name) for name in names}
    model = BetaVAE(**parameters, random_state=options.seed)
    model.check_parameters()
    return model


def load_data(options: Options) -> tuple["xr.Dataset", Path]:
    """Read --data or the reference set, or simulate fresh curves and read these."""
    from latent_nmr.data.io import open_echoes
    from latent_nmr.physics.simulate import Simulation
    from latent_nmr.studies.stores import REFERENCE_SET, default_store, fill_with_progress

    if options.simulate is None:
        path = options.data or REFERENCE_SET
        return open_echoes(path, options.n_curves), path
    simulation = Simulation(seed=options.data_seed, line_draw=options.line_draw)
    path = default_store(simulation)
    fill_with_progress(path, simulation, options.simulate, tell)
    return open_echoes(path, options.n_curves or options.simulate), path


def fit_with_progress(model: "BetaVAE", X: "np.ndarray", progress: Path) -> None:
    """Fit, with a line that tells epoch and losses as they come; continues a killed training."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from tqdm.auto import tqdm

    from latent_nmr.errors import AxisWarning

    tell(f"Training on {len(X)} curves × {X.shape[1]} samples")
    with (
        tqdm(unit="epoch", disable=None, bar_format="{n_fmt} epochs [{elapsed}{postfix}]") as bar,
        warnings.catch_warnings(),
    ):
        # The summary says both, with what else there is to know.
        warnings.simplefilter("ignore", AxisWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        is_first = True

        def show(record: "EpochRecord") -> None:
            nonlocal is_first
            stop_if_interrupted()
            if is_first and record.epoch > 1:
                tell(f"Continuing after epoch {record.epoch - 1} of an interrupted training")
            is_first = False
            bar.set_postfix_str(
                f"validation reconstruction {record.validation_reconstruction:.1f}, "
                f"KL {record.validation_kl:.2f}",
                refresh=False,
            )
            bar.update(record.epoch - bar.n)

        model.fit(X, on_epoch=show, checkpoint=progress)


class Stopwatch:
    """Wall time of each part of a job, in seconds."""

    def __init__(self):
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, part: str) -> None:
        """Book the time since the last call on `part`."""
        now = time.perf_counter()
        self.seconds[part] = round(now - self._last, 2)
        self._last = now


def report_of(result: dict[str, Any], out: Path, remark: str) -> Report:
    """Lines and values that tell how a run went."""
    from latent_nmr.commands._run_folder import summary_lines

    lines = summary_lines(result, out)
    if remark:
        lines.insert(0, f"{out} is {remark}.")
    failed = result["stop_reason"] == "loss not finite"
    if failed:
        lines.append(
            f"{'failed':<11} the loss left the finite numbers in epoch {result['n_epochs']}; the "
            f"weights of epoch {result['best_epoch']} are kept. Lower --learning-rate, or raise "
            "--scale."
        )
    exit_code = NUMERICAL_FAILURE if failed else SUCCESS
    return Report(lines, {**result, "out": str(out)}, exit_code)
