"""README.md of a bundle: what goes in, what comes out, and the lines that load it without Assay."""

from pipeline.data.image_with_columns import has_columns
from pipeline.prediction.bundle import BundleInfo

OPEN = """from PIL import Image, ImageOps

file = Image.open("image.png")
file.draft(None, (448, 448))  # a large JPEG is decoded at a part of its size
if "A" in file.mode or "transparency" in file.info or file.mode[0] in "IF" or getattr(file, "n_frames", 1) > 1:
    raise SystemExit("transparency, grey values of more than 8 bits and several frames are read by Assay alone")
image = ImageOps.exif_transpose(file).convert("RGB")
image = image.resize((224, 224), Image.Resampling.BILINEAR, reducing_gap=2.0)"""
NETWORK = f"""import keras
import numpy as np
{OPEN}
model = keras.saving.load_model("model.keras", compile=False)
print({{name: float(value[0]) for name, value in model.predict(np.asarray(image)[None], verbose=0).items()}})"""
ANSWER = """model = joblib.load("model.joblib")
print(dict(zip(model.classes_.tolist(), model.predict_proba(X)[0].tolist())))"""
EMBEDDING = f"""import joblib
import numpy as np
from ai_edge_litert.interpreter import Interpreter
{OPEN}
network = Interpreter("embedder.tflite")
network.allocate_tensors()
network.set_tensor(network.get_input_details()[0]["index"], np.asarray(image)[None])
network.invoke()
X = next(network.get_tensor(out["index"]) for out in network.get_output_details() if len(out["shape"]) == 2)
{ANSWER}"""
CLASSICAL = f"""import joblib
import numpy as np
{OPEN}
bins = np.asarray(image).astype(int) // 64
colours = np.bincount((bins @ [16, 4, 1]).ravel(), minlength=64) / (224 * 224)
grey = np.asarray(image.convert("L").resize((16, 16), Image.Resampling.BOX)) / 255
X = np.concatenate([colours, grey.ravel()])[None].astype(np.float32)
{ANSWER}"""
TABLE = """import joblib
import pandas as pd

X = pd.DataFrame([{row}])
{answer}"""
VECTOR = """import joblib
import numpy as np

# in the order of `schema` in bundle.json
X = np.array([[{values}]], np.float32)
{answer}"""
ASSAY = """from pipeline.prediction.predictor import Predictor

predictor = Predictor(".")
print(predictor.predict({sample}, "name")["probabilities"])"""


def write(info: BundleInfo, modules: list[str]) -> str:
    """Return the text; `modules` are the packages that model.joblib names."""
    lines, needs = code(info, modules)
    parts = [
        f"# {info.model}",
        f"A model of the task `{info.task}`: {describe_input(info)} goes in, a probability for each of "
        f"{', '.join(f'`{name}`' for name in info.classes)} comes out, calibrated as Assay shows it.",
        f"This needs {needs} (versions in training: {', '.join(f'{k} {v}' for k, v in info.versions.items())}):",
        f"```python\n{lines}\n```",
        decision(info),
    ]
    return "\n\n".join(parts) + "\n"


def describe_input(info: BundleInfo) -> str:
    """Return what a sample is."""
    if info.is_vector:
        return f"a vector of {len(info.schema)} features of an image, float32, computed as those of training were"
    if info.is_table:
        return "a row of numbers and categories"
    image = "an image as RGB of 224x224 px, uint8, resized bilinearly without keeping its proportions"
    return f"{image}, with a row of clinical columns" if has_columns(info.features) else image


def code(info: BundleInfo, modules: list[str]) -> tuple[str, str]:
    """Return the lines that load the bundle in its folder, and what they need."""
    own_rule = bool(not info.is_table and info.pixel_rule.to_json())
    if has_columns(info.features) or own_rule or "pipeline" in modules:
        why = " for its rule for pixels" * own_rule
        row = "{" + ", ".join(f"{field.name!r}: ..." for field in info.schema) + "}"
        file = 'open("image.png", "rb").read()'
        sample = row if info.is_table else f"({file}, {row})" if info.schema else file
        return ASSAY.format(sample=sample), f"Assay{why}, in whose folder Python is started"
    if info.features == "pixels":
        return NETWORK, "keras with tensorflow, numpy and pillow"
    others = ", ".join(sorted({*modules, "joblib"} - {"sklearn", "numpy", "scipy"}))
    if info.is_vector:
        values = ", ".join(repr(float(field.default or 0)) for field in info.schema)
        return VECTOR.format(values=values, answer=ANSWER), f"scikit-learn, numpy, {others}"
    if info.is_table:
        row = ", ".join(f"{field.name!r}: {usual(field.default, field.is_number)}" for field in info.schema)
        return TABLE.format(row="{" + row + "}", answer=ANSWER), f"scikit-learn, pandas, {others}"
    if info.features == "classical":
        return CLASSICAL, f"scikit-learn, pillow, {others}"
    return EMBEDDING, f"scikit-learn, pillow, ai-edge-litert, {others}"


def usual(default: float | str | None, is_number: bool) -> str:
    """Return the usual value of a column as Python writes it; what is missing is NaN, or "" for a category."""
    if is_number:
        return 'float("nan")' if default is None else repr(float(default))
    return repr(default or "")


def decision(info: BundleInfo) -> str:
    """Return what the lines leave out: the threshold and the comparison with the training data."""
    rule = info.rule
    answer = f"Assay answers `{info.positive}` from a probability of {rule.threshold:g} on" if info.positive else ""
    refusal = (
        f"{'these' if answer else 'These'} lines refuse nothing: Assay compares each sample with the training data "
    )
    refusal += "first (known.npz, bundle.json)"
    needed = [field.name for field in info.schema if field.is_required]
    if info.is_vector:
        return "; ".join(filter(None, (answer, refusal))) + "."
    missing = "A missing number is NaN, a missing category an empty text. " if info.schema else ""
    columns = "each column" if len(needed) == len(info.schema) else ", ".join(map(repr, needed))
    missing += f"Every training row had a value of {columns}, so a row needs one. " if needed else ""
    missing += categories(info)
    return missing + "; ".join(filter(None, (answer, refusal))) + "."


def categories(info: BundleInfo) -> str:
    """Return how categories are written: of another spelling, another type, or NaN, none is recognised, without a word."""
    known = "; ".join(
        f"{field.name!r}: {', '.join(map(repr, field.choices))}" for field in info.schema if field.choices
    )
    return (
        f"Categories are texts, written just so, and anything else counts as none of them: {known}. " if known else ""
    )
