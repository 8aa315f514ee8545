"""Errors end a command with the exit code of their kind."""

from pipeline.core.errors import AssayError, FindingError
from pipeline.core.stage import run
from pipeline.retraining.decide import NotPromoted


def test_bad_input_exits_2_and_a_finding_3():
    findings = (NotPromoted, FindingError)
    assert {kind.exit_code for kind in findings} == {3}
    assert {kind.exit_code for kind in AssayError.__subclasses__() if kind not in findings} == {2}
    assert callable(run)
