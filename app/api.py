"""The HTTP API: predictions of the champions, as JSON. Run: make api, or python -m app.api [--host H] [--port N].

One process: an event loop for input and output, and one prediction thread per core, each with its own LiteRT interpreter
(LiteRT and Pillow release the GIL). `benchmarks/serve.py` compares this with the alternatives.
"""

import os

# One thread per prediction, as in the stage `holdout`: sums are formed in the same order, and no thread waits for another.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # before numpy is imported

import asyncio
import functools
import logging
import platform
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import prometheus_client
import uvicorn
from fastapi import APIRouter, FastAPI, Query, Request
from fastapi import Path as PathParameter
from fastapi.responses import Response
from fastapi_offline import FastAPIOffline

from app import cards, error_answers, hosts, keys, limits, monitor, outcomes, samples, schemas, together
from app.answers import answer, answer_groups
from app.guard import Guard
from app.limits import Gate
from app.metrics import Metrics
from app.problems import Problem, to_json
from app.protocol import Protocol
from app.rows import read_rows
from app.serving import Models, Served
from app.uploads import read_files
from pipeline import __version__
from pipeline.core import artifacts, command_line
from pipeline.data import litert

PACKAGES = ("ai-edge-litert", "fastapi", "joblib", "numpy", "pandas", "pillow", "scikit-learn", "uvicorn")
NEEDS = schemas.problems(401, 404, 408, 413, 415, 422, 503)
TaskName = Annotated[str, PathParameter(examples=["lesions", "breast"], description="a task that /v1/tasks lists")]
Explain = Annotated[bool, Query(description="also explain each prediction; takes up to three times as long")]
Together = Annotated[bool, Query(alias="together", description="one answer to all samples of a patient")]
Group = Annotated[str, Query(max_length=together.LENGTH, description=schemas.GROUP)]
router = APIRouter(responses=schemas.problems(400, 431, 500))


@router.get("/v1/tasks", response_model=schemas.Tasks, responses=schemas.problems(401))
async def tasks(request: Request) -> Response:
    """List the tasks that have a champion."""
    served = request.app.state.models.served
    return reply({"tasks": [cards.summary(served[task]) for task in sorted(served)]})


@router.get("/v1/tasks/{task}", response_model=schemas.Description, responses=schemas.problems(401, 404, 503))
async def task(task: TaskName, request: Request) -> Response:
    """Describe a task's champion: classes, columns, metrics and origin."""
    return reply(cards.description(request.app.state.models.champion(task)))


@router.get("/v1/tasks/{task}/monitor", response_model=schemas.Monitor, responses=schemas.problems(401, 404, 503))
async def task_monitor(task: TaskName, request: Request) -> Response:
    """Compare the samples that the champion has received, by day, with its training data."""
    models = request.app.state.models
    report = await monitored(models, models.champion(task))
    return reply(artifacts.rounded(report))


@router.post(
    "/v1/tasks/{task}/predict",
    response_model=schemas.Predictions,
    responses=NEEDS,
    openapi_extra=schemas.request_body(schemas.files("files", many=True) | schemas.ROWS),
)
async def predict(
    task: TaskName, request: Request, explain: Explain = False, divided: Together = False, group: Group = ""
) -> Response:
    """Predict images (multipart, field `files`, one or many) or rows of a table (JSON).

    For a model that takes clinical columns (listed in `schema` of the task), send each as a form field.
    A sample that cannot be used has the reason in its answer; if none can be used, the status is 422.
    With `together` there is one answer to all samples of a patient: images are one patient's, DICOM files with one PatientID,
    rows with one value in their field `group`.
    """
    if explain and divided:
        raise Problem(422, "Samples are explained one by one: leave out together, or explain.")
    state = request.app.state
    served = state.models.champion(task)
    n_files = limits.TOGETHER if divided else limits.FILES
    with state.gate.admit() as ticket:
        is_table = served.info.is_table
        given = await (
            read_rows(request, ticket)
            if is_table
            else read_files(request, "files", ticket, served.info.clinical_columns, n_files)
        )
        if explain and len(given) > limits.EXPLAINED:
            most = f"at most {limits.EXPLAINED} can be explained at once"
            raise Problem(413, f"Found {len(given)} rows; {most}. Send several requests.")
        given, ids = together.split_ids(served.info, given, group, divided)
        if divided:
            return reply(await answer_groups(state, served, together.divide(served.info, given, ids)))
        return reply(await answer(state, served, given, explain, ids))


@router.post(
    "/v1/tasks/{task}/samples",
    response_model=schemas.Collected,
    responses=NEEDS | schemas.problems(403, 507),
    openapi_extra=schemas.request_body(schemas.files("files", many=True) | schemas.ROWS),
)
async def submit(
    task: TaskName,
    request: Request,
    label: Annotated[str, Query(description="the class of all samples; rows may have it in a column")] = "",
    group: Annotated[str, Query(description="what the samples share, for instance the patient")] = "",
    batch: Annotated[
        str, Query(description="id of the batch, which is promoted or rejected as a whole; default: today's")
    ] = "",
) -> Response:
    """Submit labelled images (multipart, field `files`) or rows (JSON), which are stored for a later training.

    The answer has for each sample the hash under which it is stored, or the reason why it was refused. Needs a key.
    """
    served = request.app.state.models.champion(task)
    about = samples.Labels(label, group, batch)
    return reply(await samples.take(request, served, request.app.state.known, about))


@router.post(
    "/predict/",
    response_model=schemas.OnePrediction,
    responses=NEEDS,
    openapi_extra=schemas.request_body(schemas.files("file", many=False)),
)
@router.post("/predict", include_in_schema=False)
async def predict_one(request: Request, explain: Explain = False) -> Response:
    """Predict an image (multipart, field `file`) with the default image task: the first by name."""
    state = request.app.state
    served = state.models.champion(None)
    with state.gate.admit() as ticket:
        content = await answer(
            state, served, await read_files(request, "file", ticket, served.info.clinical_columns), explain
        )
    first = next(item for item in content["predictions"] if item["class"])
    confidence = first["probabilities"][first["class"]]
    return reply(content | {"predicted_class": first["class"], "confidence_score": confidence})


@router.get("/healthz", response_model=schemas.Health)
async def healthz() -> Response:
    """Report that the process is alive, and the versions of its packages."""
    return reply({"status": "ok", "versions": versions()})


@router.get("/readyz", response_model=schemas.Readiness, responses=schemas.problems(503))
async def readyz(request: Request) -> Response:
    """Report whether each champion reproduced its golden predictions, and which new bundles were refused and why."""
    models = request.app.state.models
    content = {"tasks": {task: served.id for task, served in sorted(models.served.items())}, "refused": models.refused}
    content["warnings"] = {
        task: text for task, served in sorted(models.served.items()) if (text := served.info.warning)
    }
    silent = sorted(set(models.refused) - set(models.served))
    if not models.is_checked:
        raise Problem(503, "The models are being loaded.", {"Retry-After": "1"}, ready=False, **content)
    if silent:
        raise Problem(503, f"No model serves {', '.join(silent)}; see 'refused'.", ready=False, **content)
    if models.missing:
        raise Problem(
            503, "; ".join(f"{task}: {lost}" for task, lost in models.missing.items()), ready=False, **content
        )
    if not models.served:
        raise Problem(503, "No task has a champion yet. Run 'make demo', or 'dvc repro'.", ready=False, **content)
    return reply({"ready": True} | content)


@router.get("/metrics", response_class=Response, responses=schemas.problems(401))
async def metrics(request: Request) -> Response:
    """Metrics for Prometheus."""
    models = request.app.state.models
    served = dict(sorted(models.served.items()))
    reports = [await monitored(models, champion) for champion in served.values()]
    ids = {task: champion.id for task, champion in served.items()}
    page = request.app.state.metrics.page(ids, models.refused, monitor.families(reports))
    return Response(page, media_type=prometheus_client.CONTENT_TYPE_LATEST)


async def monitored(models: Models, served: Served) -> monitor.MonitorReport:
    """Return the monitoring report of a champion, read from files in a thread."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(None, monitor.report, models.recorder, served.task, served.id, served.info)


def reply(content: Mapping[str, Any]) -> Response:
    """Return `content` as JSON."""
    return Response(to_json(content), media_type="application/json")


@functools.cache
def versions() -> dict[str, str]:
    """Return the versions of Assay, Python and the packages that influence a prediction."""
    installed = {"assay": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            installed[name] = version(name)
    return installed


def create_app(
    threads: int, known: list[bytes], allowed: frozenset[str] = frozenset(), ready: Callable[[], None] = lambda: None
) -> Guard:
    """Return the ASGI application, which loads the champions of the working folder when it starts, then calls `ready`."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        watching = asyncio.create_task(app.state.models.watch(ready))
        yield
        watching.cancel()
        app.state.models.recorder.flush()

    app = FastAPIOffline(  # /docs with its scripts in the package: the usual one loads them from other servers
        title="Assay",
        version=__version__,
        description="Research use, not a medical device.",
        lifespan=lifespan,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=error_answers.HANDLERS,
    )
    app.include_router(router)
    app.include_router(outcomes.router)
    app.state.models, app.state.gate = Models(threads), Gate()
    app.state.metrics, app.state.known = Metrics(app.state.gate), known
    return Guard(app, app.state.metrics, known, allowed)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; exit with an error message if the address is not available."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        print(f"{host}:{port} is not available ({error}); choose another with --host or --port", file=sys.stderr)
        sys.exit(2)


def main() -> None:
    parser = command_line.parser("app.api", "Serve the champions over HTTP.", "", "--port 9000")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 127.0.0.1: only this machine")
    parser.add_argument("--port", type=int, default=8000, help="0: any free port")
    parser.add_argument(
        "--without-keys",
        action="store_true",
        help="turn authentication off on an address that other machines can reach",
    )
    hosts.add_option(parser)
    given = parser.parse_args()
    known = keys.parse(os.environ.get("ASSAY_API_KEYS", ""))
    if not known and not given.without_keys and not keys.is_loopback(given.host):
        parser.error(
            f"--host {given.host} can be reached from elsewhere: set ASSAY_API_KEYS to comma-separated keys, "
            "or use --without-keys"
        )
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    listening = listen(given.host, given.port)
    host, port = listening.getsockname()[:2]
    answers = f"Assay answers on http://{f'[{host}]' if ':' in host else host}:{port}; see /docs"
    ready = functools.partial(print, answers, flush=True)
    server(create_app(litert.cores(), known, given.allowed_hosts, ready)).run(sockets=[listening])


def server(app: Guard) -> uvicorn.Server:
    """Return the server that runs `app`."""
    config = uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        access_log=False,  # nothing that a client sent is logged
        log_config=None,
        log_level="error",
        proxy_headers=False,  # the client's address is not used; saves a layer of middleware
        server_header=False,
        timeout_keep_alive=75,  # longer than clients wait between two requests
        timeout_graceful_shutdown=10,
    )
    return uvicorn.Server(config)


if __name__ == "__main__":
    main()
