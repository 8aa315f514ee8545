"""Work in parallel on this machine; tests/e2e/test_dask.py does the same on a cluster."""

import threading
import time

import pytest

from pipeline.core.parallel import run_parallel


def test_results_keep_the_order_of_items():
    def work(item):
        time.sleep(0.05 * (item == 0))
        return item * 2

    assert list(run_parallel(work, iter(range(20)), 3)) == list(range(0, 40, 2))


def test_results_come_before_the_last_item_is_asked_for():
    asked = []

    def items():
        for item in range(1000):
            asked.append(item)
            yield item

    results = run_parallel(lambda item: time.sleep(0.001), items(), 2)
    next(results)
    assert len(asked) < 100
    assert len(list(results)) == 999


def test_number_of_workers_bounds_parallel_items():
    def busiest(workers):
        now, most, lock = [0], [0], threading.Lock()

        def work(item):
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            time.sleep(0.02)
            with lock:
                now[0] -= 1

        list(run_parallel(work, range(12), workers))
        return most[0]

    assert (busiest(1), busiest(3)) == (1, 3)


def test_errors_reach_the_caller_unchanged():
    def work(item):
        raise ValueError(f"item {item}")

    with pytest.raises(ValueError, match="item 3"):
        list(run_parallel(work, [3], 2))
