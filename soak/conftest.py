"""The small graph of the end-to-end tests, for soak tests that change a clone of it, and a Dask cluster."""

from tests.clusters import cluster, here, kept  # noqa: F401 - fixtures
from tests.e2e.conftest import clone, small  # noqa: F401 - fixtures
