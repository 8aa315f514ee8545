"""Groups are counted over the days that are compared, and known by a hash alone."""

from datetime import UTC, date, datetime

import pytest

from app import group_sizes
from app.group_sizes import GroupSizes


@pytest.fixture
def day(monkeypatch):
    """A function that sets the day."""

    class Clock(datetime):
        current = date(2026, 1, 1)

        @classmethod
        def now(cls, tz=None):
            return datetime(cls.current.year, cls.current.month, cls.current.day, tzinfo=UTC)

    monkeypatch.setattr(group_sizes, "datetime", Clock)
    return lambda number: setattr(Clock, "current", date(2026, 1, number))


def test_samples_of_a_group_are_counted_on():
    sizes = GroupSizes()
    assert [sizes.count("skin", "a", group) for group in "PPQPQ"] == [0, 1, 0, 2, 1]
    assert sizes.count("skin", "a", " p") == 3
    assert sizes.count("other", "a", "P") == sizes.count("skin", "b", "P") == 0


def test_a_group_begins_anew_after_a_week(day):
    sizes, counted = GroupSizes(), []
    for number in (1, 7, 8, 9):
        day(number)
        counted.append(sizes.count("skin", "a", "P"))
    assert counted == [0, 1, 0, 1]


def test_no_id_is_kept():
    sizes = GroupSizes()
    sizes.count("skin", "a", "Erika Mustermann")
    assert b"Erika" not in repr(vars(sizes)).encode()
    other = GroupSizes()
    other.count("skin", "a", "Erika Mustermann")
    assert set(sizes._seen) != set(other._seen)


def test_the_oldest_groups_are_forgotten_first(monkeypatch):
    monkeypatch.setattr(group_sizes, "MOST", 2)
    sizes = GroupSizes()
    for group in "PQPR":
        sizes.count("skin", "a", group)
    assert sizes.count("skin", "a", "P") == 2
    assert sizes.count("skin", "a", "Q") == 0
