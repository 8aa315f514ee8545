"""A page elsewhere cannot use the app or the API on this machine: not by a name that resolves to it, a request or a frame."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from tests.e2e.test_api import served
from tests.helpers.browser import ELSEWHERE, opened


@pytest.fixture(scope="module")
def ports(small, address) -> Iterator[dict[str, int]]:
    """The ports of the API and the app."""
    with served(small.folder) as (client, _, _):
        yield {"api": client.port, "app": int(address.rsplit(":", 1)[1])}


@pytest.fixture(scope="module")
def foreign_page() -> Iterator[str]:
    """The address of a page of another server."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<h1>elsewhere</h1>")

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.parametrize(("name", "path"), [("api", "/v1/tasks"), ("app", "/"), ("app", "/_stcore/health")])
def test_a_name_that_resolves_to_this_machine_is_refused(browser, ports, name, path):
    page = browser.new_page()
    answer = page.goto(f"http://{ELSEWHERE}:{ports[name]}{path}")
    assert answer.status == 403
    assert "--allowed-hosts" in answer.text()
    page.close()


def test_a_foreign_page_gets_no_websocket_request_or_frame(browser, ports, foreign_page):
    page = browser.new_page()
    page.goto(foreign_page)
    opened_socket = """port => new Promise(done => {
        const socket = new WebSocket(`ws://127.0.0.1:${port}/_stcore/stream`);
        socket.onopen = () => done(true); socket.onerror = () => done(false)})"""
    assert page.evaluate(opened_socket, ports["app"]) is False
    posted = """async port => { const form = new FormData(); form.append("file", new Blob(["x"]), "a.png");
        return (await fetch(`http://127.0.0.1:${port}/predict/`, {method: "POST", body: form, mode: "no-cors"})).type }"""
    with page.expect_response(lambda response: "/predict/" in response.url) as seen:
        page.evaluate(posted, ports["api"])
    assert seen.value.status == 403
    app_page = f"http://127.0.0.1:{ports['app']}/"
    frame = "url => { const it = document.createElement('iframe'); it.src = url; document.body.append(it) }"
    with page.expect_event("requestfailed", lambda request: request.url == app_page) as failed:
        page.evaluate(frame, app_page)
    assert failed.value.failure == "net::ERR_BLOCKED_BY_RESPONSE"
    page.close()


def test_the_documentation_of_the_api_loads_nothing_from_elsewhere(browser, ports):
    page, asked = browser.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"http://127.0.0.1:{ports['api']}/docs")
    page.get_by_text("/v1/tasks/{task}/predict").first.wait_for()
    assert all(url.startswith((f"http://127.0.0.1:{ports['api']}/", "data:")) for url in asked)
    page.close()


def test_the_app_itself_works_as_before(browser, ports):
    with opened(browser, f"http://localhost:{ports['app']}/?task=lesions") as page:
        page.get_by_role("heading", name="Predict", exact=True, level=1).wait_for()
