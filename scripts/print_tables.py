"""Print tables of kept results as Markdown, as the documents show them.

    python scripts/print_tables.py probes
    python scripts/print_tables.py challenge
    python scripts/print_tables.py evaluation-echo [--part NAME] [--dimensions 2 4]

Reads artifacts/tables.
"""

import argparse
import json

from latent_nmr.report.kept_tables import TABLES, all_tables
from latent_nmr.report.markdown import chosen, evaluation_table


def main() -> None:
    """Read and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "what", choices=("probes", "challenge", "evaluation-echo", "evaluation-full")
    )
    parser.add_argument("--part", default="held-out")
    parser.add_argument("--dimensions", type=int, nargs="+")
    options = parser.parse_args()
    if options.what in ("probes", "challenge"):
        print("\n\n".join(all_tables(options.what)))
    else:
        result = json.loads((TABLES / f"{options.what}.json").read_text("utf-8"))
        print(evaluation_table(chosen(result, options.part, options.dimensions)))


if __name__ == "__main__":
    main()
