"""The small graph of the end-to-end tests, for soak tests that change a clone of it."""

from tests.e2e.conftest import clone, small  # noqa: F401 - fixtures
