"""What may leave the project: the report without single samples, and the model card."""

from pipeline.core.paths import TaskPaths
from pipeline.reporting import model_card, page, results


def documents(task: str) -> dict[str, str]:
    """Return report and model card of a task by file name; {} before the stage `report` has run."""
    if not TaskPaths(task).page.exists():
        return {}
    study = results.read(task)
    return {"report.html": page.render(task, images=False), "model_card.md": model_card.as_markdown(study)}
