"""Draws patches of skin with one lesion each, as a dermatoscope would show them; `photo` takes the photos.

Colour follows what light does in skin: each pigment takes its share of red, green and blue, so more melanin turns tan
into brown and black, and more blood turns it pink. How ill a lesion looks is one number, `malignancy` (0..1): it
pushes asymmetry, border, size, colours and structures, each of them with noise of its own.

Inside, colours are float64 planes (3, height, width) of 0..1: numpy is slow over a last axis of three, and in float32
another machine's `exp` could round a pixel to its neighbour.
"""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

PATCH = 220  # px, width and height of the skin of which photos are taken
MELANIN = np.array([0.66, 1.12, 1.48])[:, None, None]  # optical density of one unit, for red, green and blue
BLOOD = np.array([0.08, 0.80, 0.62])[:, None, None]
VEIL = np.array([0.44, 0.46, 0.54])[:, None, None]  # the blue-grey of pigment that lies deep
SCAR = np.array([0.88, 0.76, 0.73])[:, None, None]  # where the body has removed the pigment
HAIR = np.array([0.15, 0.10, 0.08])[:, None, None]
Y, X = np.mgrid[0:PATCH, 0:PATCH] - (PATCH - 1) / 2


def draw_lesion(rng: np.random.Generator, malignancy: float) -> np.ndarray:
    """Return uint8 RGB (PATCH, PATCH, 3): skin and hairs, and a lesion looking as ill as `malignancy` (0..1) says."""
    melanin, blood = skin(rng)
    level, radius = outline(rng, malignancy)
    inside = smoothstep(level / rng.uniform(0.10, 0.32) + 0.5 + 0.35 * noise(rng, 50))
    depth = rng.uniform(0.4, 1.0) + 0.4 * trait(rng, malignancy)
    mottle = 0.10 + 0.22 * trait(rng, malignancy)
    grain = noise(rng, 40) + 0.6 * noise(rng, 14) + 0.4 * noise(rng, 5)
    pigment = depth * (0.55 + 0.45 * smoothstep(level * 1.4)) * (1 + mottle * grain) * network(rng, malignancy, level)
    blood = blood + inside * rng.gamma(1.5, 0.06)
    veil, scar = np.zeros_like(level), np.zeros_like(level)
    for kind, patch in patches(rng, malignancy, radius):
        patch = patch * inside
        pigment = pigment + (0.8 * patch if kind == "dark" else -0.5 * patch * pigment)
        blood = blood + (0.35 * patch if kind == "red" else 0)
        veil, scar = np.maximum(veil, patch * (kind == "veil")), np.maximum(scar, patch * (kind == "scar"))
    melanin = melanin + inside * np.maximum(pigment, 0) + spots(rng, malignancy, level, radius)
    colour = np.exp(-(melanin * MELANIN + blood * BLOOD))
    colour = blend(blend(colour, VEIL, 0.65 * veil), SCAR, 0.6 * scar)
    return to_uint8(draw_hairs(rng, colour))


def noise(rng: np.random.Generator, wavelength: float) -> np.ndarray:
    """Return a smooth random field (PATCH, PATCH), mean about 0, deviation about 1, its bumps `wavelength` px apart."""
    cells = int(PATCH / wavelength) + 4
    coarse = Image.fromarray(rng.normal(scale=1.4, size=(cells, cells)).astype(np.float32))
    start, extent = 1 + rng.uniform(), PATCH / wavelength
    box = (start, start, start + extent, start + extent)
    return np.asarray(coarse.resize((PATCH, PATCH), Image.Resampling.BICUBIC, box=box)).astype(np.float64)


def trait(rng: np.random.Generator, malignancy: float) -> float:
    """Return how strongly one sign is there (0..1): `malignancy` with noise, because no lesion shows every sign."""
    return float(np.clip(malignancy + rng.normal(scale=0.22), 0, 1))


def smoothstep(values: np.ndarray) -> np.ndarray:
    """Return `values` clipped to 0..1, with both bends rounded."""
    values = np.clip(values, 0, 1)
    return values * values * (3 - 2 * values)


def wave(turns: np.ndarray) -> np.ndarray:
    """Return nearly the cosine (-1..1) of `turns`, in whole turns, at half its cost."""
    return 2 * smoothstep(np.abs(2 * (turns - np.floor(turns)) - 1)) - 1


def hypot(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return what np.hypot does, three times as fast: nothing here overflows."""
    return np.sqrt(x * x + y * y)


def blend(planes: np.ndarray, colour: np.ndarray, cover: np.ndarray) -> np.ndarray:
    """Return `planes` with `colour` (3, 1, 1) laid over them as densely as `cover` (height, width; 0..1) says."""
    return planes + cover * (colour - planes) if cover.any() else planes


def to_uint8(planes: np.ndarray) -> np.ndarray:
    """Return `planes`, clipped to 0..1, as uint8 RGB (height, width, 3)."""
    return np.ascontiguousarray((np.clip(planes, 0, 1) * 255 + 0.5).astype(np.uint8).transpose(1, 2, 0))


def skin(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return melanin and blood (PATCH, PATCH) of bare skin: a tone, mottling, fine furrows and grain."""
    melanin = rng.gamma(3, 0.04) + 0.02 * noise(rng, 90) + 0.014 * noise(rng, 5) + 0.01 * rng.normal(size=X.shape)
    angle, bend = rng.uniform(0, np.pi), noise(rng, 40) / 4
    for turn in (0, rng.uniform(0.9, 1.4)):
        across = X * np.cos(angle + turn) + Y * np.sin(angle + turn)
        ridges = np.maximum(wave(across / rng.uniform(7, 13) + bend), 0)
        melanin = melanin + rng.uniform(0.0, 0.02) * ridges * ridges
    blood = rng.uniform(0.08, 0.38) + 0.03 * noise(rng, 70) + 0.025 * noise(rng, 14)
    return np.maximum(melanin, 0.02), np.maximum(blood, 0.03)


def outline(rng: np.random.Generator, malignancy: float) -> tuple[np.ndarray, float]:
    """Return the lesion's level (PATCH, PATCH), over 0 inside and about 1 in its middle, and its radius in px."""
    radius = rng.uniform(24, 50) + 15 * trait(rng, malignancy)
    asymmetry, ragged = trait(rng, malignancy), trait(rng, malignancy)
    level = np.full((PATCH, PATCH), -9.0)
    for lobe in range(1 + rng.binomial(3, 0.15 + 0.6 * asymmetry)):
        far = 0 if lobe == 0 else rng.uniform(0.35, 0.5 + 0.35 * asymmetry) * radius
        size = radius if lobe == 0 else radius * rng.uniform(0.4, 0.75)
        direction, tilt, long = rng.uniform(0, 2 * np.pi), rng.uniform(0, np.pi), rng.uniform(1.0, 1.3)
        x, y = X - far * np.cos(direction), Y - far * np.sin(direction)
        along, across = x * np.cos(tilt) + y * np.sin(tilt), y * np.cos(tilt) - x * np.sin(tilt)
        level = np.maximum(level, (size - hypot(along / long, across * long)) / radius)
    level += (0.04 + 0.05 * ragged) * noise(rng, radius * 0.9) + (0.02 + 0.06 * ragged) * noise(rng, radius * 0.35)
    return level + (0.015 + 0.03 * ragged) * noise(rng, 7), radius


def network(rng: np.random.Generator, malignancy: float, level: np.ndarray) -> np.ndarray:
    """Return the factor (PATCH, PATCH) by which a pigment network, where there is one, thickens and thins pigment."""
    if rng.random() < 0.3:
        return np.ones_like(level)
    period, angle, disorder = rng.uniform(5.5, 8.5), rng.uniform(0, np.pi), trait(rng, malignancy)
    bend_x, bend_y = ((1.6 + 1.3 * disorder) * noise(rng, 18) for _ in range(2))
    waves = np.zeros_like(level)
    for turn in (0, np.pi / 3, 2 * np.pi / 3):
        across = (X + bend_x) * np.cos(angle + turn) + (Y + bend_y) * np.sin(angle + turn)
        waves += wave(across / period)
    lines = 1 - smoothstep((waves + 1.2) / 2.2)  # three crossed waves peak on a honeycomb's holes
    patchy = smoothstep(1.0 - 0.7 * disorder + 0.6 * noise(rng, 36))
    rim = 1 - 0.7 * smoothstep(level * 1.2)
    return 1 + rng.uniform(0.2, 0.5) * (1 + disorder) * patchy * rim * (lines - 0.5)


def patches(rng: np.random.Generator, malignancy: float, radius: float) -> list[tuple[str, np.ndarray]]:
    """Return up to five patches of another colour: its kind and its density (PATCH, PATCH) of 0..1."""
    drawn = []
    for _ in range(rng.binomial(5, 0.06 + 0.62 * trait(rng, malignancy))):
        far, direction = radius * rng.uniform(0, 0.75), rng.uniform(0, 2 * np.pi)
        distance = hypot(X - far * np.cos(direction), Y - far * np.sin(direction)) / radius
        ragged = 0.25 * noise(rng, 20) + 0.1 * noise(rng, 6)
        density = smoothstep(1.2 * (rng.uniform(0.25, 0.6) - distance) + 0.3 + ragged)
        drawn.append((str(rng.choice(["dark", "red", "veil", "scar"], p=[0.4, 0.2, 0.25, 0.15])), density))
    return drawn


def spots(rng: np.random.Generator, malignancy: float, level: np.ndarray, radius: float) -> np.ndarray:
    """Return melanin (PATCH, PATCH) of globules inside the lesion and of streaks across its border."""
    mask = Image.new("L", (PATCH, PATCH))
    pen, uneven = ImageDraw.Draw(mask), trait(rng, malignancy)
    for _ in range(rng.choice([0, 0, 15, 40, 90])):
        x, y = rng.normal(scale=radius * 0.45, size=2) + PATCH / 2
        size = rng.uniform(0.8, 1.7) * (1 + uneven * rng.uniform())
        if 0 <= x < PATCH and 0 <= y < PATCH and level[int(y), int(x)] > 0.05:
            pen.ellipse((x - size, y - size, x + size, y + size), fill=int(rng.uniform(50, 230)))
    start = rng.uniform(0, 2 * np.pi)
    for turn in rng.uniform(0, np.pi, size=rng.binomial(30, max(0.0, uneven - 0.5))):
        ray = np.array([np.cos(start + turn), np.sin(start + turn)])
        places = (np.arange(PATCH // 2 - 1)[:, None] * ray + PATCH / 2).astype(int)
        rim = int(np.flatnonzero(level[places[:, 1], places[:, 0]] > 0).max(initial=0))
        ends = [tuple(PATCH / 2 + ray * (rim + step)) for step in (-11, rng.uniform(1, 7))]
        pen.line(ends, fill=int(rng.uniform(80, 170)), width=int(rng.integers(2, 4)))
    return np.asarray(mask.filter(ImageFilter.GaussianBlur(1.1))) / 255 * rng.uniform(0.5, 1.0)


def draw_hairs(rng: np.random.Generator, planes: np.ndarray) -> np.ndarray:
    """Return `planes` with up to sixteen hairs, mostly growing one way."""
    mask = Image.new("L", (2 * PATCH, 2 * PATCH))  # drawn at twice the size, so that thin hairs have smooth edges
    pen, growth, steps = ImageDraw.Draw(mask), rng.uniform(0, np.pi), np.linspace(-1, 1, 12)
    for _ in range(rng.choice([0, 0, 0, 2, 5, 9, 16])):
        angle, length, bow = growth + rng.normal(scale=0.35), rng.uniform(60, 240), rng.normal(scale=25)
        x, y = rng.uniform(0, 2 * PATCH, size=2)
        side = bow * (1 - steps**2)
        curve_x = x + length * steps * np.cos(angle) - side * np.sin(angle)
        curve_y = y + length * steps * np.sin(angle) + side * np.cos(angle)
        curve = list(zip(curve_x, curve_y, strict=True))
        pen.line(curve, fill=int(rng.uniform(110, 230)), width=int(rng.integers(2, 4)))
    cover = np.asarray(mask.resize((PATCH, PATCH), Image.Resampling.BOX)) / 255
    return blend(planes, rng.uniform(0.8, 2.5) * HAIR, cover)
