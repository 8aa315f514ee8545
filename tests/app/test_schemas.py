"""The OpenAPI page."""


def test_openapi_lists_every_route_with_examples_and_errors(server):
    status, content, _ = server.get("/openapi.json")
    assert status == 200
    assert set(content["paths"]) == {
        "/v1/tasks", "/v1/tasks/{task}", "/v1/tasks/{task}/predict", "/v1/tasks/{task}/monitor",
        "/v1/tasks/{task}/samples", "/v1/tasks/{task}/outcomes", "/predict/", "/healthz", "/readyz", "/metrics",
    }  # fmt: skip
    predict = content["paths"]["/v1/tasks/{task}/predict"]["post"]
    assert set(predict["requestBody"]["content"]) == {"multipart/form-data", "application/json"}
    assert {"200", "401", "404", "413", "415", "422", "503"} <= set(predict["responses"])
    assert list(predict["responses"]["503"]["content"]) == ["application/problem+json"]
    assert predict["responses"]["503"]["content"]["application/problem+json"]["schema"]["examples"]
    for name in ("Predictions", "OnePrediction"):
        assert content["components"]["schemas"][name]["examples"]
