"""Publish finished probes and challenges: their tables, their figures, and the public networks.

    python scripts/publish_supervised.py artifacts/runs/probe-echo-independent [RUN…]

Writes artifacts/tables/RUN.json, without what only figures show, and artifacts/figures/RUN/*.png.
Of the challenges of 2021 on independent ν, the public deep network goes to
latent_nmr/_shipped/models, as challenge-gauss and challenge-rkky.
"""

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from latent_nmr import CurveRegressor, shipped
from latent_nmr._files import staged_folder, write_json

ARTIFACTS = Path("artifacts")
# Their tables say all that documents show of them.
WITHOUT_FIGURES = (
    "challenge-2021-gauss-6000",
    "probe-echo300-independent",
    "probe-echo-stratified",
    "probe-full-flip60",
    "probe-full-flip90",
    "probe-full-flip120",
)
RESULTS = ("probe.json", "challenge.json")
PUBLIC_NETWORKS = {
    "challenge-2021-gauss-independent": "challenge-gauss",
    "challenge-2021-rkky-independent": "challenge-rkky",
}


def without_importances(result: dict[str, Any]) -> dict[str, Any]:
    """A probe's result without numbers that only figures show."""
    if "tables" in result:
        tables = {n: t for n, t in result["tables"].items() if n != "importances"}
        for entry in tables["screening"]:
            entry.pop("importances", None)
        for entry in tables["classification"]:
            entry.pop("importances", None)
        result = {**result, "tables": tables}
    return result


def publish(run: Path) -> list[str]:
    """Publish one run; returns what was written."""
    (path,) = [run / name for name in RESULTS if (run / name).is_file()]
    result = without_importances(json.loads(path.read_text("utf-8")))
    table = ARTIFACTS / "tables" / f"{run.name}.json"
    write_json(table, result)
    written = [str(table)]
    if run.name not in WITHOUT_FIGURES:
        figures = ARTIFACTS / "figures" / run.name
        with staged_folder(figures) as staging:
            for figure in sorted((run / "figures").glob("*.png")):
                shutil.copyfile(figure, staging / figure.name)
        written.append(str(figures))
    if run.name in PUBLIC_NETWORKS:
        model = CurveRegressor.load(run / "models" / "deep")
        place = shipped.FOLDER / "models" / PUBLIC_NETWORKS[run.name]
        model.save(place, model.metadata_)
        shipped.write_manifest()
        written.append(str(place))
    return written


def main() -> None:
    """Publish every run that is named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+")
    for run in parser.parse_args().runs:
        print("\n".join(publish(run)))


if __name__ == "__main__":
    main()
