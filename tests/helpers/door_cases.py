"""Data sets in the forms in which they come to the door, made by the tests: small, drawn, nobody's."""

import csv
import io
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from tests.helpers.dicom import Slice, write_export
from tests.helpers.samples import encoded, noise, put

Files = dict[str, bytes | str | int]


@dataclass(frozen=True)
class Case:
    """What comes in: a name, the files, and what init_task is given: a path below the folder, then options."""

    title: str
    files: Callable[[], Files]
    path: str = ""
    options: tuple[str, ...] = ()

    def make(self, root: Path) -> list[str]:
        """Write the files below `root` and return the arguments of init_task."""
        put(root, self.files())
        return [(root / self.path).as_posix(), *self.options]


def images(*folders: str, n: int = 24, name: str = "{n}.png") -> Files:
    """Return images in folders, no two alike."""
    return {f"{folder}/{name.format(n=n_, k=k)}": 100 * k + n_ for k, folder in enumerate(folders) for n_ in range(n)}


def below_splits(*tops: str) -> Files:
    """Return images of two classes in train or test, below other folders in turn."""
    folders = [f"{top}/{('train', 'test')[n % 2]}/{c}" for n, top in enumerate(tops) for c in "ab"]
    return images(*folders, n=3)


def table(header: list[str], rows: list[list[object]]) -> str:
    """Return a CSV."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *rows])
    return out.getvalue()


def isic_2020() -> Files:
    """Return images named without suffix in a folder next to an official CSV."""
    rows = []
    for n in range(48):
        bad = n % 3 == 0
        rows.append(
            [f"ISIC_{n:07}", f"IP_{n // 4:07}", "male", 45.0 + n % 5, "melanoma" if bad else "unknown",
             "malignant" if bad else "benign", int(bad)]
        )  # fmt: skip
    header = ["image_name", "patient_id", "sex", "age_approx", "diagnosis", "benign_malignant", "target"]
    return {f"train/ISIC_{n:07}.jpg": n for n in range(48)} | {"GroundTruth.csv": table(header, rows)}


def one_hot(n_ones: int = 1) -> Files:
    """Return a CSV whose label is spread over columns of 0 and 1."""
    rows = [[f"ISIC_{n}", *(float((n + k) % 3 < n_ones) for k in range(3))] for n in range(60)]
    return {f"input/ISIC_{n}.jpg": n for n in range(60)} | {"truth.csv": table(["image", "MEL", "NV", "BCC"], rows)}


def two_folders() -> Files:
    """Return images in two folders, and lesions with several images, half of them nevi."""
    rows = [[f"HAM_{n // 3}", f"ISIC_{n}", ["nv", "mel"][n // 3 % 2], "histo"] for n in range(72)]
    files: Files = {f"images_part_{1 + n // 36}/ISIC_{n}.jpg": n for n in range(72)}
    return files | {"metadata.csv": table(["lesion_id", "image_id", "dx", "dx_type"], rows)}


def parts() -> Files:
    """Return train.csv and test.csv with their folders of images."""
    files = images("train", "test")
    for part in ("train", "test"):
        files[f"{part}.csv"] = table(["id_code", "diagnosis"], [[str(n), n % 2] for n in range(24)])
    return files


def flagged() -> Files:
    """Return images, and a CSV that says with 0 and 1 which are the test set."""
    rows = [[f"{n}.png", ["well", "ill"][n % 2], int(n % 3 == 0)] for n in range(48)]
    return {f"img/{n}.png": n for n in range(48)} | {"labels.csv": table(["image", "diagnosis", "is_test"], rows)}


def boxes() -> Files:
    """Return images, and a CSV with two rows for each."""
    rows = [[f"{n // 2}.png", ["well", "ill"][n // 2 % 2], n, n + 9] for n in range(96)]
    return {f"img/{n}.png": n for n in range(48)} | {"labels.csv": table(["image", "label", "left", "right"], rows)}


def packed(files: Files) -> bytes:
    """Return a zip archive of files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            data = encoded(noise(content)) if isinstance(content, int) else content
            archive.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


def medmnist() -> bytes:
    """Return a .npz as MedMNIST publishes them."""
    rng, arrays, out = np.random.default_rng(1), {}, io.BytesIO()
    for part, n in (("train", 40), ("val", 10), ("test", 20)):
        arrays[f"{part}_images"] = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        arrays[f"{part}_labels"] = (np.arange(n) % 2).astype(np.uint8)[:, None]
    np.savez(out, **arrays)
    return out.getvalue()


def visits(name: str, n_patients: int = 40) -> str:
    """Return five visits of each patient; the outcome is the patient's."""
    rng = np.random.default_rng(3)
    rows = []
    for patient in range(n_patients):
        own, outcome = rng.normal(size=3), int(rng.integers(2))
        rows += [[1000 + 7 * patient, *np.round(own + rng.normal(0, 0.1, 3), 2), outcome] for _ in range(5)]
    return table([name, "a", "b", "c", "outcome"], rows)


def measured(**columns: Callable[[int, int], object]) -> str:
    """Return 200 rows of two measurements, further columns made of (row, outcome), and an outcome."""
    rng = np.random.default_rng(4)
    rows = []
    for n in range(200):
        outcome = int(rng.integers(2))
        own = [make(n, outcome) for make in columns.values()]
        rows.append([*np.round(rng.normal(size=2), 3), *own, ["well", "ill"][outcome]])
    return table(["size", "dose", *columns, "outcome"], rows)


def named_persons() -> str:
    """Return five rows of each of 24 persons, who share first names and surnames."""
    return measured(
        last_name=lambda n, y: "ABCDEF"[n // 5 % 6] + "son",
        first_name=lambda n, y: ["Ann", "Bo", "Cy", "Di"][n // 30 % 4],
    )


def restarting() -> str:
    """Return rows of 40 patients of two sites, who are numbered at each; the sex differs between those of one number."""
    return measured(
        site=lambda n, y: "bonn" if n % 2 else "ulm",
        patient_no=lambda n, y: n // 2 % 20,
        sex=lambda n, y: "fm"[(n % 40) * 7 // 3 % 2],
    )


def symptoms() -> str:
    """Return 200 rows of three questions: most are equal to others, with either outcome."""
    rng = np.random.default_rng(5)
    return table(["fever", "cough", "contact", "covid"], rng.integers(0, 2, (200, 4)).tolist())


def headless() -> str:
    """Return a table without a header."""
    return measured().split("\n", 1)[1]


def unclosed() -> str:
    """Return a table with a quote that is never closed."""
    return measured(note=lambda n, y: "open" if n == 50 else "x").replace("open", '"x')


def site_last() -> str:
    """Return a table whose label is in another language and followed by the site."""
    return measured(Ergebnis=lambda n, y: ["gut", "schlecht"][y], site=lambda n, y: "AB"[n % 3 > 0]).replace(
        "outcome", "arm"
    )


def moved() -> Files:
    """Return images, and a CSV with their paths on another computer."""
    rows = [[f"/home/anna/data/img/{n}.png", ["well", "ill"][n % 2]] for n in range(48)]
    return {f"img/{n}.png": n for n in range(48)} | {"labels.csv": table(["path", "diagnosis"], rows)}


def deep() -> Files:
    """Return class folders of 16-bit PNGs that use 12 bits."""
    values = np.random.default_rng(6).integers(0, 4096, (2, 24, 40, 60)).astype(np.uint16)
    return {f"{'ab'[k]}/{n}.png": encoded(Image.fromarray(values[k, n])) for k in range(2) for n in range(24)}


def export() -> Files:
    """Return a PACS export of 24 patients with a CSV of their labels."""
    rng = np.random.default_rng(7)
    slices = [Slice(rng.integers(0, 256, (40, 48)).astype(np.uint8), ["well", "ill"][p % 2], p) for p in range(24)]
    with tempfile.TemporaryDirectory() as scratch:
        write_export(Path(scratch), slices)
        return {p.relative_to(scratch).as_posix(): p.read_bytes() for p in Path(scratch).rglob("*") if p.is_file()}


def points(separator: str = ",") -> str:
    """Return a table with a column of points before three digits, and no other point."""
    rng = np.random.default_rng(5)
    rows = [[int(rng.integers(20, 90)), f"{rng.integers(1, 99)}.{rng.integers(100, 999)}", n % 2] for n in range(200)]
    return table(["age", "wbc", "outcome"], rows).replace(",", separator)


CASES = [
    Case("class folders", lambda: images("benign", "malignant")),
    Case("`train/` and `test/`", lambda: images("train/a", "train/b", "test/a", "test/b")),
    Case("`train_set/` and `test_set/`", lambda: images("train_set/a", "train_set/b", "test_set/a", "test_set/b")),
    Case("one part of these", lambda: images("train_set/a", "train_set/b", "test_set/a", "test_set/b"), "train_set"),
    Case("`fold1/` and `fold2/`", lambda: images("fold1/a", "fold1/b", "fold2/a", "fold2/b")),
    Case("the same, decided", lambda: images("fold1/a", "fold1/b", "fold2/a", "fold2/b"), "", ("--folders", "any/class")),
    Case("`images/` and `masks/`", lambda: images("images/a", "images/b", "masks/a", "masks/b")),
    Case("masks called `_L`", lambda: images("a", "b") | images("a", "b", name="{n}_L.png")),
    Case("a class called `.5 cm`", lambda: images(".5 cm", "1 cm")),
    Case("masks next to images", lambda: images("a", "b") | images("a", "b", name="{n}_mask.png")),
    Case("class/train", lambda: images("a/train", "a/test", "b/train", "b/test", name="{k}_{n}.png")),
    Case("patient/class", lambda: images(*(f"patient{p:02}/{c}" for p in range(12) for c in "ab"), n=3)),
    Case("patient/train/class", lambda: below_splits(*(f"patient{p:02}" for p in range(12)))),
    Case("site/train/class", lambda: below_splits("bonn", "ulm", "wien")),
    Case("patients and no class", lambda: images(*(f"patient{p:02}" for p in range(12)), n=3)),
    Case("an empty class folder", lambda: images("a", "b") | {"c/.keep": ""}),
    Case("a class in `.jfif`", lambda: images("a") | images("b", name="{n}b.jfif")),
    Case("a class in `.heic`", lambda: images("a", "b") | {f"c/{n}.heic": b"x" for n in range(9)}),
    Case("a class missing from the shipped test", lambda: images("train/a", "train/b", "train/c", "test/a", "test/b")),
    Case("the same, decided", lambda: images("train/a", "train/b", "train/c", "test/a", "test/b"), "", ("--split", "hash")),
    Case("`annotations/` next to train and test", lambda: images("train/a", "test/b", "annotations")),
    Case("a CSV of names without suffix (ISIC 2020)", isic_2020, "GroundTruth.csv"),
    Case("its folder", isic_2020),
    Case("one-hot label columns (ISIC 2019)", one_hot, "truth.csv"),
    Case("several labels a row", lambda: one_hot(2), "truth.csv"),
    Case("images in two folders (HAM10000)", two_folders, "metadata.csv"),
    Case("`train.csv` and `test.csv`", parts),
    Case("a split in a column of 0 and 1", flagged, "labels.csv"),
    Case("the same, decided", flagged, "labels.csv", ("--exclude", "is_test")),
    Case("a CSV of boxes, several an image", boxes, "labels.csv"),
    Case("a CSV whose images are not there", lambda: {"truth.csv": isic_2020()["GroundTruth.csv"]}, "truth.csv"),
    Case("12 bits in 16-bit PNGs", deep),
    Case("a PACS export and a CSV by PatientID", export),
    Case("its DICOMDIR", export, "DICOMDIR"),
    Case("NIfTI volumes", lambda: {f"{c}/{n}.nii": bytes(344) + b"n+1\0" + bytes(99) for n in range(9) for c in "ab"}),
    Case("a zip archive", lambda: {"skin.zip": packed(images("skin/benign", "skin/malignant"))}, "skin.zip"),
    Case("a hostile zip archive", lambda: {"skin.zip": packed({"../../evil.png": b"x"})}, "skin.zip"),
    Case("a MedMNIST file", lambda: {"pneumonia.npz": medmnist()}, "pneumonia.npz"),
    Case("class/patient/image", lambda: images(*(f"{'ab'[p % 2]}/patient{p:02}" for p in range(24)), n=3)),
    Case("classes named with their part of a split", lambda: images("a_train", "b_train", "a_test", "b_test")),
    Case("a table with 8 patients", lambda: {"visits.csv": visits("patient_id", 8)}, "visits.csv"),
    Case("an id next to a group that is named", lambda: {"t.csv": measured(house=lambda n, y: n // 2, id=lambda n, y: n)},
         "t.csv", ("--group", "house")),
    Case("equal rows with other outcomes", lambda: {"t.csv": symptoms()}, "t.csv"),
    Case("a table with visits and MRN", lambda: {"visits.csv": visits("MRN")}, "visits.csv"),
    Case("first and last name as the patient", lambda: {"t.csv": named_persons()}, "t.csv"),
    Case("patient numbers that start anew at each site", lambda: {"t.csv": restarting()}, "t.csv"),
    Case("visits and no patient", lambda: {"t.csv": measured(visit=lambda n, y: n % 5 + 1)}, "t.csv"),
    Case("a table with a running index", lambda: {"t.csv": measured(index=lambda n, y: n)}, "t.csv"),
    Case("a column that is the label by another name", lambda: {"t.csv": measured(code=lambda n, y: "AB"[y])}, "t.csv"),
    Case("a table without a header", lambda: {"t.csv": headless()}, "t.csv"),
    Case("an unclosed quote", lambda: {"t.csv": unclosed()}, "t.csv"),
    Case("a label in another language, and a last column that is none", lambda: {"t.csv": site_last()}, "t.csv"),
    Case("two columns that may be the label", lambda: {"t.csv": measured(a=lambda n, y: "AB"[n % 2]).replace("outcome", "b")},
         "t.csv"),
    Case("a measurement as label", lambda: {"t.csv": measured().replace("dose", "target").replace("outcome", "site")}, "t.csv"),
    Case("points that may part thousands", lambda: {"t.csv": points(";")}, "t.csv"),
    Case("a title above the header", lambda: {"t.csv": "Study of 2021,,\n" + measured()}, "t.csv"),
    Case("a web page saved as .csv", lambda: {"t.csv": "<!DOCTYPE html><html>Please log in"}, "t.csv"),
    Case("a zip archive of a table", lambda: {"t.zip": packed({"t.csv": measured().encode()})}, "t.zip"),
    Case("a zip archive in a zip archive", lambda: {"t.zip": packed({"inner.zip": b"x"})}, "t.zip"),
    Case("paths of another computer", moved, "labels.csv"),
    Case("rows without a label", lambda: {"t.csv": measured().replace("well", "NA", 9)}, "t.csv"),
]  # fmt: skip
