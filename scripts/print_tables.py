"""Print tables of kept results as Markdown, as the documents show them.

    python scripts/print_tables.py probes
    python scripts/print_tables.py challenge
    python scripts/print_tables.py evaluation [--run echo] [--part NAME] [--dimensions 2 4]

Reads the results in artifacts/tables, or in the folder of --tables: of probes and challenges all
that say they are one.
"""

import argparse
from pathlib import Path

from latent_nmr import InputError
from latent_nmr.commands.main import run_script
from latent_nmr.report.challenge_tables import challenge_tables
from latent_nmr.report.kept_results import CHALLENGE, PROBE, read_result, read_results
from latent_nmr.report.markdown import COLUMNS, chosen, evaluation_table
from latent_nmr.report.probe_tables import probe_tables


def main() -> None:
    """Read and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("probes", "challenge", "evaluation"))
    parser.add_argument("--tables", type=Path, default=Path("artifacts/tables"))
    parser.add_argument("--run", default="echo", help="name of an evaluation, such as polar-pair")
    parser.add_argument("--part", default="held-out")
    parser.add_argument("--scores", nargs="+", default=COLUMNS)
    parser.add_argument("--dimensions", type=int, nargs="+")
    options = parser.parse_args()
    if options.what == "probes":
        tables = probe_tables(read_results(options.tables, PROBE))
    elif options.what == "challenge":
        tables = challenge_tables(read_results(options.tables, CHALLENGE))
    else:
        result = read_result(options.tables / f"evaluation-{options.run}.json")
        rows = chosen(result, options.part, options.dimensions)
        tables = [evaluation_table(rows, options.scores)]
    text = "\n\n".join(tables)
    if not text:
        raise InputError(f"{options.tables} must hold results of {options.what}, but has none.")
    print(text)


if __name__ == "__main__":
    run_script(main)
