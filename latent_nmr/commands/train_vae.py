"""Train a β-VAE on spin echoes and write the model, its embedding and its figures."""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from latent_nmr.commands._settings import features_name
from latent_nmr.commands._shell import NUMERICAL_FAILURE, SUCCESS, Report, tell
from latent_nmr.studies.echo_options import ReceiverOptions

if TYPE_CHECKING:
    import xarray as xr

    from latent_nmr.models.beta_vae import BetaVAE
    from latent_nmr.physics.simulate import Simulation
    from latent_nmr.studies.training import TrainingResult

RUNS_FOLDER = Path("artifacts/runs")
PAGE = "map.html"


@dataclass(frozen=True)
class Options(ReceiverOptions):
    """Train a β-VAE on spin echoes and write the model, its embedding and its figures.

    Without --data, on the compact reference set: 3000 simulated curves of preset paper with
    stratified ν. With --simulate N, on N new ones, kept in artifacts/data.
    """

    data: Path | None = None
    """Data set of echoes; without it, the compact reference set."""
    simulate: int | None = None
    """Number of curves of preset paper to simulate and train on."""
    n_curves: int | None = None
    """Number of curves to read, from the first, whole materials; without it, all."""
    data_seed: int = 0
    """Seed of the curves that --simulate makes."""
    line_draw: Literal["independent", "stratified", "frozen"] = "independent"
    """How ν of these curves is drawn."""
    fwhm: float | None = None
    """Full width at half maximum of their line, MHz; without it, that of the preset."""
    setting: Literal["published", "thorough", "repeats"] = "published"
    """Where options that are not given come from: BetaVAE(), BetaVAE.thorough(), which trains to
    the end, or BetaVAE.of_repeats(), which learns from repeats of materials."""
    n_components: int = 2
    """Number of latent axes."""
    hidden_layer_sizes: tuple[int, ...] | None = None
    """Encoder layers, mirrored in the decoder; without it, those of the setting."""
    principal_components: int | None = None
    """Principal components of the curves that are trained on; published: whole curves."""
    augment: Literal["spectrometer", "spectrometer-m0"] | None = None
    """What the encoder sees in training: curves behind a receiver that is drawn again in every
    epoch, whose gain is unknown, or known by |M(0)|. For measured echoes, of the window top."""
    activation: Literal["leaky_relu", "gelu"] | None = None
    """Activation of hidden layers. Published: leaky_relu."""
    beta: float | None = None
    """Weight of the KL term. Published: 2."""
    contrast: float | None = None
    """Weight of the contrast between repeats, for data that have them. Published: 0."""
    likelihood: Literal["gaussian", "bernoulli", "repeats"] | None = None
    """Distribution of the data around the decoded curve. Published: gaussian."""
    scale: float | Literal["learned"] = 0.02
    """σ of the Gaussian likelihood, as a fraction of |M(0)|, or learned from the data."""
    learning_rate: float | None = None
    """Learning rate of Adam. Published: 0.001."""
    schedule: Literal["constant", "cosine"] | None = None
    """Course of the learning rate; cosine rises for 5 % of --max-epochs, then falls to nought.
    Published: constant."""
    batch_size: int = 128
    """Curves per optimiser step."""
    max_epochs: int | None = None
    """Epochs after which training ends if early stopping has not ended it. Published: 1000."""
    patience: int | None = None
    """Epochs without a better validation reconstruction before training stops. Published: 7."""
    validation_fraction: float = 0.15
    """Fraction of the curves held out for early stopping."""
    warm_up_epochs: int = 0
    """Epochs over which β rises linearly to its value."""
    min_epoch_steps: int = 50
    """Fewest optimiser steps in an epoch; a small set is passed several times."""
    seed: int = 0
    """Seed of split, weights, batch order and latent noise."""
    out: Path | None = None
    """Folder to write; without it, artifacts/runs/vae-WINDOW[-PART]-seedSEED."""
    force: bool = False
    """Replace an earlier run."""
    json: bool = False
    """Print the result as one JSON object."""

    def open(self, path: Path) -> "xr.Dataset":
        """The curves to train on."""
        from latent_nmr.studies.stores import open_whole_materials

        n_curves = self.n_curves or self.simulate
        return self.select(open_whole_materials(path, n_curves, name="--n-curves"))


def run(options: Options) -> Report:
    """Open or simulate the data, call the study, write the run folder, report."""
    from latent_nmr.commands._output import Output

    options = for_measured_echoes(options)
    out = options.out or RUNS_FOLDER / f"vae-{features_name(options)}-seed{options.seed}"
    model = untrained_model(options)
    source = source_of(options)
    output = Output("train-vae", options, out, positional=())
    output.settle(model.get_params(), type(model)().get_params())
    inputs = {source: options.digest}
    finished = output.finished(inputs)
    if finished is not None:
        return report_of(*finished, out)
    with output.folder(kept=("checkpoint.safetensors",)) as folder:
        values, digest = train_and_write(options, model, source, folder, out.name)
        manifest = output.write_manifest(values, {source: digest}, folder)
    return report_of(manifest, "", out)


def for_measured_echoes(options: Options) -> Options:
    """Options with the features of measured echoes, where a model is to be trained for them."""
    from latent_nmr.studies.measurement._reference import measured_features

    if options.augment is None:
        return options
    return replace(options, **measured_features(options.augment, options.window))


def train_and_write(
    options: Options, model: "BetaVAE", source: Path, folder: Path, name: str
) -> tuple[dict[str, Any], str]:
    """Fit the model and write everything but the manifest; returns what that says, and of what.

    The page calls the model by `name`.
    """
    from latent_nmr.data.labels import labelled_fingerprint
    from latent_nmr.report.explorer import write_page_of_run
    from latent_nmr.report.training import training_values
    from latent_nmr.studies._workplace import Stopwatch
    from latent_nmr.studies.stores import fill_with_progress

    clock = Stopwatch()
    if options.simulate is not None:
        simulation = simulation_of(options)
        fill_with_progress(source, simulation, options.simulate, tell)
    dataset = options.open(source)
    seen = options.measured(dataset)
    clock.lap("data")
    result = fit(options, model, seen, folder)
    clock.lap("training")
    result.write_model(folder)
    result.table.to_csv(folder / "history.csv", index=False)
    result.embedding.to_csv(folder / "embedding.csv", index=False)
    result.figures.save(folder / "figures")
    remark = write_page_of_run(result.model, seen, folder / PAGE, f"the model {name}")
    if remark:
        tell(remark)
    (folder / "checkpoint.safetensors").unlink(missing_ok=True)
    clock.lap("writing")
    values = {**training_values(result), "data": source, "seconds": clock.seconds}
    return values, labelled_fingerprint(dataset)


def untrained_model(options: Options) -> "BetaVAE":
    """Check every option that can be checked without data, and build the estimator."""
    from latent_nmr.errors import InputError, check_count
    from latent_nmr.models.beta_vae import BetaVAE

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
            "--data and --simulate must not both be given, as each is a source of curves, but are "
            f"{options.data} and {options.simulate}. Leave one out."
        )
    own = (options.data_seed, options.line_draw, options.fwhm)
    if options.simulate is None and own != (0, "independent", None):
        raise InputError(
            "--data-seed, --line-draw and --fwhm must come with --simulate, but there is none, and "
            f"they are {', '.join(map(str, own))}. Pass --simulate N."
        )
    simulation_of(options)
    names = {field.name for field in fields(options)} & set(BetaVAE().get_params())
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    settings = {"thorough": BetaVAE.thorough, "repeats": BetaVAE.of_repeats}
    model = settings.get(options.setting, BetaVAE)(**given, random_state=options.seed)
    model.check_parameters()
    return model


def source_of(options: Options) -> Path:
    """Where the curves come from: --data, the reference set, or the store of --simulate."""
    from latent_nmr.studies.stores import REFERENCE_SET, default_store

    if options.simulate is None:
        return options.data or REFERENCE_SET
    return default_store(simulation_of(options))


def simulation_of(options: Options) -> "Simulation":
    """How the curves of --simulate are made."""
    from latent_nmr.physics.simulate import Simulation

    return Simulation(seed=options.data_seed, line_draw=options.line_draw, fwhm=options.fwhm)


def fit(
    options: Options, model: "BetaVAE", dataset: "xr.Dataset", folder: Path
) -> "TrainingResult":
    """Call the study; says from where an interrupted training continues."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    from latent_nmr.data.windows import window_time
    from latent_nmr.errors import AxisWarning
    from latent_nmr.studies.training import train

    *several, n_samples = window_time(dataset, options.window).shape
    sizes = [f"{n} protocols × " for n in several]
    tell(f"Training on {dataset.sizes['curve']} curves × {''.join(sizes)}{n_samples} samples")
    if options.augment is not None:
        tell("Curves whose echo is lower than 0.05 |M(0)| are left out: chance in ν is as high")
    epochs: list[int] = []

    def continued(record: Any) -> None:
        if not epochs and record.epoch > 1:
            tell(f"Continuing after epoch {record.epoch - 1} of an interrupted training")
        epochs.append(record.epoch)

    with warnings.catch_warnings():
        # The summary says both, with what else there is to know.
        warnings.simplefilter("ignore", AxisWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        return train(
            dataset,
            window=options.window,
            normalisation=options.normalisation,
            part=options.part,
            model=model,
            folder=folder,
            on_epoch=continued,
        )


def report_of(values: dict[str, Any], remark: str, out: Path) -> Report:
    """Lines and values of a run."""
    from latent_nmr.report.training import NOT_FINITE, training_lines

    lines = [remark] if remark else []
    lines += training_lines(values)
    lines.append(f"{'written':<11} {out}/: {', '.join(values['files'])}")
    if PAGE in values["files"]:
        lines.append(f"{'explore':<11} open {out / PAGE} in a browser, and move over the map")
    exit_code = NUMERICAL_FAILURE if values["stop_reason"] == NOT_FINITE else SUCCESS
    return Report(lines, {**values, "out": out}, exit_code)
