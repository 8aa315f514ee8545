"""Whatever was sent, the answer is JSON."""

import json

from tests.helpers.serving import ROW


def test_an_answer_is_json_whatever_was_sent(server):
    row = ROW | {"\ud800": "\udfff"}
    status, content, _ = server.rows(row, ROW)
    assert status == 200
    assert "not used by the model: ?" in content["predictions"][0]["reason"]
    assert json.dumps(content)
