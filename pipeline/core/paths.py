"""The paths of all files of the project: the layout of data/, models/ and reports/.

dvc.yaml repeats them, because DVC reads nothing else.
"""

from pathlib import Path

DATA, MODELS, REPORTS = Path("data"), Path("models"), Path("reports")

CODE = DATA / ".code"  # the list of files that each stage imports, written by `check`
READY = DATA / ".ready"  # a file per kind of task, on which the stages that read samples depend
DEMO = DATA / "demo"  # the embedded data sets, written by `demo`
SALT = DATA / ".salt"  # the key of patients' hashes, see data.dicom.patient_hash: git ignores it
UPLOADS = DATA / "uploads"  # samples that users added
MONITOR = DATA / "monitor"  # counts of the samples that champions received

BACKBONE = MODELS / "backbone"  # written by `backbone`
WEIGHTS = BACKBONE / "weights.npz"
EMBEDDER = BACKBONE / "embedder.tflite"
NETWORK = BACKBONE / "network.keras"  # instead of the weights, for another network than MobileNetV2

CACHE = Path(".cache")  # git-ignored: may be deleted at any time
FEATURES = CACHE / "features"
UNPACKED = CACHE / "unpacked"  # archives, by their hash
CHALLENGE = CACHE / "challenge"  # the copy of the project in which a challenger is trained
CHALLENGE_LOCK = CACHE / "challenge.lock"

LOGS = Path("logs")  # git-ignored
TIMINGS = LOGS / "timings.jsonl"  # a duration is never part of an output
STORE = Path("mlflow")  # git-ignored: MLflow's database and artifacts
TRACKED = STORE / "tracked.json"  # written by `track`


class TaskPaths:
    """The files of one task, under `root`, the project's folder; a comment names the stage that writes them."""

    def __init__(self, task: str, root: Path = Path()):
        self.data, self.models, self.reports = root / DATA / task, root / MODELS / task, root / REPORTS / task
        self.folders = (self.data, self.models, self.reports)  # written by stages alone

        self.scan = self.data / "scan"  # scan
        self.samples = self.scan / "samples.csv"
        self.skipped = self.scan / "skipped.csv"
        self.embeddings = self.scan / "embeddings.npy"
        self.vector_names = self.scan / "vector_names.json"  # only where the features are the user's
        self.columns = self.scan / "columns.csv"
        self.pixel_rule = self.scan / "pixel_rule.json"  # only where it is not the default
        self.formats = self.scan / "formats.json"  # only where a table's numbers are not plain
        self.raw_record = self.scan / "raw.json"  # the hash of the raw data
        self.intensity = self.scan / "intensity.csv"
        self.audit = self.data / "audit.json"  # audit
        self.split = self.data / "split.csv"  # split
        self.fixed_sides = self.reports / "fixed_sides.csv"

        self.best = self.models / "best"  # select_best: the champion's bundle
        self.bundle = self.best / "bundle.json"

        self.selection = self.reports / "selection.json"  # select_best
        self.differences = self.reports / "differences.csv"
        self.leaderboard = self.reports / "leaderboard.csv"  # holdout
        self.test_set_evaluations = self.reports / "test_looks.csv"
        self.sites = self.reports / "sites.json"  # sites
        self.learning_curve = self.reports / "learning_curve.json"  # learning_curve
        self.page = self.reports / "report.html"  # report

        self.uploads = root / UPLOADS / task  # collect
        self.included = self.uploads / "included.csv"
        self.ledger = self.uploads / "ledger.jsonl"
        self.monitor = root / MONITOR / task  # the app

    def subset_columns(self, subset: str) -> Path:
        """Return the clinical columns of the samples in `subset`, dev or test (preprocess)."""
        return self.data / f"{subset}_columns.csv"

    def candidate(self, model: str) -> Path:
        """Return the folder of a fitted model (train)."""
        return self.models / "candidates" / model

    def oof(self, model: str) -> Path:
        """Return a model's out-of-fold probabilities (train)."""
        return self.candidate(model) / "oof.npz"

    def candidate_json(self, model: str) -> Path:
        """Return the description of a fitted model (train)."""
        return self.candidate(model) / "candidate.json"

    def decision_rule(self, model: str) -> Path:
        """Return a model's calibration and decision rule (evaluate)."""
        return self.models / "decisions" / f"{model}.json"

    def suspects(self, model: str) -> Path:
        """Return the development samples whose label a model holds to be suspect (evaluate)."""
        return self.models / "suspects" / f"{model}.csv"

    def cv(self, model: str) -> Path:
        """Return a model's out-of-fold report (evaluate)."""
        return self.reports / "cv" / f"{model}.json"

    def test_report(self, model: str) -> Path:
        """Return a model's report on the test set (holdout)."""
        return self.reports / "test" / f"{model}.json"

    def plot(self, kind: str, model: str) -> Path:
        """Return a table of a model, roc, confusion or history, which git keeps and `dvc plots` draws (evaluate)."""
        return self.reports / "plots" / kind / f"{model}.csv"

    def figures(self, model: str) -> Path:
        """Return the folder of a model's figures (evaluate)."""
        return self.reports / "figures" / model

    def external(self, name: str) -> Path:
        """Return the champion's report on an external data set (external)."""
        return self.reports / "external" / f"{name}.json"

    def external_figures(self, name: str) -> Path:
        """Return the folder of the figures of an external data set (external)."""
        return self.reports / "external" / name

    def batch(self, batch: str) -> Path:
        """Return the folder with status, log and comparison of an upload batch (retrain)."""
        return self.uploads / "batches" / batch
