"""What is needed to put the API elsewhere names files that are there, and versions that are tested."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

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
        assert f"!{name.split('/')[0]}" in ignored, name
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
    assert "postgresql://" in services["mlflow"]["command"]


def test_commands_of_compose_are_accepted_by_the_api(compose):
    from app import api

    source = Path(api.__file__).read_text(encoding="utf-8")
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8") + compose["services"]["api"]["command"]
    assert set(re.findall(r"--(?:host|port|without-keys)", text)) == {"--host", "--port", "--without-keys"}
    for option in ("--host", "--port", "--without-keys"):
        assert f'"{option}"' in source
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "--without-keys" not in image  # a container that can be reached from elsewhere asks for keys


def test_hosting_file_has_512_mb_and_checks_readiness():
    content = tomllib.loads((ROOT / "fly.toml").read_text(encoding="utf-8"))
    assert content["vm"][0]["memory"] == "512mb"
    assert content["build"]["build-target"] == "serve"
    assert content["http_service"]["checks"][0]["path"] == "/readyz"
    assert content["http_service"]["force_https"]
