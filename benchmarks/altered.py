"""Altered copies of images in the kinds in which peers are compared: degraded, deformed, covered, recoloured, moved.

An alteration takes an RGB image and a random generator, and returns an RGB image.
"""

import io
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Alteration = Callable[[Image.Image, np.random.Generator], Image.Image]


def compressed(quality: int) -> Alteration:
    """Return an alteration that saves as JPEG."""

    def alter(image: Image.Image, rng: np.random.Generator) -> Image.Image:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        return Image.open(file).convert("RGB")

    return alter


def blurred(sigma: float) -> Alteration:
    """Return an alteration that blurs by a Gaussian of `sigma` px."""
    return lambda image, rng: image.filter(ImageFilter.GaussianBlur(sigma))


def noisy(sigma: float) -> Alteration:
    """Return an alteration that adds independent normal noise of `sigma` grey levels to each channel."""
    return lambda image, rng: to_image(np.asarray(image, float) + rng.normal(0, sigma, (image.height, image.width, 3)))


def deformed(amplitude: float) -> Alteration:
    """Return an alteration that moves pixels along a smooth field (Simard et al. 2003) by up to `amplitude` px an axis."""

    def alter(image: Image.Image, rng: np.random.Generator) -> Image.Image:
        smooth = rng.uniform(4, 10)  # px
        field = [cv2.GaussianBlur(rng.uniform(-1, 1, (image.height, image.width)), (0, 0), smooth) for _ in range(2)]
        across, down = (part / np.abs(part).max() * amplitude for part in field)
        y, x = np.mgrid[: image.height, : image.width]
        moved = (x + across).astype(np.float32), (y + down).astype(np.float32)
        return to_image(cv2.remap(np.asarray(image), *moved, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))

    return alter


def cut_out(share: float) -> Alteration:
    """Return an alteration that blackens one to eight boxes that together take `share` of the area, overlaps aside."""

    def alter(image: Image.Image, rng: np.random.Generator) -> Image.Image:
        copy, n = image.copy(), int(rng.integers(1, 9))
        for _ in range(n):
            aspect, area = rng.uniform(0.6, 1.6), share * image.width * image.height / n
            width, height = round(np.sqrt(area * aspect)), round(np.sqrt(area / aspect))
            left, top = rng.integers(image.width - width), rng.integers(image.height - height)
            copy.paste((0, 0, 0), (left, top, left + width, top + height))
        return copy

    return alter


def cropped(share: float) -> Alteration:
    """Return an alteration that keeps `share` of width and height."""

    def alter(image: Image.Image, rng: np.random.Generator) -> Image.Image:
        width, height = round(image.width * share), round(image.height * share)
        left, top = rng.integers(image.width - width), rng.integers(image.height - height)
        return image.crop((left, top, left + width, top + height))

    return alter


def augmented(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the image as Keras' generator augments it: rotated, moved, zoomed, mirrored, edges repeated, brightness changed."""
    (height, width), angle = (image.height, image.width), rng.uniform(-30, 30)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, rng.uniform(0.85, 1.2))
    matrix[:, 2] += rng.uniform(-0.1, 0.1, 2) * (width, height)
    pixels = cv2.warpAffine(np.asarray(image), matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return to_image((pixels[:, ::-1] if rng.random() < 0.5 else pixels) * rng.uniform(0.8, 1.2))


def scaled(low: float, high: float) -> Alteration:
    """Return an alteration that maps black and white to `low` and `high`, in grey levels."""
    return lambda image, rng: to_image(low + np.asarray(image, float) * (high - low) / 255)


def with_arrows(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the image with three to six arrows drawn on it."""
    copy = image.copy()
    pen = ImageDraw.Draw(copy)
    colour = [(255, 255, 255), (255, 255, 0), (255, 0, 0), (0, 0, 0)][rng.integers(4)]
    for _ in range(rng.integers(3, 7)):
        tip = rng.uniform(0.1, 0.9, 2) * image.size
        angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(0.12, 0.25) * image.width
        pen.line([*tip, *(tip + length * np.array([np.cos(angle), np.sin(angle)]))], colour, 3)
        for side in (-0.5, 0.5):
            pen.line([*tip, *(tip + length / 3 * np.array([np.cos(angle + side), np.sin(angle + side)]))], colour, 3)
    return copy


def with_text(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the image with six lines of text over it."""
    copy = image.copy()
    pen, font = ImageDraw.Draw(copy), ImageFont.load_default(round(image.height / 11))
    for line in range(6):
        words = " ".join("".join(rng.choice(list("abcdefghilmnorstu"), rng.integers(3, 9))) for _ in range(4))
        pen.text((image.width * 0.04, image.height * (0.04 + 0.155 * line)), words, (255, 255, 255), font)
    return copy


def without_hair(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the image after DullRazor's way of removing hair: dark lines are found and inpainted."""
    pixels = np.asarray(image)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    dark = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, np.ones((7, 7), np.uint8))
    return to_image(cv2.inpaint(pixels, (dark > 10).astype(np.uint8), 2, cv2.INPAINT_TELEA))


def with_ruler(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the image with a scale along its lower edge."""
    copy = image.copy()
    pen, top = ImageDraw.Draw(copy), round(image.height * 0.88)
    pen.rectangle((0, top, image.width, image.height), (245, 245, 240))
    for number, x in enumerate(range(4, image.width, 6)):
        pen.line((x, top, x, top + (10 if number % 5 == 0 else 5)), (20, 20, 20), 1)
    return copy


def with_marker(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the image with a ring of violet ink and a coloured disc at an edge."""
    copy = image.copy()
    pen, (width, height) = ImageDraw.Draw(copy), image.size
    pen.ellipse((0.3 * width, 0.25 * height, 0.7 * width, 0.75 * height), outline=(90, 40, 140), width=4)
    radius, y = 0.12 * width, rng.uniform(0.2, 0.8) * height
    pen.ellipse((-radius, y - radius, radius, y + radius), (40, 110, 200))
    return copy


def equalised(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the image after CLAHE of its lightness."""
    lab = cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2LAB)
    lab[:, :, 0] = cv2.createCLAHE(4.0, (8, 8)).apply(lab[:, :, 0])
    return to_image(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB))


def to_image(values: np.ndarray) -> Image.Image:
    """Return an RGB image of values that are rounded and cut at 0 and 255."""
    return Image.fromarray(np.clip(np.round(values), 0, 255).astype(np.uint8))


KINDS: dict[str, Alteration] = {
    "JPEG 10": compressed(10),
    "blur 3 px": blurred(3),
    "blur 6 px": blurred(6),
    "noise 25": noisy(25),
    "noise 50": noisy(50),
    "elastic 2 px": deformed(2),
    "elastic 4 px": deformed(4),
    "cutouts 5 %": cut_out(0.05),
    "cutouts 15 %": cut_out(0.15),
    "crop 80 %": cropped(0.8),
    "crop 65 %": cropped(0.65),
    "rotated by 17": lambda image, rng: image.rotate(17, Image.Resampling.BICUBIC),
    "rotated by 90": lambda image, rng: image.transpose(Image.Transpose.ROTATE_90),
    "mirrored": lambda image, rng: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "Keras augmentation": augmented,
    "inverted": scaled(255, 0),
    "dark": scaled(0, 50),
    "low contrast": scaled(110, 150),
    "arrows": with_arrows,
    "long text": with_text,
    "hair removed": without_hair,
    "ruler": with_ruler,
    "marker": with_marker,
    "CLAHE": equalised,
}
