"""Check a submission file of the challenge."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from latent_nmr.commands._shell import Report


@dataclass(frozen=True)
class Options:
    """Check a submission file of the challenge: rows, columns, tabs, units, ranges."""

    edition: tyro.conf.Positional[str]
    """2020, 2021-gauss or 2021-rkky."""
    file: tyro.conf.Positional[Path]
    """What is to be submitted."""
    n_rows: int | None = None
    """Curves of the evaluation set; without it, any number will do."""
    out: Path | None = None
    """File to write the result to as well, as JSON."""
    force: bool = False
    """Replace an existing file."""
    json: bool = False
    """Print the result as one JSON object."""


def run(options: Options) -> Report:
    """Read, check, and say what the columns hold."""
    from latent_nmr._files import write_json
    from latent_nmr.commands._output import refuse_overwriting
    from latent_nmr.data.formats import CHALLENGES
    from latent_nmr.data.submission import SUBMISSION_NAMES, check_submission
    from latent_nmr.errors import check_choice, check_count

    kind = check_choice("the edition", options.edition, SUBMISSION_NAMES)
    if options.n_rows is not None:
        check_count("--n-rows", options.n_rows)
    if options.out is not None:
        refuse_overwriting([options.out], options.force)
    table = check_submission(options.file, kind, options.n_rows)
    names = list(CHALLENGES[kind].rules)
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
