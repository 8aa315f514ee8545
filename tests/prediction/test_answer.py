"""Answers as they are sent."""

from pipeline.prediction.answer import Explanation, Item, refused


def test_an_explanation_is_sent_without_what_it_lacks():
    of_image = Explanation("class activation map", map=[[0.5]], png=b"\x89PNG")
    assert of_image.to_json() == {"kind": "class activation map", "map": [[0.5]], "png": "iVBORw=="}
    columns = [{"column": "age", "value": None, "contribution": 0.1}]
    of_row = Explanation("terms of the log-odds", columns=columns)
    assert of_row.to_json() == {"kind": "terms of the log-odds", "columns": columns}


def test_a_refused_sample_has_every_key_and_no_class():
    item = refused("a.png", "not a readable image")
    assert item.keys() == Item.__required_keys__
    assert (item["class"], item["probabilities"], item["refused"]) == ("", {}, True)
