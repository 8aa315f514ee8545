"""Stage `sites@task`: how good each model is at a site that it has not seen, by leaving out one site after the other.

`select.site` names the column. For each of its values a model is fitted on the development samples of the other sites, less those
whose group is also at this one, and scored on the samples of this one. Beside that stands what the same samples score out of
fold, by models that had seen others of their site, and the paired difference: what a new site costs. The test set is not opened.

Writes `reports/<task>/sites.json`: column (null where none is named), and `models` by name, each with a row `all` and a row for
each site. It costs a fit per model and site on what `train` had, which for a network that is fine-tuned may take minutes.
"""

import sys

from pipeline.core import artifacts, params
from pipeline.core.errors import ParamsError
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require, run
from pipeline.data.dataset import Dataset
from pipeline.evaluation import subgroups
from pipeline.evaluation.leave_one_site_out import by_site


def main(name: str) -> None:
    task, out = params.task(name), TaskPaths(name).sites
    column = task.select.site
    if not column:
        artifacts.write_json(out, {"column": None, "models": {}})
        return
    dev = Dataset.load(require(TaskPaths(name).dev_npz, f"preprocess@{name}"))
    table = subgroups.columns(name, "dev", dev)
    subgroups.check(list(table), [column], f"{name}.select.site")
    values, names = subgroups.divide(table[column], [], f"tasks.{name}.select.site")
    if len(names) < 2:
        raise ParamsError(
            f"params.yaml: tasks.{name}.select.site: every development sample has {names[0]!r} in {column!r}; leaving a site out "
            "takes two"
        )
    found = {model: by_site(name, model, dev, values, names) for model in task.models}
    artifacts.write_json(out, {"column": column, "models": found})
    print(f"sites {name}: {len(found)} models, each fitted without each of {len(names)} sites", file=sys.stderr)


if __name__ == "__main__":
    run(main)
