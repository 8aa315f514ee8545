"""Every path that dvc.yaml writes is one that the code knows."""

from pathlib import Path

import yaml

from pipeline.core import paths
from pipeline.core.paths import TaskPaths

ROOT = Path(__file__).parents[2]


def outputs() -> set[str]:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    listed = [(name, stage.get("do", stage)) for name, stage in stages.items()]
    entries = [entry for _, stage in listed for kind in ("outs", "metrics", "plots") for entry in stage.get(kind, [])]
    return {entry if isinstance(entry, str) else next(iter(entry)) for entry in entries}


def test_every_output_in_dvc_yaml_is_a_known_path():
    task = TaskPaths("TASK")
    known = {path for path in vars(task).values() if isinstance(path, Path)}
    known |= {
        getattr(task, name)("MODEL")
        for name in ("candidate", "decision_rule", "cv", "figures", "external", "external_figures", "suspects")
    }
    known |= {
        task.test_report("MODEL").parent,
        task.external("MODEL").parent,
        task.plot("KIND", "MODEL").parent.parent,
        task.subset_columns("dev"),
        task.subset_columns("test"),
    }
    known |= {path for path in vars(paths).values() if isinstance(path, Path)}
    written = set()
    for output in outputs():
        of_task = "${item.task}" not in output
        written.add(Path(output.replace("${item.task}", "TASK").replace("${key}", "TASK" if of_task else "MODEL")))
    unknown = {path for path in written if path not in known and path.parent not in known}
    assert not unknown
    assert len(written) > 20


def test_a_copy_of_the_project_has_its_own_files():
    assert TaskPaths("skin", Path("tree")).cv("skin-knn") == Path("tree/reports/skin/cv/skin-knn.json")
