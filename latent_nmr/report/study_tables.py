"""Tables of the kept studies of the β-VAE as Markdown: likelihoods, settings and noise.

docs/beta_vae.md and docs/evaluation.md show them; `scripts/study_*` print them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from latent_nmr.analysis.score_names import HEADLINES, METHOD_TITLES, SCORES, by_current_name
from latent_nmr.report.cells import cell
from latent_nmr.report.evaluation import rows_of
from latent_nmr.report.markdown import markdown
from latent_nmr.report.score_table import Row, find_row
from latent_nmr.studies.evaluation import EvaluationResult
from latent_nmr.studies.noise import CLEAN, HELD_OUT, noise_level

# Columns of the table of likelihoods: key, title, decimals.
LIKELIHOOD_COLUMNS = (
    ("active_axes", "active axes", 1),
    ("smallest_axis_variance", "least variance", 2),
    ("epochs", "epochs", 0),
    ("rms", "rms", 4),
    ("W", "R² W", 3),
    ("L", "R² L", 3),
    ("alpha_x", "R² α_x", 3),
)
HEADLINE_COLUMNS = tuple((name, SCORES[name].title, 3) for name in HEADLINES)
SETTINGS_COLUMNS = (*HEADLINE_COLUMNS, ("rms", "rms", 4), ("epochs", "epochs", 0))


def noise_rows(results: Mapping[str, EvaluationResult]) -> dict[str, dict[str, list[Row]]]:
    """Rows by what was fitted on, then by what was scored, of `studies.noise.evaluate_noise`."""
    return {
        fitted: {
            fitted if part == HELD_OUT else part: rows_of(result, part) for part in result.parts
        }
        for fitted, result in results.items()
    }


def rows_as_json(rows: Any) -> Any:
    """Rows in nested mappings and lists, as JSON holds them."""
    if isinstance(rows, Mapping):
        return {name: rows_as_json(entry) for name, entry in rows.items()}
    return rows.as_json() if isinstance(rows, Row) else [row.as_json() for row in rows]


def likelihood_table(window: str, found: Mapping[str, Mapping[str, Any]]) -> str:
    """Scores by likelihood in one window; `values` of each are by seed."""
    rows = []
    for title, kept in found.items():
        row = by_current_name(kept)
        cells = [
            cell(row[key]["values"], digits) if key in row else ""
            for key, _, digits in LIKELIHOOD_COLUMNS
        ]
        rows.append([title, *cells])
    return markdown([f"{window} window", *(title for _, title, _ in LIKELIHOOD_COLUMNS)], rows)


def settings_table(rows: Mapping[str, Mapping[str, Row]]) -> str:
    """Scores by setting and number of axes."""
    lines = []
    for title, by_dimension in rows.items():
        for dimension, row in by_dimension.items():
            lines.append([title, dimension, *_texts(row, SETTINGS_COLUMNS)])
    return markdown(["", "axes", *(title for _, title, _ in SETTINGS_COLUMNS)], lines)


def settings_row(result: EvaluationResult, n_components: int) -> Row:
    """Headline scores, rms and epochs of one setting, one value per seed.

    Parameters
    ----------
    result : EvaluationResult
        Of `studies.settings.score_setting`.
    n_components : int
    """
    known = rows_of(result, HELD_OUT)[0]
    wanted = (*HEADLINES, "rms")
    scores = {name: known.scores[name] for name in wanted if name in known.scores}
    scores["epochs"] = tuple(float(fit["epochs"]) for fit in result.facts["fits"])
    return Row("vae", n_components, known.seeds, scores)


def truth_row(scores: Mapping[str, float], n_components: int) -> Row:
    """Scores of `studies.settings.true_parameter_scores`, as a row of the table of settings."""
    by_score = {name: (value,) for name, value in scores.items()}
    return Row("truth", n_components, (0,), by_score)


def noise_table(tables: Mapping[str, Mapping[str, Sequence[Row]]], levels: Sequence[float]) -> str:
    """Headline scores of every method at every level, fitted on clean and on noisy curves.

    Parameters
    ----------
    tables : mapping
        Rows by what was fitted on, then by what was scored: `CLEAN` or a :func:`noise_level`.
    levels : sequence of float
        Signal-to-noise ratios.
    """
    lines = []
    for method in dict.fromkeys(row.method for row in tables[CLEAN][CLEAN] if row.role == "method"):
        for snr in (None, *sorted(levels, reverse=True)):
            level = CLEAN if snr is None else noise_level(snr)
            for fitted in dict.fromkeys((CLEAN, level)):
                row = find_row(tables[fitted][level], method, 2)
                what = "clean" if fitted == CLEAN else "noisy"
                name = "none" if snr is None else f"{snr:g}"
                texts = [] if row is None else _texts(row, HEADLINE_COLUMNS)
                lines.append([METHOD_TITLES[method], what, name, *texts])
    return markdown(["", "fitted on", "SNR", *(title for _, title, _ in HEADLINE_COLUMNS)], lines)


def _texts(row: Row, columns: Sequence[tuple[str, str, int]]) -> list[str]:
    cells = [(row.cell(name), digits) for name, _, digits in columns]
    return ["" if found is None else found.text(digits) for found, digits in cells]
