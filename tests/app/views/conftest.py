"""Projects that pages show, made once for all workers."""

import pytest

from tests.helpers.page_projects import make_comparison, make_patients, make_photos
from tests.helpers.shared import project_once


@pytest.fixture(scope="session")
def two_classes(tmp_path_factory):
    """A project of two classes whose test set has been opened."""
    return project_once(tmp_path_factory, "two-classes", lambda: make_comparison(2))


@pytest.fixture(scope="session")
def four_classes(tmp_path_factory):
    """The same of four classes."""
    return project_once(tmp_path_factory, "four-classes", lambda: make_comparison(4))


@pytest.fixture
def compared(two_classes, work_in_copy):
    """A copy of the project of two classes as the current folder."""
    return work_in_copy(two_classes)


@pytest.fixture(scope="session")
def photos(tmp_path_factory, program):
    """A project of photos that was scanned, audited and split."""
    return project_once(tmp_path_factory, "photos", lambda: make_photos(program))


@pytest.fixture
def photo_project(photos, work_in_copy):
    """A copy of the project of photos as the current folder."""
    return work_in_copy(photos)


@pytest.fixture(scope="session")
def patients(tmp_path_factory):
    """A project of a table that was scanned, audited and split."""
    return project_once(tmp_path_factory, "patients", make_patients)
