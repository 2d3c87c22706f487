"""What the site has of its own: result tables, pages of commands, formulas without a script."""

import re
from pathlib import Path

import command_pages
from docutils import nodes
from docutils.parsers.rst import directives
from latex2mathml.converter import convert
from result_tables import ARTIFACTS, MAX_ROWS, TABLES, excerpt, result_table, score
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

import latent_nmr


class ResultTable(SphinxDirective):
    """A table of `artifacts/`: at most five of its rows, and where all of them are.

        ```{result-table} evaluation-full
        :rows: β-VAE, 2; PCA, 2
        :columns: R² W; R² L
        ```

    `:all:` shows every row, on the page that gathers all tables.
    """

    required_arguments = 1
    option_spec = {  # noqa: RUF012
        "rows": directives.unchanged,
        "columns": directives.unchanged,
        "all": directives.flag,
    }

    def run(self) -> list[nodes.Node]:
        """Nodes of the table and of the line below it."""
        name = self.arguments[0]
        try:
            whole = result_table(name)
            limit = None if "all" in self.options else MAX_ROWS
            shown = excerpt(whole, self._names("rows"), self._names("columns"), limit)
        except (KeyError, ValueError) as error:
            raise self.error(f"result-table {name}: {error}") from error
        for source in whole.sources:
            self.env.note_dependency(str(ARTIFACTS / source))
        table = nodes.container(classes=["result-table"])
        self.state.nested_parse([shown.text()], self.content_offset, table)
        below = nodes.paragraph(classes=["result-source"])
        if "all" not in self.options:
            words = _counted(len(shown.rows), len(whole.rows))
            below += self.parse_inline(f"{words}: ")[0]
            below += self.parse_inline(f"{{ref}}`the whole table <{name}>`, ")[0]
        below += nodes.raw("", f'<a href="{self._csv(name, whole)}">CSV</a>', format="html")
        below += self.parse_inline(f"; from {_places(whole.sources)}")[0]
        return [table, below]

    def _names(self, option: str) -> list[str]:
        return [part.strip() for part in self.options.get(option, "").split(";") if part.strip()]

    def _csv(self, name: str, whole) -> str:
        """Write the whole table beside the pages; its place, as seen from this page."""
        folder = Path(self.env.app.outdir) / "_downloads" / "tables"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.csv").write_text(whole.as_csv(), "utf-8")
        return "../" * self.env.docname.count("/") + f"_downloads/tables/{name}.csv"


def _counted(shown: int, whole: int) -> str:
    return f"{shown} of {whole} rows" if shown < whole else f"All {whole} rows"


def _places(sources: tuple[str, ...]) -> str:
    """Files in a few words: many of one kind by their pattern."""
    if len(sources) == 1:
        return f"`artifacts/{sources[0]}`"
    stem = sources[0].partition("-")[0]
    return f"`artifacts/{stem}-*.json`"


class AllTables(SphinxDirective):
    """Every table there is, each under its name."""

    def run(self) -> list[nodes.Node]:
        """Nodes of all sections."""
        lines = []
        for name in TABLES:
            title = result_table(name).title
            lines += [f"({name})=", f"## {title}", "", f"```{{result-table}} {name}"]
            lines += [":all:", "```", ""]
        found = nodes.section()
        self.state.nested_parse(lines, self.content_offset, found, match_titles=True)
        return found.children


class Score(SphinxRole):
    """A number of a table: {score}`evaluation-full | β-VAE, 2 | R² W`."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """The text of the cell."""
        name, row, column = (part.strip() for part in self.text.split("|"))
        try:
            text = score(name, row, column)
        except (KeyError, ValueError) as error:
            message = self.inliner.reporter.error(f"score {self.text}: {error}", line=self.lineno)
            return [self.inliner.problematic(self.rawtext, self.rawtext, message)], [message]
        for source in result_table(name).sources:
            self.env.note_dependency(str(ARTIFACTS / source))
        return [nodes.inline(text, text, classes=["score"])], []


def visit_inline_formula(writer, node) -> None:
    """A formula in a line, as MathML: browsers draw it, and nothing is fetched."""
    writer.body.append(convert(node.astext()))
    raise nodes.SkipNode


def visit_formula(writer, node) -> None:
    """A formula of its own, as MathML."""
    source = node.astext()
    if "\\\\" in source or "&" in source:
        source = rf"\begin{{aligned}}{source}\end{{aligned}}"
    formula = convert(source, display="block")
    number = f'<span class="eqno">({node["number"]})</span>' if node.get("number") else ""
    writer.body.append(f'<div class="math">{number}{formula}</div>\n')
    raise nodes.SkipNode


def keep_bars(app, what, name, obj, options, lines) -> None:
    """|M| in a docstring is a length, not a substitution of reStructuredText."""
    for number, line in enumerate(lines):
        pieces = re.split(r"(``?[^`]*``?)", line)
        pieces[::2] = [re.sub(r"(?<!\\)\|", r"\\|", piece) for piece in pieces[::2]]
        lines[number] = "".join(pieces)


def write_command_pages(app: Sphinx) -> None:
    """Make the pages of the commands before any page is read."""
    command_pages.write_pages(Path(app.srcdir) / "generated" / "commands")


def write_explorer(app: Sphinx, failure: Exception | None) -> None:
    """Make the explorer of a trained model beside the pages."""
    if failure is None and app.builder.format == "html":
        folder = Path(app.outdir) / "explorer"
        folder.mkdir(exist_ok=True)
        latent_nmr.explore("echo").save(folder / "echo.html")


def setup(app: Sphinx) -> dict:
    """Register all of it."""
    app.add_directive("result-table", ResultTable)
    app.add_directive("all-result-tables", AllTables)
    app.add_role("score", Score())
    app.add_html_math_renderer("mathml", (visit_inline_formula, None), (visit_formula, None))
    app.connect("builder-inited", write_command_pages, priority=400)
    app.connect("build-finished", write_explorer)
    app.connect("autodoc-process-docstring", keep_bars, priority=900)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": True}
