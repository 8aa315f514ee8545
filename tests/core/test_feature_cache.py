"""What the store of features keeps, and that a broken store costs time only."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from pipeline.core import feature_cache
from pipeline.core.errors import ParamsError
from pipeline.core.feature_cache import FeatureStore, make_recipe
from pipeline.core.paths import FEATURES

pytestmark = pytest.mark.usefixtures("empty_folder")
ROOT = Path(__file__).resolve().parents[2]


def test_what_was_put_is_found_again_by_a_new_store():
    FeatureStore("images", "r").put([("a", b"1"), ("b", b"\0")])
    store = FeatureStore("images", "r")
    assert (store.get("a"), store.get("b"), store.get("c")) == (b"1", b"\0", None)


def test_entries_are_cached_while_results_are_yielded():
    store, other = FeatureStore("images", "r"), FeatureStore("images", "r")
    results = store.put_all([(k, [(str(k), b"1")] if k else []) for k in range(4)], at_once=2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    assert [other.get(str(k)) for k in range(4)] == [None, b"1", b"1", None]
    assert list(results) == [3]
    assert other.get("3") == b"1"


def test_another_recipe_or_name_finds_nothing():
    FeatureStore("images", "r").put([("a", b"1")])
    assert FeatureStore("images", "s").get("a") is None
    assert FeatureStore("others", "r").get("a") is None


def test_recipe_depends_on_each_part_and_their_order(tmp_path):
    (tmp_path / "code.py").write_text("1")
    first = make_recipe("a", b"b", tmp_path / "code.py", packages=("numpy",))
    assert first == make_recipe("a", b"b", tmp_path / "code.py", packages=("numpy",))
    (tmp_path / "code.py").write_text("2")
    others = [("a", b"b", tmp_path / "code.py"), ("ab", b"", tmp_path / "code.py"), (b"b", "a", tmp_path / "code.py")]
    assert len({first, *(make_recipe(*parts, packages=("numpy",)) for parts in others)}) == 4


def test_a_recipe_ignores_docstrings_and_comments(tmp_path):
    recipes = []
    for source in ('"""One."""\nx = 1  # one\n', '"""Two."""\n\nx = 1\n', '"""Two."""\n\nx = 2\n'):
        (tmp_path / "code.py").write_text(source)
        recipes.append(make_recipe(tmp_path / "code.py"))
    assert recipes[0] == recipes[1] != recipes[2]


def test_a_damaged_file_is_begun_anew():
    FeatureStore("images", "r").put([("a", b"1")])
    (FEATURES / "images.sqlite").write_bytes(b"no database " * 1000)
    store = FeatureStore("images", "r")
    assert store.get("a") is None
    store.put([("a", b"2")])
    assert FeatureStore("images", "r").get("a") == b"2"


def test_unwritable_cache_keeps_nothing_and_does_not_fail():
    FEATURES.parent.mkdir()
    FEATURES.write_text("a file where the folder should be")
    store = FeatureStore("images", "r")
    store.put([("a", b"1")])
    assert store.get("a") is None


def test_many_threads_read_while_one_writes():
    store = FeatureStore("images", "r")

    def read(number):
        return [store.get(str(i)) for i in range(200)]

    with ThreadPoolExecutor(4) as pool:
        reading = [pool.submit(read, number) for number in range(8)]
        for start in range(0, 200, 10):
            store.put([(str(i), bytes([i])) for i in range(start, start + 10)])
        for seen in reading:
            assert all(value in (None, bytes([i])) for i, value in enumerate(seen.result()))
    assert read(0) == [bytes([i]) for i in range(200)]


def test_a_process_killed_while_it_writes_leaves_whole_values(tmp_path):
    code = """
from pipeline.core.feature_cache import FeatureStore
store = FeatureStore("p", "r")
for i in range(10**6):
    store.put([(str(i), str(i).encode() * 1000)])
    print(i, flush=True)
"""
    writer = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(ROOT)}
    )
    for _ in range(20):
        writer.stdout.readline()
    writer.kill()
    writer.communicate()
    store = FeatureStore("p", "r")
    assert [store.get(str(i)) for i in range(20)] == [str(i).encode() * 1000 for i in range(20)]


def test_experiments_in_copies_share_the_cache(tmp_path, monkeypatch):
    FeatureStore("images", "r").put([("a", b"1")])
    (tmp_path / "copy").mkdir()
    monkeypatch.chdir(tmp_path / "copy")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    assert FeatureStore("images", "r").get("a") == b"1"


def limited(max_size: str) -> None:
    Path("params.yaml").write_text(f"cache: {{max_size: {max_size}}}\n")


def test_the_oldest_values_go_first_and_the_files_stay_small():
    limited("1 MB")
    store = FeatureStore("images", "r")
    for start in range(0, 300, 10):
        store.put([(str(number), os.urandom(10_000)) for number in range(start, start + 10)])
    kept = [number for number in range(300) if store.get(str(number))]
    assert kept == list(range(kept[0], 300)), "no gap: the newest are there"
    assert 70 <= len(kept) <= 100
    assert (FEATURES / "images.sqlite").stat().st_size < 1.2e6


def test_a_small_store_is_spared_while_a_large_can_shrink():
    limited("1 MB")
    FeatureStore("small", "r").put([("a", os.urandom(10_000))])
    large = FeatureStore("large", "r")
    for start in range(0, 300, 10):
        large.put([(str(number), os.urandom(10_000)) for number in range(start, start + 10)])
    FeatureStore("small", "r").put([("b", os.urandom(10_000))])
    assert all(FeatureStore("small", "r").get(key) for key in "ab")
    assert large.get("299")
    assert not large.get("0")


def test_room_that_one_store_frees_is_another_s():
    limited("1 MB")
    for name in "abcab":
        for start in range(0, 150, 10):
            FeatureStore(name, "r").put([(f"{start + number}", os.urandom(10_000)) for number in range(10)])
        assert sum(path.stat().st_size for path in FEATURES.iterdir()) < 1.2e6


def test_without_a_limit_in_params_yaml_ten_gigabytes_are_kept():
    assert feature_cache.max_bytes() == 10_000_000_000
    Path("params.yaml").write_text("seed: 7\n")
    assert feature_cache.max_bytes() == 10_000_000_000
    limited("500MB")
    assert feature_cache.max_bytes() == 500_000_000
    limited("ten")
    with pytest.raises(ParamsError, match=r"cache\.max_size: found 'ten'"):
        feature_cache.max_bytes()


def test_values_take_less_room_than_they_have_bytes():
    value = np.linspace(0, 1, 25_000, dtype=np.float32).round(2).tobytes()
    store = FeatureStore("images", "r")
    store.put([("a", value)])
    assert store.get("a") == value
    assert (FEATURES / "images.sqlite").stat().st_size < len(value) / 2
