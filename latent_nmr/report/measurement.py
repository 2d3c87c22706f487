"""Words for measured echoes: lines for a terminal, and the texts that the page shares with them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import PurePath
from typing import Any

KERNEL_TITLES = {"gaussian": "Gaussian", "power": "power law", "rkky": "RKKY"}
# Number of digits behind the point, and unit.
LABEL_FORMS = {
    "W": (3, "MHz"),
    "L": (1, "lattice constants"),
    "alpha_x": (3, "MHz"),
    "alpha_z": (3, "MHz"),
}
VERDICT_MEANINGS = {
    "INSIDE": "The curve differs from the model's own by no more than its noise explains. Point "
    "and estimates hold if the sample is of the simulated kind: this line, one of these kernels.",
    "OUTSIDE": "No simulated curve is like this one. Its point and its estimates are those of "
    "the curves that come nearest, not of the sample.",
    "TOO NOISY": "There is an echo, but its noise is more than the model was tested with.",
    "NO ECHO": "Nothing stands out of the noise as an echo would.",
}
# As many rows of a file go to a terminal.
MOST_ROWS = 100
# Parameters of the library that have another name as options of the command.
OPTION_NAMES = {
    "pulse_separation": "tau",
    "flip_angle_deg": "theta",
    "random_state": "seed",
    "posterior": "model",
}
# A training on curves of another line, in Python and as a command.
RETRAINED = r"ln\.train\(ln\.simulate\('paper', (\d+), fwhm=([\d.e-]+)\), .*\)\)"
RETRAIN = r"latent-nmr train-vae --simulate \1 --fwhm \2 --setting thorough --augment spectrometer"
PARAMETERS = "pulse_separation|echo_time|m0|fwhm|carrier|bandwidth|train|crop|columns|time_unit"
PARAMETERS += "|dwell|points_per_record|domain"
# These are told from words of a sentence wherever they stand.
BARE = "pulse_separation|echo_time|time_unit|points_per_record|fwhm|flip_angle_deg|random_state"
BARE += "|n_draws|n_materials|flip_error|posterior(?= must)"
HEADS = ("record", "verdict", "echo (µs)", "SNR", "W (MHz)", "L", "kernel", "p")
# Names that every experiment of a spectrometer has.
PLAIN_NAMES = ("fid", "ser")
NOTHING = "–"
SMALL = 1e-3
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def measurement_lines(values: Mapping[str, Any]) -> list[str]:
    """A table for each file, and every refused file with its reason and cure.

    Parameters
    ----------
    values : mapping
        What :meth:`MeasurementResult.as_json` gives, with or without arrays.
    """
    lines = []
    for file in values["files"]:
        if file["refused"] is None:
            lines += [*_file_lines(file), ""]
    for file in values["files"]:
        if file["refused"] is not None:
            lines.append(f"refused    {refusal_text(file['refused'])}")
    return lines or ["no files"]


def refusal_text(refused: Mapping[str, str]) -> str:
    """Path, reason and cure of a refused file, in a line."""
    reason = refused["reason"].rstrip(".")
    return f"{refused['path']}: {reason}. {refused['cure']}".strip()


def in_options(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a result whose texts name options of the command, not parameters."""
    files = [dict(file) for file in values["files"]]
    for file in files:
        if file["refused"]:
            texts = {name: options_in(file["refused"][name]) for name in ("reason", "cure")}
            file["refused"] = file["refused"] | texts
        file["records"] = [
            record | {"reason": options_in(record["reason"])} for record in file.get("records", ())
        ]
    return {**values, "files": files}


def options_in(text: str) -> str:
    """A message with options in place of parameters: pulse_separation=100 is --tau 100.

    Examples
    --------
    >>> from latent_nmr.report.measurement import options_in
    >>> options_in("pulse_separation must be > 0 µs, but is -5. State it: time_unit='µs'.")
    '--tau must be > 0 µs, but is -5. State it: --time-unit us.'
    """

    def as_option(found: re.Match) -> str:
        own = str(found[1])
        name = OPTION_NAMES.get(own, own).replace("_", "-")
        value = re.sub("[(),'\"]+", " ", found[2] or "").replace("µs", "us").split()
        return " ".join([f"--{name}", *value])

    stated = rf"(?<![\w(])({PARAMETERS})=(\([^)]*\)|'[^']*'|[\d.]*\d|…)"
    bare = rf"(?<![\w(-])({BARE})()\b"
    text = re.sub(RETRAINED, RETRAIN, text).replace("anyway=True", "--anyway")
    return re.sub(bare, as_option, re.sub(stated, as_option, text))


def file_title(path: str) -> str:
    """Name of a file; of an experiment that is called by its number or `fid`, with its folder's."""
    own = PurePath(path)
    is_telling = not own.name.isdecimal() and own.name not in PLAIN_NAMES
    return own.name if is_telling or not own.parent.name else f"{own.parent.name}/{own.name}"


def facts_text(facts: Mapping[str, Any]) -> str:
    """What is known of a file, in a line."""
    parts = [str(facts[name]) for name in ("format", "nucleus") if facts.get(name)]
    if facts.get("carrier_frequency"):
        parts.append(f"{facts['carrier_frequency']:.6g} MHz")
    if facts.get("scans_done") is not None:
        asked = facts.get("scans_asked")
        of = f" of {asked:g}" if asked is not None and asked != facts["scans_done"] else ""
        parts.append(f"{facts['scans_done']:g}{of} scans")
    if facts.get("pulse_separation"):
        parts.append(f"τ {facts['pulse_separation']:.4g} µs")
    factor = facts.get("time_factor", 1)
    if abs(factor - 1) > 1e-3:
        parts.append(f"times multiplied by {factor:.4g} for the model")
    return ", ".join(parts)


def estimate_text(estimates: Mapping[str, Mapping[str, float]], label: str) -> str:
    """Mean ± standard deviation of a label; a dash where there is none."""
    if label not in estimates:
        return NOTHING
    digits, _ = LABEL_FORMS[label]
    found = estimates[label]
    return f"{found['mean']:.{digits}f} ± {found['sd']:.{digits}f}"


def kernel_text(kernels: Mapping[str, float]) -> str:
    """The likeliest kernel with its share."""
    if not kernels:
        return NOTHING
    name = max(kernels, key=kernels.__getitem__)
    return f"{KERNEL_TITLES.get(name, name)} {100 * kernels[name]:.0f} %"


def p_text(p_value: float | None) -> str:
    """A probability with two digits, a small one as a power of ten; a dash where there is none."""
    if p_value is None:
        return NOTHING
    if not 0 < p_value < SMALL:
        return f"{p_value:.2g}"
    digits, _, power = f"{p_value:.0e}".partition("e")
    return f"{digits}·10{str(int(power)).translate(SUPERSCRIPTS)}"


def snr_text(snr: float) -> str:
    """A ratio with three digits, without an exponent."""
    return f"{snr:.0f}" if snr >= 100 else f"{snr:.3g}"


def record_cells(record: Mapping[str, Any]) -> list[str]:
    """Cells of a record under `HEADS`."""
    return [
        str(record["record"]),
        record["verdict"],
        f"{record['echo_time']:.1f}",
        snr_text(record["snr"]),
        *(sample_text(record, name) for name in ("W", "L", "kernel")),
        p_text(record["p_value"]),
    ]


def sample_text(record: Mapping[str, Any], name: str) -> str:
    """A label or the kernel of a sample; a dash outside, where the numbers are not the sample's."""
    if record["verdict"] == "OUTSIDE":
        return NOTHING
    if name == "kernel":
        return kernel_text(record["kernels"])
    return estimate_text(record["estimates"], name)


def verdict_counts(records: Sequence[Mapping[str, Any]]) -> str:
    """How many records there are of each verdict, such as "95 INSIDE, 5 OUTSIDE"."""
    verdicts = [record["verdict"] for record in records]
    counts = {name: verdicts.count(name) for name in VERDICT_MEANINGS}
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def _file_lines(file: Mapping[str, Any]) -> Iterator[str]:
    """Name, facts, table and reasons of a file that was used."""
    yield file["path"]
    yield f"  {facts_text(file['facts'])}"
    yield from _table(file["records"])
    yield from _reasons(file["records"])
    if file["steps"]:
        yield f"  {len(file['steps'])} steps of reading and preparation, on the page and in JSON"


def _table(records: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    rows = [list(HEADS), *map(record_cells, records[:MOST_ROWS])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.ljust(width) if head in ("verdict", "kernel") else cell.rjust(width)
            for head, cell, width in zip(HEADS, row, widths, strict=True)
        ]
        yield "  " + "  ".join(cells).rstrip()
    if len(records) > MOST_ROWS:
        yield f"  and {len(records) - MOST_ROWS} more records, on the page and in JSON"


def _reasons(records: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The reason of each verdict: of its first record, where it has several."""
    ordered = sorted(records, key=lambda record: list(VERDICT_MEANINGS).index(record["verdict"]))
    for verdict, of_verdict in groupby(ordered, key=lambda record: record["verdict"]):
        found = list(of_verdict)
        which = f" ({len(found)} records; of record {found[0]['record']})" if len(found) > 1 else ""
        yield f"  {verdict}{which}: {found[0]['reason']}"
