"""What each job of a submission fills: written before the jobs are submitted.

The queue knows the name of a job, which holds the number of its plan, and the job's place in its
array, which is its part. So the store and the queue together say which curves are on their way,
also after the process that submitted them was killed.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from latent_nmr._files import write_json
from latent_nmr._locks import real_path
from latent_nmr._regular import regular

PREFIX = "latent-nmr-"


@dataclass(frozen=True)
class Plan:
    """One submission.

    Attributes
    ----------
    folder : Path
        Where the plan, and the logs of its jobs, are kept.
    parts : list of list of range
        Curves of each job.
    """

    folder: Path
    parts: list[list[range]]

    @property
    def job_name(self) -> str:
        """Name of its jobs in the queue."""
        return PREFIX + self.folder.name

    def failure_file(self, part: int) -> Path:
        """Where a job that ends with an error writes one line."""
        return self.folder / f"part{part}.error"


def jobs_folder(path: Path) -> Path:
    """Folder of the plans and logs of a store, beside it."""
    path = real_path(path)
    return path.with_name(f"{path.name}.jobs")


def new_plan(path: Path, parts: Sequence[Sequence[range]]) -> Plan:
    """Write the plan of a submission."""
    plan = Plan(jobs_folder(path) / uuid.uuid4().hex[:8], [list(part) for part in parts])
    plan.folder.mkdir(parents=True)
    plain = [[[span.start, span.stop] for span in part] for part in plan.parts]
    write_json(plan.folder / "plan.json", {"parts": plain})
    return plan


def plans_of(path: Path) -> list[Plan]:
    """All plans of a store, the latest last; what is no plan is passed over."""
    found = []
    for file in jobs_folder(path).glob("*/plan.json"):
        try:
            parts = json.loads(regular(file).read_text("utf-8"))["parts"]
            plan = Plan(file.parent, [[range(*span) for span in part] for part in parts])
            found.append((file.stat().st_mtime_ns, file, plan))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return [plan for *_, plan in sorted(found, key=lambda entry: entry[:2])]
