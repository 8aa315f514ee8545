"""A module's tests are where one looks for them: in the same folder of tests/, under its name."""

import pytest

from tests.helpers.samples import ROOT

TESTED_ELSEWHERE = {
    "app/main.py": "starts a server: tests/e2e/browser/test_app.py",
    "app/views/suspects.py": "a section of the page Data; what it says is that of tests/evaluation/test_suspect_labels.py",
    "pipeline/data/tabular/cells.py": "types of what readers return",
    "pipeline/evaluation/by_group_report.py": "its reports are those of tests/evaluation/test_by_group.py",
    "pipeline/evaluation/metric_names.py": "names alone",
    "pipeline/evaluation/out_of_fold_charts.py": "its files are those of tests/evaluation/test_out_of_fold.py",
    "pipeline/prediction/portable_files.py": "its files are those of tests/prediction/test_portable.py",
    "pipeline/prediction/bundle_readme.py": "its lines are run by tests/prediction/test_portable.py",
}


def modules() -> list[str]:
    """Return the modules of all rooms and of the app; stages and commands call rooms, and tests/e2e runs them."""
    files = [*(ROOT / "pipeline").glob("*/**/*.py"), *(ROOT / "app").rglob("*.py")]
    return sorted(file.relative_to(ROOT).as_posix() for file in files if file.name != "__init__.py")


@pytest.mark.parametrize("module", modules())
def test_each_module_has_its_file_of_tests(module):
    path = ROOT / "tests" / module.removeprefix("pipeline/")
    has_tests = path.with_name(f"test_{path.name.lstrip('_')}").exists()
    assert has_tests != (module in TESTED_ELSEWHERE)
