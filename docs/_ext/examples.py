"""The gallery's examples: limits of time and memory, and figures of the package."""

import gc
import signal
import sys
import time
from pathlib import Path

# Of the processor or of the clock, whichever are fewer. An example is to take under 20 s on a quiet
# machine; busy and older ones took up to three times as long.
SECONDS = 60
LONGEST = 300  # of the clock, whatever else runs: what hangs is stopped
BYTES = 1_000_000_000


class ExampleError(RuntimeError):
    """An example takes longer, or more memory, than it may."""


def before_and_after(gallery_conf, name, when) -> None:
    """Start the clock before an example; after it look at the clock and at the memory.

    sphinx-gallery calls this; an error stops the build.
    """
    if when == "before":
        _forget_programs()
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins here
        _STARTED.update(name=name, at=time.perf_counter(), used=time.process_time())
        _STARTED["bytes"] = _memory("VmRSS")
        signal.signal(signal.SIGALRM, _out_of_time)
        signal.setitimer(signal.ITIMER_REAL, LONGEST)
        return
    signal.setitimer(signal.ITIMER_REAL, 0)
    seconds = time.perf_counter() - _STARTED["at"]
    used = time.process_time() - _STARTED["used"]
    grown = _memory("VmHWM") - _STARTED["bytes"]
    text = f"{seconds:.1f} s, {used:.1f} s of the processor, {grown / 1e6:.0f} MB"
    print(f"{Path(name).name}: {text}", file=sys.stderr)
    # Not when the time is over: libraries that call back swallow what is raised inside.
    if min(seconds, used) > SECONDS:
        raise ExampleError(f"{name} takes {min(seconds, used):.0f} s. Use fewer curves.")
    if grown > BYTES:
        raise ExampleError(f"{name} takes {grown / 1e9:.1f} GB. Use fewer or smaller curves.")


def last_figure(block, block_vars, gallery_conf) -> str:
    """A figure that a block ends with, as a notebook shows it; the package's are not pyplot's."""
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure
    from sphinx_gallery.scrapers import figure_rst

    figure = block_vars["example_globals"].get("___")
    known = [plt.figure(number) for number in plt.get_fignums()]
    if not isinstance(figure, Figure) or figure in known or figure is _STARTED.get("shown"):
        return ""
    _STARTED["shown"] = figure
    path = next(block_vars["image_path_iterator"])
    figure.savefig(path, dpi=110)
    return figure_rst([path], gallery_conf["src_dir"])


_STARTED: dict = {}


def _out_of_time(signum, frame):
    raise ExampleError(f"{_STARTED['name']} hangs: it takes more than {LONGEST} s.")


def _memory(entry: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(entry + ":"):
            return 1024 * int(line.split()[1])
    raise KeyError(entry)


def _forget_programs() -> None:
    """Compiled programs of one example are no use to the next, but stay in memory."""
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()
    gc.collect()
