"""What may leave the project holds no single sample."""

from pathlib import Path

from pipeline.core import artifacts
from pipeline.reporting import results, shared


def test_report_and_card_are_shared_without_samples(rows):
    assert shared.documents("t") == {}  # before the report
    artifacts.write_bytes("reports/t/report.html", b"made")
    texts = shared.documents("t")
    assert texts.keys() == {"report.html", "model_card.md"}
    assert texts["model_card.md"].startswith(f"# Model card: {results.read('t').winner}\n\n## Model details\n\n- ")
    assert not [path for path in results.read("t").samples["path"] if f">{path}<" in texts["report.html"]]
    assert Path("reports/t/report.html").read_bytes() == b"made"
