"""The slim serving set, installed for real: it serves both kinds of champions and the app, and is under 512 MB on disk."""

import contextlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import figures
from pipeline.prediction.predictor import Predictor
from tests.helpers.serving import Client, until

ROOT = Path(__file__).resolve().parents[1]
PICTURE = "data/demo/lesions/images/img_0001.jpg"
PAGE = """
import sys
from streamlit.testing.v1 import AppTest
page = AppTest.from_file("app/shell.py", default_timeout=120).run()
page.selectbox[0].select("breast").run()
page.button[0].click().run()
print(page.subheader[0].value)
page.selectbox[0].select("lesions").run()
page.file_uploader[0].set_value([("a.jpg", open(sys.argv[1], "rb").read(), "image/jpeg")]).run()
print(page.subheader[0].value)
assert not page.exception
"""


def size(folder: Path) -> float:
    """Return the MB, as du counts them, that the files in `folder` take on disk."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*")) / 2**20


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> Path:
    """A fresh environment with nothing but the slim set, as the Dockerfile makes it."""
    folder = tmp_path_factory.mktemp("slim") / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    install = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        folder,
        "install",
        "--quiet",
        "--no-compile",
        "--require-hashes",
    ]
    subprocess.run([*install, "-r", ROOT / "requirements-serve.txt"], check=True)
    whole = size(folder)
    subprocess.run(["sh", ROOT / "deploy/slim.sh", folder], check=True)
    yield folder
    after = size(folder)
    figures.save(
        "soak_slim_set",
        "The slim serving set",
        [
            figures.Figure("as installed", whole, "requirements-serve.txt in an empty environment", unit="MB"),
            figures.Figure("after deploy/slim.sh", after, "and after serving everything", at_most=512, unit="MB"),
        ],
        command="make soak",
    )
    assert after < 512


@contextlib.contextmanager
def served(environment: Path):
    """Run the API on this project's champions with the environment's Python."""
    command = [environment / "bin/python", "-m", "app.api", "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        client = Client(int(re.search(r":(\d+);", process.stdout.readline()).group(1)))
        until(lambda: client.get("/readyz")[0] == 200, "the server is ready")
        yield client
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


def test_both_champions_answer_as_they_do_in_the_full_environment(environment):
    data = (ROOT / PICTURE).read_bytes()
    breast = Predictor(ROOT / "models/breast/best")
    row = breast.info.golden[0].input
    with served(environment) as client:
        answer = client.send("/predict/", ("a.jpg", data), field="file")[1]["predictions"]
        assert answer == [Predictor(ROOT / "models/lesions/best").predict(data, "a.jpg")]
        assert client.rows(row, task="breast")[1]["predictions"] == [breast.predict(row, "row 1")]


def test_the_command_line_and_the_app_answer_from_it(environment):
    python = environment / "bin/python"
    command = [python, "-m", "pipeline.predict", "models/lesions/best", PICTURE, "--format", "json"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert json.loads(printed)[0]["class"] in ("benign", "malignant")
    done = subprocess.run([python, "-c", PAGE, PICTURE], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) <= {"benign", "malignant"}


def test_it_holds_neither_tensorflow_nor_mlflow_nor_dvc(environment):
    names = {path.name for path in next((environment / "lib").glob("python3*/site-packages")).iterdir()}
    assert not {"tensorflow", "keras", "mlflow", "dvc"} & names
