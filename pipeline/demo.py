"""Stage `demo`: create two small data sets, offline: a table of measurements and drawn images.

`data/demo/breast.csv` is the Wisconsin diagnostic table that scikit-learn ships. `data/demo/lesions/` holds images
drawn by `data.synthetic`. Their classes overlap on purpose, and a few of them are copies or damaged, for the audit to find: see
`plant_flaws`. Names and columns do not reveal which.
"""

from pipeline.core import artifacts, params, params_models
from pipeline.core.paths import DEMO
from pipeline.core.stage import run
from pipeline.data.synthetic.demo_set import breast_table, lesion_set


def main() -> None:
    """Draw both data sets."""
    artifacts.write_csv(DEMO / "breast.csv", breast_table())
    n_lesions = params.parse(params_models.DemoParams, params.load()["demo"], "demo").lesions
    table, files, _ = lesion_set(params.seed(), n_lesions, params.workers())
    for path, data in files.items():
        artifacts.write_bytes(DEMO / "lesions" / path, data)
    artifacts.write_csv(DEMO / "lesions" / "labels.csv", table)


if __name__ == "__main__":
    run(main)
