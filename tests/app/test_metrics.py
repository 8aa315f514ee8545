"""Metrics for Prometheus."""

from tests.helpers.serving import GOOD


def test_figures_count_requests_by_route_and_answers_by_class(server):
    def value(line):
        page = server.get("/metrics")[1].decode()
        return next((float(text.split()[-1]) for text in page.splitlines() if text.startswith(line)), 0)

    asked = 'assay_requests_total{route="/predict/",status="200"}'
    answered = 'assay_predictions_total{answer="malignant",task="skin"}'
    before = value(asked), value(answered)
    server.send("/predict/", ("secret.png", GOOD), field="file")
    assert (value(asked), value(answered)) == (before[0] + 1, before[1] + 1)
    assert value("assay_waiting_requests") == 0
    assert value('assay_bundle{bundle="line') == 1
    server.get("/a/secret/path")
    assert b"secret" not in server.get("/metrics")[1]
