"""What is needed to put the API elsewhere names files that are there, and versions that are tested."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

OPTIONS = ("--host", "--port", "--without-keys", "--allowed-hosts")
ROOT = Path(__file__).resolve().parents[1]
HEAVY = {
    "tensorflow",
    "tensorflow-cpu",
    "keras",
    "mlflow",
    "dvc",
    "matplotlib",
    "opencv-python-headless",
    "distributed",
}


def locked(name: str) -> dict[str, str]:
    """Return {package: version} of a requirements file."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE))


def test_slim_requirements_are_a_subset_of_the_full_lock():
    slim, full = locked("requirements-serve.txt"), locked("requirements.txt")
    assert not HEAVY & set(slim)
    assert {name: full.get(name) for name in slim} == slim
    assert {"fastapi", "uvicorn", "streamlit", "scikit-learn", "ai-edge-litert"} <= set(slim)
    text = (ROOT / "requirements-serve.txt").read_text(encoding="utf-8")
    assert text.count("==") <= text.count("--hash=sha256:")


def test_docker_images_copy_existing_files_only():
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = re.findall(r"^COPY (?!--from)(\S+) ", text, re.MULTILINE)
    assert {"requirements.txt", "requirements-serve.txt", "app", "pipeline", "models", "reports"} <= set(copied)
    for name in copied:
        assert (ROOT / name).exists(), name
        assert f"!{name.split('/')[0]}" in [line.partition("/")[0] for line in ignored], name
    assert (ROOT / "deploy/slim.sh").stat().st_mode & 0o100
    assert "USER assay" in text


@pytest.fixture(scope="module")
def compose() -> dict:
    return yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


def test_compose_services_listen_on_this_machine_alone(compose):
    services = compose["services"]
    assert set(services) == {"api", "app", "mlflow", "database"}
    for service in services.values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    targets = re.findall(r"^FROM \S+ AS (\w+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert {item["build"]["target"] for item in services.values() if "build" in item} <= set(targets)
    assert set(services) - {"database"} == {name for name, service in services.items() if service.get("read_only")}
    for name, service in services.items():
        assert service["mem_limit"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "healthcheck" in service or service["build"]["target"] == "serve", name  # which has one itself
        assert service.get("cap_drop") == ["ALL"] or name == "database", name


def test_password_is_a_secret_and_survives_an_upgrade(compose):
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    assert "${POSTGRES_PASSWORD" not in text
    # Compose mounts a file; it refuses to put a variable into a container whose root is read-only
    assert compose["secrets"] == {"postgres_password": {"file": "./secrets/postgres_password"}}
    assert "/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    database, mlflow = compose["services"]["database"], compose["services"]["mlflow"]
    for service in (database, mlflow):
        assert service["secrets"] == ["postgres_password"]
        assert service["environment"]["POSTGRES_PASSWORD_FILE"] == "/run/secrets/postgres_password"
    # the image of PostgreSQL 18 keeps its data in /var/lib/postgresql/18/docker, and refuses a volume below that folder
    assert database["volumes"] == ["postgres:/var/lib/postgresql"]
    assert database["environment"]["PGDATA"] == f"/var/lib/postgresql/{database['image'].split(':')[1]}/docker"


def test_commands_of_compose_are_accepted_by_the_api(compose):
    from app import api, hosts

    source = Path(api.__file__).read_text(encoding="utf-8") + Path(hosts.__file__).read_text(encoding="utf-8")
    fly = tomllib.loads((ROOT / "fly.toml").read_text(encoding="utf-8"))
    commands = [compose["services"]["api"]["command"], fly["processes"]["app"]]
    text = " ".join([(ROOT / "Dockerfile").read_text(encoding="utf-8"), *commands])
    assert set(re.findall(r"--(?:host|port|without-keys|allowed-hosts)", text)) == set(OPTIONS)
    for option in OPTIONS:
        assert f'"{option}"' in source
    assert commands[1].endswith(f"--allowed-hosts {fly['app']}.fly.dev")
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "--without-keys" not in image  # a container that can be reached from elsewhere asks for keys


def test_hosting_file_has_512_mb_and_checks_readiness():
    content = tomllib.loads((ROOT / "fly.toml").read_text(encoding="utf-8"))
    assert content["vm"][0]["memory"] == "512mb"
    assert content["build"]["build-target"] == "serve"
    assert content["http_service"]["checks"][0]["path"] == "/readyz"
    assert content["http_service"]["force_https"]


def matches(pattern: str, path: str) -> bool:
    """Return whether a pattern of .dockerignore names a path or a folder above it, as Docker's patternmatcher decides."""
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    divided = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    regex = "".join(parts.get(part, re.escape(part)) for part in divided)
    return re.fullmatch(f"{regex}(?:/.*)?", path) is not None


def build_context(paths: list[str]) -> set[str]:
    """Return those of the paths that Docker sends to a build: the last pattern that matches decides."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    left_out = {path: False for path in paths}
    for path in paths:
        for pattern in patterns:
            if matches(pattern.removeprefix("!"), path):
                left_out[path] = not pattern.startswith("!")
    return {path for path in paths if not left_out[path]}


SAMPLES = (
    *(
        "data/breast/split.csv",
        "data/uploads/skin/pictures/ab.png",
        "data/demo/lesions/a.png",
        "data/monitor/skin/counts.json",
    ),
    *("reports/skin/report.html", "reports/skin/figures/skin-knn/roc.png", "reports/skin/plots/confusion/skin-knn.csv"),
    "reports/skin/external/elsewhere/roc.png",
    *("models/skin/candidates/skin-knn/oof.npz", "models/skin/decisions/skin-knn.json", "models/backbone/weights.npz"),
    *(
        "mlflow/mlflow.db",
        "logs/timings.jsonl",
        "logs/dvc.lock.broken-1",
        ".env",
        "secrets/postgres_password",
        ".git/config",
        ".dvc/cache/files/md5/ab/c",
    ),
    *(
        ".cache/features/scan.sqlite",
        ".venv/bin/python",
        "app/__pycache__/api.pyc",
        "reports/skin/.selection.json.part",
    ),
)
SERVED = (
    *("app/api.py", "pipeline/core/params.py", "pipeline/reporting/templates/report.html", ".streamlit/config.toml"),
    *("models/skin/best/bundle.json", "models/skin/best/model.joblib", "requirements.txt", "requirements-serve.txt"),
    *("reports/skin/selection.json", "reports/skin/leaderboard.csv", "reports/skin/cv/skin-knn.json", "deploy/slim.sh"),
    *("reports/skin/test/skin-knn.json", "reports/skin/external/elsewhere.json", "reports/skin/sites.json"),
)


def test_the_build_context_has_no_sample():
    assert build_context([*SAMPLES, *SERVED]) == set(SERVED)


def test_the_build_context_is_code_champions_and_aggregates():
    """All that git holds, and every output in dvc.lock; of a folder a file in it."""
    git = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    stages = yaml.safe_load((ROOT / "dvc.lock").read_text(encoding="utf-8"))["stages"].values()
    outputs = [out for stage in stages for out in stage.get("outs", [])]
    paths = [out["path"] + ("/any.bin" if out["md5"].endswith(".dir") else "") for out in outputs]
    sent = build_context([*git.split("\0")[:-1], *paths])
    code = re.compile(r"(app|pipeline|deploy|\.streamlit)/|requirements(-serve)?\.txt$")
    rest = {re.sub(r"^(reports|models)/[^/]+/", r"\1/TASK/", path) for path in sent if not code.match(path)}
    kinds = {re.sub(r"(cv|test|external)/[^/]+$", r"\1/FILE", path) for path in rest}
    assert kinds == {
        "models/TASK/best/any.bin",
        *(f"reports/TASK/{name}/FILE" for name in ("cv", "test", "external")),
        *(
            f"reports/TASK/{name}"
            for name in (
                "selection.json",
                "sites.json",
                "learning_curve.json",
                "leaderboard.csv",
                "test_looks.csv",
                "differences.csv",
            )
        ),
    }


def test_development_packages_are_locked_apart():
    full, development = locked("requirements.txt"), locked("requirements-dev.txt")
    assert not {"pytest", "playwright", "locust", "schemathesis", "ruff", "mypy", "import-linter"} & set(full)
    shared = set(full) & set(development)
    assert {name: full[name] for name in shared} == {name: development[name] for name in shared}


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize("has_uv", [True, False])
def test_make_installs_with_uv_and_no_tools_for_users(tmp_path, has_uv):
    for name in ("make", "python3", "sh", "grep"):
        (tmp_path / name).symlink_to(shutil.which(name))
    if has_uv:
        (tmp_path / "uv").write_text("#!/bin/sh\n")
        (tmp_path / "uv").chmod(0o755)

    def commands(target: str) -> str:
        command = ["make", "--dry-run", "--always-make", target]
        return subprocess.run(
            command, cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=True
        ).stdout

    install = "uv pip install --quiet --python .venv/bin/python" if has_uv else ".venv/bin/python -m pip install"
    for target, development in (("demo", False), ("app", False), ("test", True), ("lint", True)):
        lines = [line for line in commands(target).splitlines() if "--require-hashes" in line]
        assert all(line.startswith(install) for line in lines), lines
        assert ["requirements-dev.txt" in line for line in lines] == [False, True][: 1 + development], target
