"""Raw data that change while DVC runs a stage never stand in dvc.lock together with outputs of the old ones."""

import threading

import yaml


def test_a_table_that_grows_during_scan_stops_the_run(clone):
    rows = clone.read("data/demo/breast.csv").decode().splitlines(keepends=True)
    raw = clone.folder / "rows.csv"
    raw.write_text("".join(rows[:300]))
    clone.change(tasks__breast__raw="rows.csv")
    ended = threading.Event()

    def append() -> None:
        n_rows = 300
        while not ended.wait(0.02):
            with raw.open("a") as file:
                file.write(rows[n_rows % len(rows) or 1])
            n_rows += 1

    writer = threading.Thread(target=append)
    writer.start()
    try:
        done = clone.run("dvc", "repro", "scan@breast", ok=False)
    finally:
        ended.set()
        writer.join()
    assert done.returncode != 0
    assert "DataError: rows.csv: changed while scan breast read it: rows.csv was written to" in done.stderr
    lock = yaml.safe_load(clone.read("dvc.lock"))["stages"]
    assert all(entry["path"] != "rows.csv" for entry in lock["scan@breast"]["deps"])

    assert "scan@breast" in clone.repro("scan@breast")
    assert clone.read("data/breast/scan/samples.csv").count(b"\n") == raw.read_bytes().count(b"\n")
    clone.repro("audit@breast")
