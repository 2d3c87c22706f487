"""Set what a decoder generates beside fresh simulations: where does it invent structure?"""

import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from latent_nmr.commands._shell import Report

if TYPE_CHECKING:
    import pandas as pd

TABLE, MANIFEST, PROFILE = "audit.csv", "audit.json", "profile"
# Options that change where and how results appear, not what they are.
NOT_SETTINGS = ("out", "force", "json")


@dataclass(frozen=True)
class Options:
    """Set what a decoder generates beside fresh simulations: where does it invent structure?

    Each curve along a latent axis is compared with simulations at the mean W, L and commonest
    kernel of the data nearest to it, and with these data themselves.
    """

    model: tyro.conf.Positional[Path]
    """Folder of a trained model, or the name of one that comes along, such as echo."""
    data: tyro.conf.Positional[Path]
    """Zarr store or compact set of preset paper, with labels."""
    axis: tuple[int, ...] = ()
    """Latent axes, counted from 1; without it, all."""
    span: float = 2.5
    """The walk goes from -SPAN to SPAN."""
    n_steps: int = 11
    """Points of a walk."""
    n_neighbours: int = 20
    """Nearest curves of the data that say what to simulate at a point."""
    n_fields: int = 8
    """Fresh simulations at each point, each with its own ν field."""
    seed: int = 0
    """Seed of the fresh ν fields."""
    out: Path | None = None
    """Folder to write; without it, audit_MODEL."""
    force: bool = False
    """Replace an earlier audit."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Walk along the axes, simulate at every point, compare, draw and write."""
    from latent_nmr.commands._audit import SCATTER_TEXTS, audit_table, prepare, remarks
    from latent_nmr.data.echoes import fingerprint
    from latent_nmr.data.windows import features
    from latent_nmr.studies.stores import load_for_model
    from latent_nmr.studies.trained_model import load_model, training_split

    check_options(options)
    out = options.out or Path(f"audit_{options.model.resolve().name}")
    refuse_replacing(out, force=options.force)
    model = load_model(options.model)
    axes = chosen_axes(options.axis, model.n_components)
    dataset = load_for_model(options.data, model)
    simulation = prepare(dataset, options.data, options.seed)
    X = features(dataset, model.metadata_["window"], model.metadata_["normalisation"])
    audits = audit_with_progress(options, model, dataset, X, simulation, axes)
    table = audit_table(audits)
    sentences = [audit.sentence for audit, _ in audits]
    distances = audits[0][0].spacing
    values: dict[str, Any] = {
        "command": command_of(options, axes),
        "sentences": sentences,
        "remarks": remarks(audits),
        "n_curves": len(X),
        "n_fitted": int((training_split(model, X) == "training").sum()),
        "data_sha256": fingerprint(dataset),
        "scatter": SCATTER_TEXTS[simulation.line_draw],
        "data_spacing": distances._asdict(),
        "points": records(table),
    }
    write(out, options, model, [audit for audit, _ in audits], table, values)
    return Report(report_lines(values, table, options, out), {**values, "out": str(out)})


def check_options(options: Options) -> None:
    """Check all that can be checked without reading a file."""
    from latent_nmr.analysis.neighbourhood import FEWEST_CURVES
    from latent_nmr.errors import check_count, check_number

    check_number("--span", options.span, above=0)
    check_count("--n-steps", options.n_steps, at_least=2)
    check_count("--n-neighbours", options.n_neighbours, at_least=FEWEST_CURVES)
    check_count("--n-fields", options.n_fields, at_least=FEWEST_CURVES)
    check_count("--seed", options.seed, at_least=0, at_most=2**32 - 1)


def chosen_axes(wanted: tuple[int, ...], n_components: int) -> tuple[int, ...]:
    """Axes to walk along, each once and in order."""
    from latent_nmr.errors import InputError

    known = range(1, n_components + 1)
    strangers = [axis for axis in wanted if axis not in known]
    if strangers:
        raise InputError(
            f"--axis must be among 1..{n_components}, the model's latent axes, but is "
            f"{strangers[0]}. Choose one of them."
        )
    return tuple(sorted(set(wanted))) or tuple(known)


def refuse_replacing(out: Path, *, force: bool) -> None:
    """Raise if `out` holds anything, but for an audit and --force."""
    from latent_nmr.errors import InputError

    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out / MANIFEST).is_file():
        raise InputError(
            f"--out must be a new folder or an earlier audit, but {out} holds something else. "
            "Choose another."
        )
    if not force:
        raise InputError(
            f"--out must be a new folder, but {out} holds an audit. Choose another, or use --force."
        )
    for path in sorted(out.iterdir()):
        if path.name not in (TABLE, MANIFEST) and path.suffix not in (".png", ".pdf"):
            raise InputError(
                f"--force must remove nothing but an audit's own files, but {out} also holds "
                f"{path.name}. Move it away, or choose another --out."
            )


def audit_with_progress(options: Options, model, dataset, X, simulation, axes: tuple[int, ...]):
    """`audit_axes` with a progress bar."""
    from tqdm.auto import tqdm

    from latent_nmr.commands._audit import audit_axes

    total = len(axes) * options.n_steps
    with tqdm(total=total, desc="simulating", unit="point", delay=1, disable=None) as bar:
        return audit_axes(
            model,
            dataset,
            X,
            simulation,
            axes,
            span=options.span,
            n_steps=options.n_steps,
            n_neighbours=options.n_neighbours,
            n_fields=options.n_fields,
            on_point=bar.update,
        )


def records(table: "pd.DataFrame") -> list[dict[str, Any]]:
    """Rows of a table as JSON values, which have no NaN."""
    return [
        {name: None if value != value else value for name, value in row.items()}
        for row in table.to_dict("records")
    ]


def write(out: Path, options: Options, model, audits, table: "pd.DataFrame", values) -> None:
    """Write table, manifest and figures, all or none."""
    from latent_nmr._files import staged_folder, write_json
    from latent_nmr.commands._audit_figures import draw_profiles, draw_sheet
    from latent_nmr.plots.style import save_figure

    with staged_folder(out) as staging:
        table.to_csv(staging / TABLE, index=False)
        settings = {
            name: str(value) if isinstance(value, Path) else value
            for name, value in asdict(options).items()
            if name not in NOT_SETTINGS
        }
        write_json(staging / MANIFEST, {**values, "settings": settings})
        for audit in audits:
            save_figure(draw_sheet(model, audit, options.n_fields), staging / f"LA{audit.axis}")
        save_figure(draw_profiles(model, audits), staging / PROFILE)


def command_of(options: Options, axes: tuple[int, ...]) -> str:
    """Command that makes the audit again."""
    words = ["latent-nmr", "audit", str(options.model), str(options.data), "--axis", *axes]
    for name in ("span", "n_steps", "n_neighbours", "n_fields", "seed"):
        words += ["--" + name.replace("_", "-"), getattr(options, name)]
    return shlex.join(str(word) for word in words)


def report_lines(values: dict[str, Any], table: "pd.DataFrame", options: Options, out: Path):
    """The result for people: sentences, one line per point, and what the columns are."""
    from latent_nmr.analysis.audit import chance_outside

    heads = ["axis", "z", "verdict", "rms", "ratio", "outside", "to neighbours", "worst", "µs"]
    rows = [heads] + [
        [
            point.axis,
            f"{point.z:.3g}",
            point.verdict + (", off the data" if point.off_data else ""),
            f"{point.rms:.4f}",
            f"{point.ratio:.1f}",
            f"{point.outside:.0%}",
            f"{point.rms_neighbours:.4f}",
            f"{point.worst_residual:+.3f}",
            f"{point.worst_time_us:.1f}",
        ]
        for point in table.itertuples(index=False)
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if place in (0, 2) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return [
        *values["sentences"],
        "",
        *lines,
        "",
        "rms        of decoded minus simulated; ratio: over the rms scatter of the simulations; "
        f"outside: samples beyond ± 2 sd, {chance_outside(options.n_fields):.0%} for one more "
        "simulation",
        f"scatter    {values['scatter']}",
        f"data       {values['n_curves']} curves of {options.data}, {values['n_fitted']} of which "
        f"the model was fitted to; the nearest {options.n_neighbours} at each point",
        *(f"remark     {sentence}" for sentence in values["remarks"]),
        f"written    {out}/: {TABLE}, {MANIFEST}, figures of each axis and {PROFILE} as .png",
    ]
