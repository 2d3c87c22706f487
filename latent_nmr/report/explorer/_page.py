"""The page of a model, and the texts on it."""

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latent_nmr._files import staged_file
from latent_nmr.errors import InputError
from latent_nmr.report.explorer._assembly import assemble
from latent_nmr.studies.explorer import ExplorerContent, explorer_of

if TYPE_CHECKING:
    import xarray as xr

    from latent_nmr.studies.explorer import AnyModel, BetaVAE

WINDOWS = {
    "echo": "the echo window",
    "echo300": "the echo window of 300 samples",
    "full": "whole curves",
    "top": "400 samples about the top of the echo",
}
PARTS = {
    "both": ", as real and imaginary part,",
    "real": ", real part,",
    "imaginary": ", imaginary part,",
    "polar": ", as amplitude and local frequency,",
}


class ExplorerPage:
    """A page on which one moves through a latent space.

    Parameters
    ----------
    content : ExplorerContent

    Examples
    --------
    >>> import latent_nmr as ln
    >>> page = ln.explore("echo", ln.load_reference(n_curves=5))
    >>> page.html[:15]
    '<!DOCTYPE html>'
    """

    def __init__(self, content: ExplorerContent):
        self.content = content

    def __repr__(self) -> str:
        facts = self.content.facts
        return f"<ExplorerPage: {facts['title']}, {facts['n_shown']} curves; .html, .save>"

    @property
    def html(self) -> str:
        """The whole page, which needs no other file."""
        facts, arrays = self.content
        return assemble(facts, arrays, _texts(facts))

    def save(self, path: Path | str) -> Path:
        """Write the page as one HTML file, atomically; returns where it is."""
        path, text = Path(path), self.html
        with staged_file(path) as staging:
            staging.write_text(text, "utf-8")
        return path


def explore(
    model: "AnyModel", dataset: "xr.Dataset | None" = None, *, title: str = ""
) -> ExplorerPage:
    """Make one HTML file on which one moves through the latent space of a β-VAE.

    The page holds decoder and encoder with weights in half precision, the embedded data and their
    curves, and needs no network: the decoded curve follows the pointer, beside the nearest
    simulated curve; where the decoder leaves the band of its neighbours the map is hatched; an
    echo that is dropped on it gets its point.

    Parameters
    ----------
    model : BetaVAE or path-like
        Trained on echoes, of two latent axes or more; the folder of a saved one, or the name of
        one that comes with the package.
    dataset : xarray.Dataset, optional
        Echoes to show, sampled like those that the model was trained on; at most 3000 of them
        are kept. By default the reference set.
    title : str
        What the page calls the model; by default its name or folder.

    Returns
    -------
    ExplorerPage
        `.save(path)` writes the file; `.html` is its text.

    Raises
    ------
    InputError
        For a model of one axis, for data that it cannot embed, and without data for a model that
        the reference set is not for.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> page = ln.explore("echo", ln.load_reference(n_curves=50))
    >>> page
    <ExplorerPage: the model echo, 50 curves; .html, .save>
    >>> path = page.save("map.html")
    """
    return ExplorerPage(explorer_of(model, dataset, title=title))


def write_page_of_run(model: "BetaVAE", dataset: "xr.Dataset", path: Path, title: str) -> str:
    """Write the page of a model beside its other results; returns why there is none, if so.

    A model of one axis has no map.
    """
    if model.n_components < 2:
        return ""
    try:
        explore(model, dataset, title=title).save(path)
    except InputError as error:
        return f"no {path.name}: {error}"
    return ""


def _texts(facts: dict[str, Any]) -> dict[str, str]:
    """What the page says around its figures."""
    echo, shown = facts["echo"], facts["n_shown"]
    window = WINDOWS.get(echo["window"], echo["window"])
    part = PARTS.get(echo["part"], "")
    of_all = "" if shown == facts["n_curves"] else f" of {facts['n_curves']:,}"
    lead = (
        f"A β-VAE of {window}{part} with {len(facts['axes'])} latent axes, and {shown:,}{of_all} "
        "simulated curves. Move over the map, drag on it or use its keys: the decoded curve "
        "follows."
    )
    return {
        "title": f"Latent space of {facts['title']}",
        "lead": lead,
        "wanted": _wanted(echo),
        "footer": _footer(facts),
    }


def _wanted(echo: dict[str, Any]) -> str:
    if echo["part"] != "magnitude" or echo["n_protocols"] > 1:
        return "This model sees the phase or several protocols: use latent-nmr embed for echoes."
    return (
        "A column of times (µs, or the unit in its header), then |M|, or Re M and Im M. The file "
        "stays on this computer."
    )


def _footer(facts: dict[str, Any]) -> str:
    n = facts["audit"]["n_neighbors"]
    sentences = [
        f"Hatched: the decoded curve leaves the band (mean ± 2 standard deviations) of the {n} "
        "nearest curves by more than nine in ten of these do with respect to the others. The audit "
        "of the decoder (latent-nmr audit) also compares it with new simulations.",
        f"Grey: these {n} are farther away than for 99 % of the curves.",
        "Ellipse of an echo: two standard deviations of the posterior. For a verdict that knows "
        "noise and phase use latent-nmr measure.",
    ]
    if len(facts["axes"]) > 2:
        sentences.append("Curves whose other coordinates are far from the sliders are pale.")
    return f"<p>{escape(' '.join(sentences))}</p>"
