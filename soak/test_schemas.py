"""Random requests to the API: every answer is one that its documentation has."""

from tests.e2e.test_api import schemathesis, served


def test_a_hundred_random_requests_to_each_path_are_answered(small):
    with served(small.folder) as (client, _, _):
        schemathesis(client, 100)
