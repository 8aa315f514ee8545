"""The candidate on disk."""

from dataclasses import replace

from pipeline.core import artifacts
from pipeline.training.candidate import Candidate, Tuned
from tests.helpers.models import describe


def test_a_candidate_survives_a_round_trip_through_its_file(tmp_path):
    tuned = Tuned({"C": 1.0}, [{"C": 0.1}, {"C": 1.0}], [{"C": 0.1, "log_loss": 0.6}, {"C": 1.0, "log_loss": 0.5}])
    for candidate in (describe(), replace(describe(), tuned=tuned)):
        candidate.write(tmp_path)
        assert Candidate.read(tmp_path) == candidate
    assert artifacts.read_json(tmp_path / "candidate.json")["tuned"]["chosen"] == {"C": 1.0}


def test_without_listed_values_nothing_is_said_of_tuning():
    assert "tuned" not in describe().to_json()
