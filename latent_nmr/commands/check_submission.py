"""Check a submission file of the challenge."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from latent_nmr.commands._shell import Report


@dataclass(frozen=True)
class Options:
    """Check a submission file of the challenge: rows, columns, tabs, units, ranges."""

    edition: Annotated[
        tyro.conf.Positional[Literal["2020", "2021-gauss", "2021-rkky"]],
        tyro.conf.arg(metavar="EDITION"),
    ]
    """Edition of the challenge: 2020, 2021-gauss or 2021-rkky."""
    file: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FILE")]
    """File to be submitted."""
    n_rows: int | None = None
    """Number of evaluation curves; without it, any number of rows is accepted."""
    out: Path | None = None
    """JSON file for the result; without it, none is written."""
    force: bool = False
    """Replace an existing file."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Read, check, and report the range of every column."""
    from latent_nmr._files import file_digest
    from latent_nmr.commands._output import Output
    from latent_nmr.data.challenge_files import CHALLENGES
    from latent_nmr.data.submission import check_submission

    table = check_submission(options.file, options.edition, options.n_rows)
    names = list(CHALLENGES[options.edition].rules)
    ranges = {
        name: [float(column.min()), float(column.max())]
        for name, column in zip(names, table.T, strict=True)
    }
    columns = ", ".join(f"{name} {low:.3g} to {high:.3g}" for name, (low, high) in ranges.items())
    lines = [f"{options.file}: {len(table)} rows that can be submitted; {columns}"]
    values = {"file": options.file, "n_rows": len(table), "ranges": ranges}
    if options.out is not None:
        positional = ("edition", "file")
        output = Output(
            "check-submission", options, options.out, positional=positional, is_file=True
        )
        lines.append(output.keep_json(values, {options.file: file_digest}))
    return Report(lines, values)
