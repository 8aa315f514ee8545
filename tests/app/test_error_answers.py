"""Unknown paths and wrong parameters are problem documents."""

from tests.helpers.serving import GOOD


def test_a_wrong_query_parameter_is_named(server):
    status, content, headers = server.send("/v1/tasks/skin/predict?explain=perhaps", ("a.png", GOOD))
    assert (status, headers["content-type"]) == (422, "application/problem+json")
    assert content["detail"].startswith("explain='perhaps': input should be a valid boolean")


def test_unknown_paths_and_methods_are_problem_documents(server):
    for method, path, status in (("GET", "/nowhere", 404), ("GET", "/", 404), ("GET", "/predict/", 405)):
        answered, content, headers = server.ask(method, path)
        assert (answered, headers["content-type"]) == (status, "application/problem+json")
        assert content["detail"].endswith("/docs lists all paths.")
