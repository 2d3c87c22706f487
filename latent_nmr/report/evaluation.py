"""An evaluation in words and files: its table for the terminal, its CSV file, its JSON values."""

import csv
import math
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latent_nmr._files import staged_file
from latent_nmr.analysis.score_names import METHOD_TITLES
from latent_nmr.report._score_blocks import (
    FIT_SECONDS,
    Block,
    blocks,
    cell_in,
    part_of,
)
from latent_nmr.report.failures import failure_lines
from latent_nmr.report.score_table import Row
from latent_nmr.report.shares import share_lines, shares_as_json
from latent_nmr.report.verdicts import Verdict, verdicts

if TYPE_CHECKING:
    from latent_nmr.studies.evaluation import EvaluationResult

MAX_WIDTH = 100
GAP = "  "
# Narrower than on a page.
SHORT_TITLES = {
    "forest": "forest (ceiling)",
    "bottleneck": "bottleneck (ceiling)",
    "shuffled": "shuffled (floor)",
}
FACTS = ("role", "method", "n_components", "score", "mean", "sd", "n_seeds")


def window_text(values: Mapping[str, Any]) -> str:
    """Window of the features, and what of M they are if it is not |M|."""
    part = values.get("part", "magnitude")
    more = "" if part == "magnitude" else f", {part}"
    return f"{values.get('window', 'unknown')} window{more}"


def rows_of(result: "EvaluationResult", part: str) -> list[Row]:
    """The table of a part: by dimension the methods and the floor; the ceiling at the end.

    A score that a seed of a row lacks is left out of the row.
    """
    records = result.records[result.records["part"] == part]
    rows = []
    keys = ["role", "model", "n_components"]
    for (role, model, n_components), own in records.groupby(keys, sort=False, dropna=False):
        seeds = tuple(dict.fromkeys(own["seed"]))
        of_score = own.groupby("score", sort=False)["value"].agg(tuple)
        scores = {str(name): values for name, values in of_score.items()}
        seconds = scores.pop(FIT_SECONDS, ())
        n = None if n_components != n_components else int(n_components)
        whole = {name: values for name, values in scores.items() if len(values) == len(seeds)}
        rows.append(
            Row(
                str(model),
                n,
                tuple(map(int, seeds)),
                whole,
                str(role),
                seconds if len(seconds) == len(seeds) else (),
            )
        )
    return rows


def evaluation_values(result: "EvaluationResult", *, with_verdict: bool = False) -> dict[str, Any]:
    """All numbers of an evaluation as JSON holds them; sentences only where they are asked for."""
    names = (
        "n_curves", "n_training", "n_held_out", "n_scored", "split_seed", "labels", "device",
        "packages", "remarks", "expected_floor", "seconds",
    )  # fmt: skip
    tables = {part: rows_of(result, part) for part in result.parts}
    values: dict[str, Any] = {name: result.facts[name] for name in names}
    if "line_draw" in result.facts:
        values["line_draw"] = result.facts["line_draw"]
    if "receiver" in result.facts:
        values["receiver"] = result.facts["receiver"]
    values["n_neighbors"] = result.facts["n_neighbors"]
    values["sentences"] = {
        part: [said.text for said in verdict(result, part)] if with_verdict else []
        for part in result.parts
    }
    values["tables"] = {part: [row.as_json() for row in rows] for part, rows in tables.items()}
    values["shares"] = {part: shares_as_json(result, part) for part in result.parts}
    return values | {"failures": result.failures}


def verdict(result: "EvaluationResult", part: str = "held-out") -> list[Verdict]:
    """The paper's claim held against an evaluation, and every method beside the β-VAE.

    The claim (A. Rao et al., Phys. Rev. Research 5, 043098 (2023)) is that a VAE finds W, L and
    the kernel where PCA and K-means fail.
    """
    return verdicts(rows_of(result, part), result.facts["expected_floor"][part])


def evaluation_lines(values: Mapping[str, Any]) -> list[str]:
    """What a terminal shows of the values of an evaluation."""
    lines = [
        f"{values['n_curves']} curves of {values['data']}, {window_text(values)}: fitted on "
        f"{values['n_training']}, scored on {values['n_held_out']}"
    ]
    for part, entries in values["tables"].items():
        rows = [Row.from_json(entry) for entry in entries]
        lines += ["", f"{part}, {values['n_scored'][part]} curves", *table_lines(rows)]
        lines += share_lines(values.get("shares", {}).get(part, ()))
    for part, sentences in values["sentences"].items():
        lines += ["", f"{part}:", *sentences] if sentences else []
    lines.append("")
    lines += [f"note       {remark}" for remark in values["remarks"]]
    lines += failure_lines(values["failures"])
    minutes, seconds = divmod(math.floor(values["seconds"]), 60)
    return [*lines, f"time       {minutes} min {seconds} s"]


def table_lines(rows: Sequence[Row]) -> list[str]:
    """The table for people, at most `MAX_WIDTH` wide, in blocks under headings."""
    lines: list[str] = []
    for block in blocks(rows):
        for part in _fitting(block):
            lines += ["", part.title, *_block_lines(part)]
    return lines[1:]


def write_csv(rows: Sequence[Row] | Mapping[str, Sequence[Row]], path: Path) -> None:
    """Write one line per row and score, with one column per seed; atomically.

    Columns are role, method, n_components (empty for the ceiling), score, mean, sd (empty for one
    seed), n_seeds, then ``seed_0``, ``seed_1``, … of all seeds that any row has. Of rows by part
    of the data, the first column is part.
    """
    parts = rows if isinstance(rows, Mapping) else {"": rows}
    first = ("part",) if isinstance(rows, Mapping) else ()
    seeds = sorted({seed for found in parts.values() for row in found for seed in row.seeds})
    heads = [*first, *FACTS, *(f"seed_{seed}" for seed in seeds)]
    with staged_file(path) as staging, staging.open("w", encoding="utf-8", newline="") as handle:
        table = csv.DictWriter(handle, heads, lineterminator="\n")
        table.writeheader()
        for part, found in parts.items():
            for row in found:
                for line in _csv_lines(row):
                    table.writerow({**dict.fromkeys(first, part), **line})


def width(text: str) -> int:
    """Columns of a terminal that `text` takes: none for a combining mark, two for a wide sign."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        for sign in text
    )


def _csv_lines(row: Row) -> Iterator[dict[str, Any]]:
    """One line per score of a row."""
    for score in (*row.scores, FIT_SECONDS):
        cell = cell_in(row, score)
        if cell is not None:
            values = zip(row.seeds, cell.values, strict=True)
            yield {
                "role": row.role,
                "method": row.method,
                "n_components": row.n_components,
                "score": score,
                "mean": cell.mean,
                "sd": cell.deviation if len(cell.values) > 1 else None,
                "n_seeds": len(cell.values),
                **{f"seed_{seed}": value for seed, value in values},
            }


def _fitting(block: Block) -> list[Block]:
    """A block in as few parts as fit the width, of as equal length as they can be."""
    n_columns, parts = len(block.columns), [block]
    for n_parts in range(1, n_columns + 1):
        size = math.ceil(n_columns / n_parts)
        parts = [part_of(block, start, start + size) for start in range(0, n_columns, size)]
        if all(width(_block_lines(part)[0]) <= MAX_WIDTH for part in parts):
            break
    return parts


def _block_lines(block: Block) -> list[str]:
    """Heads and cells, aligned."""
    table = [["method", "axes", *(column.title for column in block.columns)]]
    for row in block.rows:
        n_components = "" if row.n_components is None else str(row.n_components)
        cells = ((cell_in(row, column.name), column.digits) for column in block.columns)
        texts = ["-" if cell is None else cell.text(digits) for cell, digits in cells]
        table.append([_short_title(row), n_components, *texts])
    widths = [max(map(width, entries)) for entries in zip(*table, strict=True)]
    return [
        GAP.join(
            _padded(entry, size, at_left=place == 0)
            for place, (entry, size) in enumerate(zip(entries, widths, strict=True))
        )
        for entries in table
    ]


def _short_title(row: Row) -> str:
    return SHORT_TITLES.get(row.method, METHOD_TITLES.get(row.method, row.method))


def _padded(text: str, size: int, *, at_left: bool) -> str:
    blank = " " * (size - width(text))
    return text + blank if at_left else blank + text
