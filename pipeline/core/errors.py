"""The errors that a user can mend. Each is shown as one line, without a traceback; `exit_code` ends the process."""


class AssayError(Exception):
    """Something that the user can mend: shown as one line, without a traceback."""

    exit_code = 2


class ParamsError(AssayError):
    """params.yaml says something that cannot be done."""


class DataError(AssayError):
    """The raw data are not as expected."""


class SplitError(AssayError):
    """The samples cannot be divided as params.yaml asks."""


class BackboneError(AssayError):
    """The pretrained network cannot be had."""


class BundleError(AssayError):
    """A bundle's files are missing or are not what its bundle.json says."""


class ClusterError(AssayError):
    """The Dask cluster that ASSAY_DASK names is not there, or cannot do the work."""


class StageError(AssayError):
    """A stage's input is missing, because an earlier stage has not run."""
