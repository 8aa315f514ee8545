"""Stage `sites@task`: validate each model at sites it was not trained on (leave one site out).

`select.site` names the column. For each of its values a model is fitted on the development samples of the other sites, without
groups that are also at this site, and scored on the samples of this site. The paired difference to the out-of-fold score of the
same samples, by models that were trained on samples of this site, is the loss at a new site. The test set is not used.

Writes `reports/<task>/sites.json`: column (null where none is named), and `models` by name, each with a row `all` and a row for
each site. It fits each model once per site, which may take minutes for a fine-tuned network.
"""

import sys

from pipeline.core import artifacts, params
from pipeline.core.errors import ParamsError
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import run
from pipeline.evaluation.report import SiteReport


def main(name: str) -> None:
    task, out = params.task(name), TaskPaths(name).sites
    column = task.select.site
    if not column:
        artifacts.write_json(out, SiteReport())
        return
    # Only for tasks with sites: most have none, and then these imports would be all that the stage does
    from pipeline.data.dataset import Dataset
    from pipeline.evaluation import subgroups
    from pipeline.evaluation.new_data.leave_one_site_out import score_sites

    dev = Dataset.read(name, "dev")
    table = subgroups.columns(name, "dev", dev)
    subgroups.check(list(table), [column], f"{name}.select.site")
    values, names = subgroups.divide(table[column], [], f"tasks.{name}.select.site")
    if len(names) < 2:
        raise ParamsError(
            f"params.yaml: tasks.{name}.select.site: every development sample has {names[0]!r} in {column!r}; leaving a site out "
            "takes two"
        )
    results = {model: score_sites(name, model, dev, values, names) for model in task.models}
    artifacts.write_json(out, SiteReport(column, results))
    print(f"sites {name}: {len(results)} models, each fitted without each of {len(names)} sites", file=sys.stderr)


if __name__ == "__main__":
    run(main)
