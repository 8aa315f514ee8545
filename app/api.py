"""The HTTP API: the champions' answers, as JSON. Run: make api, or python -m app.api [--host H] [--port N].

One process: an event loop that reads and writes, and a thread per core that predicts, with a LiteRT interpreter of its own
(LiteRT and Pillow release Python's lock while they work). What that was chosen over is in `benchmarks/serve.py`.
"""

import os

# One thread per prediction, as in the stage `holdout`: the same sums in the same order, and no thread waits for another.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # before numpy is imported

import argparse
import asyncio
import functools
import logging
import platform
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import prometheus_client
import uvicorn
from fastapi import APIRouter, FastAPI, Query, Request
from fastapi import Path as PathParameter
from fastapi.responses import Response

from app import cards, error_answers, keys, limits, monitor, samples, schemas
from app.guard import Guard
from app.limits import Gate
from app.metrics import Metrics
from app.problems import Problem, to_json
from app.protocol import Protocol
from app.rows import read_rows
from app.serving import Models, Served
from app.uploads import read_files
from pipeline import __version__
from pipeline.core import artifacts
from pipeline.data import litert

PACKAGES = ("ai-edge-litert", "fastapi", "joblib", "numpy", "pandas", "pillow", "scikit-learn", "uvicorn")
REASON = 500  # characters of a reason that are sent back: it may quote what was sent
NEEDS = schemas.problems(401, 404, 408, 413, 415, 422, 503)
TaskName = Annotated[
    str, PathParameter(examples=["lesions", "breast"], description="one of those that /v1/tasks lists")
]
Explain = Annotated[bool, Query(description="also say what each answer rests on, at up to three times the cost")]
router = APIRouter(responses=schemas.problems(400, 431, 500))


@router.get("/v1/tasks", response_model=schemas.Tasks, responses=schemas.problems(401))
async def tasks(request: Request) -> Response:
    """All tasks that have a champion."""
    served = request.app.state.models.served
    return reply({"tasks": [cards.summary(served[task]) for task in sorted(served)]})


@router.get("/v1/tasks/{task}", response_model=schemas.Description, responses=schemas.problems(401, 404, 503))
async def task(task: TaskName, request: Request) -> Response:
    """Classes, columns, figures and origin of a task's champion."""
    return reply(cards.description(request.app.state.models.champion(task)))


@router.get("/v1/tasks/{task}/monitor", response_model=schemas.Monitor, responses=schemas.problems(401, 404, 503))
async def task_monitor(task: TaskName, request: Request) -> Response:
    """What the task's champion was shown, by day, and whether it is like what it was trained on."""
    models = request.app.state.models
    return reply(artifacts.rounded(await watched(models, models.champion(task))))


@router.post(
    "/v1/tasks/{task}/predict",
    response_model=schemas.Predictions,
    responses=NEEDS,
    openapi_extra=schemas.request_body(schemas.files("files", many=True) | schemas.ROWS),
)
async def predict(task: TaskName, request: Request, explain: Explain = False) -> Response:
    """Answer pictures (multipart, field `files`, one or many) or rows of a table (JSON).

    A model that takes columns beside the picture (`schema` of the task lists them) has a field of the form for each.
    A sample that cannot be used is answered with the reason, beside the others; where none can be used, that is a 422.
    """
    state = request.app.state
    served = state.models.champion(task)
    with state.gate.admit() as ticket:
        is_table = served.info.is_table
        given = await (
            read_rows(request, ticket)
            if is_table
            else read_files(request, "files", ticket, served.info.clinical_columns)
        )
        if explain and len(given) > limits.EXPLAINED:
            most = f"at most {limits.EXPLAINED} are explained at once"
            raise Problem(413, f"Found {len(given)} rows; {most}. Send several requests.")
        return reply(await answer(state, served, given, explain))


@router.post(
    "/v1/tasks/{task}/samples",
    response_model=schemas.Collected,
    responses=NEEDS | schemas.problems(403, 507),
    openapi_extra=schemas.request_body(schemas.files("files", many=True) | schemas.ROWS),
)
async def hand_in(
    task: TaskName,
    request: Request,
    label: Annotated[str, Query(description="the class of all of them; rows may have it in a column")] = "",
    group: Annotated[str, Query(description="what they share, for instance the patient")] = "",
    batch: Annotated[str, Query(description="decided as a whole; today's if left out")] = "",
) -> Response:
    """Hand in labelled pictures (multipart, field `files`) or rows (JSON), which are stored for a later training.

    Every sample is answered with the hash it is stored under, or the reason why not. Needs a key.
    """
    served = request.app.state.models.champion(task)
    about = {"label": label, "group": group, "batch": batch}
    return reply(await samples.take(request, served, request.app.state.known, about))


@router.post(
    "/predict/",
    response_model=schemas.OnePrediction,
    responses=NEEDS,
    openapi_extra=schemas.request_body(schemas.files("file", many=False)),
)
@router.post("/predict", include_in_schema=False)
async def predict_one(request: Request, explain: Explain = False) -> Response:
    """Answer a picture (multipart, field `file`) by the default image task: the only one, or the first by name."""
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
    """Whether the process answers, and the versions of what it is made of."""
    return reply({"status": "ok", "versions": versions()})


@router.get("/readyz", response_model=schemas.Readiness, responses=schemas.problems(503))
async def readyz(request: Request) -> Response:
    """Whether every task's champion has agreed with its golden predictions; which new bundles were refused, and why."""
    models = request.app.state.models
    content = {"tasks": {task: one.id for task, one in sorted(models.served.items())}, "refused": models.refused}
    silent = sorted(set(models.refused) - set(models.served))
    if not models.looked:
        raise Problem(503, "The models are being loaded.", {"Retry-After": "1"}, ready=False, **content)
    if silent:
        raise Problem(503, f"Nothing answers for {', '.join(silent)}; see 'refused'.", ready=False, **content)
    if not models.served:
        raise Problem(503, "No task has a champion yet. Run 'make demo', or 'dvc repro'.", ready=False, **content)
    return reply({"ready": True} | content)


@router.get("/metrics", response_class=Response, responses=schemas.problems(401))
async def metrics(request: Request) -> Response:
    """Figures for Prometheus."""
    models = request.app.state.models
    served = dict(sorted(models.served.items()))
    reports = [await watched(models, one) for one in served.values()]
    ids = {task: one.id for task, one in served.items()}
    page = request.app.state.metrics.page(ids, models.refused, monitor.families(reports))
    return Response(page, media_type=prometheus_client.CONTENT_TYPE_LATEST)


async def watched(models: Models, served: Served) -> dict[str, Any]:
    """Return what is known of what a champion was shown, read in a thread: it is in files."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(None, monitor.report, models.recorder, served.task, served.id, served.info)


def reply(content: dict[str, Any]) -> Response:
    """Return `content` as JSON."""
    return Response(to_json(content), media_type="application/json")


async def answer(state: Any, served: Served, samples: list[tuple[str, Any]], explain: bool) -> dict[str, Any]:
    """Return the predictions; raise a 422 that carries them where no sample could be used."""
    items = await state.models.predict(served, samples, explain)
    for item in items:
        item["reason"] = item["reason"][:REASON]
        state.metrics.predictions.labels(served.task, item["class"]).inc()
    if not any(item["class"] for item in items):
        first = f"{items[0]['file']}: {items[0]['reason']}"
        raise Problem(
            422, first if len(items) == 1 else f"None of {len(items)} can be used; {first}", predictions=items
        )
    return {"bundle": served.id, "task": served.task, "predictions": items}


@functools.cache
def versions() -> dict[str, str]:
    """Return the versions of Assay, Python and the packages that decide about an answer."""
    found = {"assay": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def create_app(threads: int, known: list[bytes]) -> Guard:
    """Return the ASGI application, which loads the champions of the working folder when it is started."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        watching = asyncio.create_task(app.state.models.watch())
        yield
        watching.cancel()
        app.state.models.recorder.flush()

    app = FastAPI(
        title="Assay",
        version=__version__,
        description="Research use, not a medical device.",
        lifespan=lifespan,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.include_router(router)
    app.state.models, app.state.gate = Models(threads), Gate()
    app.state.metrics, app.state.known = Metrics(app.state.gate), known
    error_answers.add(app)
    return Guard(app, app.state.metrics, known)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; exit with a line on what to do where the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        print(f"{host}:{port} cannot be listened on ({error}); choose another with --host or --port", file=sys.stderr)
        sys.exit(2)


def main() -> None:
    parser = argparse.ArgumentParser("python -m app.api", description="Serve the champions over HTTP.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 127.0.0.1: this machine alone")
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one")
    parser.add_argument("--without-keys", action="store_true", help="let everybody ask who can reach another --host")
    given = parser.parse_args()
    known = keys.parse(os.environ.get("ASSAY_API_KEYS", ""))
    if not known and not given.without_keys and not keys.is_loopback(given.host):
        parser.error(
            f"--host {given.host} can be reached from elsewhere: set ASSAY_API_KEYS to comma-separated keys, "
            "or say --without-keys"
        )
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    listening = listen(given.host, given.port)
    host, port = listening.getsockname()[:2]
    print(
        f"Assay answers on http://{f'[{host}]' if ':' in host else host}:{port}; /docs shows what it takes", flush=True
    )
    server(create_app(litert.cores(), known)).run(sockets=[listening])


def server(app: Guard) -> uvicorn.Server:
    """Return the server that is to run `app`."""
    config = uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        access_log=False,  # nothing that a client sent goes to a log
        log_config=None,
        log_level="error",
        proxy_headers=False,  # nothing is made of where a request came from; a layer of middleware fewer
        server_header=False,
        timeout_keep_alive=75,  # over the seconds that clients wait between two requests
        timeout_graceful_shutdown=10,
    )
    return uvicorn.Server(config)


if __name__ == "__main__":
    main()
