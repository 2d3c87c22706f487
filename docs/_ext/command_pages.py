"""Pages of the commands, made from their parsers: what --help says, and an example of each."""

import re
import warnings
from importlib import import_module
from pathlib import Path

from latent_nmr.commands.main import COMMANDS

# Each with the page that says more, and command lines that a test parses.
EXAMPLES = {
    "simulate": (
        "simulator",
        [
            "latent-nmr simulate --preset paper --n-curves 1500 --seed 0 --out echoes.zarr",
            "latent-nmr simulate --preset paper-pair --n-curves 6000 --repeats 2 --out pair.zarr",
        ],
    ),
    "status": ("cluster", ["latent-nmr status echoes.zarr"]),
    "train-vae": (
        "beta_vae",
        [
            "latent-nmr train-vae --window echo",
            "latent-nmr train-vae --window full --data echoes.zarr --n-components 4",
        ],
    ),
    "plot-latent": ("axes", ["latent-nmr plot-latent echo reference --color W L kernel"]),
    "traverse": ("axes", ["latent-nmr traverse echo --axis 1"]),
    "explore": ("explorer", ["latent-nmr explore echo --out map.html"]),
    "audit": ("audit", ["latent-nmr audit echo reference --out audit"]),
    "embed": ("files", ["latent-nmr embed echo echoes.zarr --out emb.csv"]),
    "measure": (
        "measured",
        ["latent-nmr measure echo.tnt other.csdf --tau 100us --out report.html"],
    ),
    "infer": (
        "posterior",
        [
            "latent-nmr infer echo.tnt --tau 100us --out posterior.html",
            "latent-nmr infer first.npz second.npz --theta 60 120 --phase trusted --json",
        ],
    ),
    "design": ("design", ['latent-nmr design --candidates "theta 30:150:10" "pair 60" --out next']),
    "calibrate": ("posterior", ["latent-nmr calibrate my-posterior curves.zarr --out cal.json"]),
    "axes": ("axes", ["latent-nmr axes reference --models seed0 seed1 seed2"]),
    "baselines": ("baselines", ["latent-nmr baselines reference --window echo"]),
    "evaluate": (
        "evaluation",
        ["latent-nmr evaluate echoes.zarr --methods pca umap kmeans vae --n-components 2 4"],
    ),
    "probe": (
        "probes",
        ["latent-nmr probe echoes.zarr --features points pca latent --targets kernel W L"],
    ),
    "challenge": ("challenge", ["latent-nmr challenge 2021-gauss"]),
    "check-submission": (
        "challenge",
        ["latent-nmr check-submission 2021-gauss gauss_mat_info_eval.txt --n-rows 6000"],
    ),
    "card": ("beta_vae", ["latent-nmr card echo"]),
    "export-decoder": ("beta_vae", ["latent-nmr export-decoder echo --out decoder.json"]),
}
DEFAULT = re.compile(r"\s*\(default: (.*)\)$|\s*\((required|repeatable)\)$", re.S)


def write_pages(folder: Path) -> list[Path]:
    """Write `NAME.rst` for every command; a page that would not change is left alone."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = [folder / f"{name}.rst" for name in COMMANDS]
    for old in set(folder.glob("*.rst")) - set(pages):
        old.unlink()
    for name, path in zip(COMMANDS, pages, strict=True):
        text = page(name)
        if not path.is_file() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
    return pages


def page(name: str) -> str:
    """The page of one command, as reStructuredText."""
    parser = _parser(name)
    title = f"latent-nmr {name}"
    lines = [f".. _command-{name}:", "", title, "=" * len(title), ""]
    first, _, rest = parser.description.partition("\n\n")
    lines += [_escaped(first), "", *([_escaped(rest), ""] if rest else [])]
    about, examples = EXAMPLES.get(name, (None, []))
    if examples:
        lines += [".. code-block:: console", "", *(f"   $ {line}" for line in examples), ""]
    if about:
        lines += [f"More: :doc:`/{about}`.", ""]
    arguments = [action for action in parser._actions if action.dest != "help"]
    positional = [action for action in arguments if not action.option_strings]
    named = [action for action in arguments if action.option_strings]
    for heading, actions in (("Arguments", positional), ("Options", named)):
        if actions:
            lines += [heading, "-" * len(heading), "", f".. program:: {title}", ""]
            for action in actions:
                lines += _option(action)
    return "\n".join(lines)


def _parser(name: str):
    import tyro

    module = import_module(f"latent_nmr.commands.{name.replace('-', '_')}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return tyro.extras.get_parser(module.Options, prog=f"latent-nmr {name}")


def _option(action) -> list[str]:
    """An entry of the list of options."""
    value = _value(action)
    names = action.option_strings or [value]
    shown = ", ".join(f"{n} {value}".strip() if action.option_strings else n for n in names)
    text = " ".join((action.help or "").replace("%%", "%").split())
    found = DEFAULT.search(text)
    default = (found[1] or "").strip() if found else ""
    text = _escaped(DEFAULT.sub("", text))
    entry = [f".. option:: {shown}", "", f"   {text}"]
    if action.option_strings and default not in ("", "None", "False"):
        entry[-1] += f" Default: ``{default}``."
    return [*entry, ""]


def _value(action) -> str:
    """What follows the name of an option: PATH, INT, a choice."""
    if action.nargs == 0:
        return ""
    if action.choices:
        words = [word for word in action.metavar.strip("{}[] ").split(",") if word != "None"]
        return "{" + ",".join(word.strip("{}[] .") for word in words) + "}"
    text = re.sub(r"\{None\}\||[{}]", "", action.metavar)
    found = re.fullmatch(r"\[?(\S+) \[\S+ \.\.\.\]\]*", text)
    return f"{found[1].strip('[]')} ..." if found else text


def _escaped(text: str) -> str:
    """Text for reStructuredText: bars, stars and underscores are what they are."""
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    return "\n\n".join(re.sub(r"([|*_`\\])", r"\\\1", part) for part in paragraphs)
