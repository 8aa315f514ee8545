"""Errors that the user can fix. Each is shown as one line without a traceback; `exit_code` ends the process."""


class AssayError(Exception):
    """An error that the user can fix: shown as one line, without a traceback."""

    exit_code = 2


class ParamsError(AssayError):
    """params.yaml asks for something impossible."""


class DataError(AssayError):
    """The raw data are not as expected."""


class FindingError(AssayError):
    """The data can be read, but results would be wrong until the user makes a decision."""

    exit_code = 3


class SplitError(AssayError):
    """The samples cannot be split as params.yaml asks."""


class BackboneError(AssayError):
    """The pretrained network is not available."""


class BundleError(AssayError):
    """A bundle's files are missing or differ from its bundle.json."""


class ClusterError(AssayError):
    """The Dask cluster in ASSAY_DASK is not reachable or cannot do the work."""


class StageError(AssayError):
    """A stage's input is missing because an earlier stage has not run."""
