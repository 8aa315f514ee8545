"""Draw the pairs that an audit found side by side, so that a person can check them."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from pipeline.core import artifacts
from pipeline.data.audit_result import PathPair
from pipeline.data.images import decoding, image_file
from pipeline.data.images.pixel_rule import AS_IT_WAS, PixelRule

MOST = 100  # pairs on a sheet
COLUMNS = 4
SIDE = 150  # px of an image's longer side
GAP, LINE = 8, 13  # px: between things, and from one line of text to the next
WIDTH = 2 * SIDE + 3 * GAP  # px of a pair
HEIGHT = SIDE + 4 * LINE + 2 * GAP


def draw(pairs: list[tuple[PathPair, str]], root: Path, rule: PixelRule = AS_IT_WAS) -> Image.Image:
    """Return a sheet of the first MOST pairs with a remark on each; files lie below `root`."""
    shown = pairs[:MOST]
    rows = -(-len(shown) // COLUMNS)
    sheet = Image.new("RGB", (WIDTH * min(COLUMNS, max(1, len(shown))), HEIGHT * max(1, rows)), "white")
    for number, (pair, remark) in enumerate(shown):
        sheet.paste(draw_pair(pair, remark, root, rule), (number % COLUMNS * WIDTH, number // COLUMNS * HEIGHT))
    if not shown:
        ImageDraw.Draw(sheet).text((GAP, GAP), "no pairs", fill="black", font=ImageFont.load_default(11))
    return sheet


def draw_pair(pair: PathPair, remark: str, root: Path, rule: PixelRule) -> Image.Image:
    """Return both images of a pair above their names, the kind of edit and the score."""
    cell = Image.new("RGB", (WIDTH, HEIGHT), "white")
    for side, path in enumerate((pair.a, pair.b)):
        image = Image.fromarray(decoding.decode(image_file.read(root / path), rule).pixels)
        scale = SIDE / max(image.size)
        image = image.resize([max(1, round(length * scale)) for length in image.size])
        cell.paste(image, (GAP + side * (SIDE + GAP), GAP))
    pen, font = ImageDraw.Draw(cell), ImageFont.load_default(11)
    word = "" if pair.copy else "near: "
    texts = [(pair.a, "black"), (pair.b, "black"), (f"{pair.score:.3f} {word}{pair.kind}", "black")]
    for number, (text, colour) in enumerate([*texts, (remark, "firebrick")]):
        pen.text((GAP, SIDE + 1.5 * GAP + number * LINE), fitting(text, pen, font), fill=colour, font=font)
    return cell


def fitting(text: str, pen: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """Return `text`, its middle left out where it is wider than a pair."""
    kept = text
    for cut in range(len(text)):
        if pen.textlength(kept, font=font) <= WIDTH - 2 * GAP:
            break
        half = (len(text) - cut) // 2
        kept = f"{text[:half]}…{text[len(text) - half :]}"
    return kept


def write(path: Path, pairs: list[tuple[PathPair, str]], root: Path, rule: PixelRule = AS_IT_WAS) -> None:
    """Write the sheet to a PNG file."""
    with artifacts.replacing(path) as part:
        draw(pairs, root, rule).save(part, "PNG")
