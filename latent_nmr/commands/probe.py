"""What supervised models predict from echoes: kernel, W, L and couplings, on held-out curves."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from latent_nmr.commands._settings import features_name
from latent_nmr.commands._shell import SOME_REFUSED, SUCCESS, DataPath, Report
from latent_nmr.studies.echo_options import FeatureOptions

Classifiers = tuple[
    Literal["logistic", "knn", "linear_svm", "kernel_svm", "sgd", "tree", "forest", "boosting"], ...
]
RESULT_FILE, TABLE_FILE = "probe.json", "scores.csv"
# Options that are no parameters of the study.
NOT_PARAMETERS = ("data", "protocol", "out", "force", "json")


@dataclass(frozen=True)
class Options(FeatureOptions):
    """Fit classifiers, forests and networks to labelled echoes; score them on held-out curves.

    The supervised half of the published study: which law a curve follows (power law or not, and
    three kernels), screening by W, and regression of W, L and couplings, on points of the curve, on
    multi-scale polynomials, and on coordinates learned without labels. Smaller classes are repeated
    in the training part only.
    """

    data: DataPath
    """Labelled echoes, in any form that the package reads."""
    features: tuple[str, ...] = ("points", "polynomial", "pca", "latent")
    """Features: points, polynomial, pca, latent; or several side by side, as in points+latent."""
    targets: Annotated[tuple[str, ...], tyro.conf.arg(aliases=["--target"])] = (
        "kernel", "W", "L", "alpha_x", "alpha_z",
    )  # fmt: skip
    """Targets to predict: kernel, W, L, alpha_x, alpha_z, or other labels that are numbers."""
    tasks: tuple[Literal["binary", "three-class"], ...] = ("binary", "three-class")
    """Classifications of the kernel: binary (power law or not), three-class."""
    classifiers: Annotated[Classifiers, tyro.conf.arg(aliases=["--algorithms"])] = (
        "logistic", "knn", "linear_svm", "kernel_svm", "sgd", "tree", "forest", "boosting",
    )  # fmt: skip
    """Classifiers of the kernel."""
    regressors: tuple[Literal["forest", "network"], ...] = ("forest",)
    """Regressors: forest (one per target) or network (one model for all targets and the kernel)."""
    n_components: int = 2
    """Coordinates of pca and of latent, the β-VAE fitted to the training part."""
    n_seeds: int = 5
    """Repetitions, each with its own split and fits."""
    n_forest_seeds: int | None = None
    """The same for forests on points and polynomials: regression and its importances, out-of-bag
    and five-fold scores; by default the same number."""
    n_detail_seeds: int | None = None
    """The same for leak, feature elimination and screening by W (power law or not, on points and
    polynomials); by default the same number; 0 leaves them out, and out-of-bag and five-fold."""
    held_out: float = 0.2
    """Fraction of the curves that is only scored."""
    n_trees: int = 100
    """Trees of every random forest."""
    out: Path | None = None
    """Folder to write; by default artifacts/runs/probe-WINDOW[-PART]."""
    force: bool = False
    """Replace an earlier probe; fits on the same data are kept."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Probe the data, write the result, report."""
    from latent_nmr._files import write_json
    from latent_nmr.commands._output import Output
    from latent_nmr.report.probes import probe_values
    from latent_nmr.studies.probes.study import probe
    from latent_nmr.studies.probes.tables import write_csv

    out = options.out or Path("artifacts/runs") / f"probe-{features_name(options)}"
    output = Output("probe", options, out)
    earlier = output.finished({options.data: options.digest})
    if earlier is not None:
        return _report(_read(out / RESULT_FILE), earlier[0]["files"], earlier[1], out)
    dataset = options.open(options.data)
    parameters = {k: v for k, v in vars(options).items() if k not in NOT_PARAMETERS}
    with output.folder(kept=("steps", "seconds.json")) as folder:
        result = probe(dataset, folder=folder, **parameters)
        values = probe_values(result, command=output.command, settings=output.settings)
        result.figures.save(folder / "figures")
        result.write_into(folder)
        write_csv(result.tables, folder / TABLE_FILE)
        write_json(folder / RESULT_FILE, values)
        inputs = {options.data: result.facts["data_sha256"]}
        manifest = output.write_manifest({}, inputs, folder)
    return _report(values, manifest["files"], "", out)


def _report(values: dict[str, Any], files: list[str], remark: str, out: Path) -> Report:
    """Tables and places for people; the whole result for `--json`."""
    from latent_nmr.commands._output import written_line
    from latent_nmr.report.probes import probe_lines

    lines = [*([remark] if remark else []), *probe_lines(values)]
    lines.append(written_line(out, files))
    exit_code = SOME_REFUSED if values["failures"] else SUCCESS
    return Report(lines, {**values, "out": out}, exit_code)


def _read(path: Path) -> dict[str, Any]:
    import json

    from latent_nmr._regular import regular
    from latent_nmr.errors import InputError

    try:
        return json.loads(regular(path).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"--out must hold a whole probe, but {path} is damaged ({type(error).__name__}). Use "
            "--force to recompute, or choose another --out."
        ) from error
