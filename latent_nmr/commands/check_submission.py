"""Check a submission file of the challenge."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from latent_nmr.commands._shell import Report


@dataclass(frozen=True)
class Options:
    """Check a submission file of the challenge: rows, columns, tabs, units, ranges."""

    edition: tyro.conf.Positional[Literal["2020", "2021-gauss", "2021-rkky"]]
    """Edition of the challenge."""
    file: tyro.conf.Positional[Path]
    """File to be submitted."""
    n_rows: int | None = None
    """Number of evaluation curves; without it, any number of rows is accepted."""
    out: Path | None = None
    """File to write the result to, as JSON."""
    force: bool = False
    """Replace an existing file."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Read, check, and report the range of every column."""
    from latent_nmr._files import write_json
    from latent_nmr.commands._output import refuse_overwriting
    from latent_nmr.data.challenge_files import CHALLENGES
    from latent_nmr.data.submission import check_submission
    from latent_nmr.errors import check_count

    if options.n_rows is not None:
        check_count("--n-rows", options.n_rows)
    if options.out is not None:
        refuse_overwriting([options.out], options.force)
    table = check_submission(options.file, options.edition, options.n_rows)
    names = list(CHALLENGES[options.edition].rules)
    ranges = {
        name: [float(column.min()), float(column.max())]
        for name, column in zip(names, table.T, strict=True)
    }
    columns = ", ".join(f"{name} {low:.3g} to {high:.3g}" for name, (low, high) in ranges.items())
    lines = [f"{options.file}: {len(table)} rows that can be submitted; {columns}"]
    values = {"file": str(options.file), "n_rows": len(table), "ranges": ranges}
    if options.out is not None:
        write_json(options.out, values)
        lines.append(f"{options.out}: the same as JSON")
    return Report(lines, values)
