"""Decide whether two images are the same, by the correlation of their detail after one is aligned to the other.

`near`: the same subject in the same view; both belong in one group of the split. `copy`: the same image. The next slice of a CT
scan and a second photograph of a lesion are near but not copies. A strongly compressed copy has lost its finest detail, so it
may instead agree at a coarser scale, but then almost perfectly.
"""

from dataclasses import dataclass, fields, replace
from functools import cached_property

import cv2
import numpy as np

from pipeline.duplicates.images.alignment import determinant, fit_frames, fit_points, refine
from pipeline.duplicates.images.covered import Detail, detail_of
from pipeline.duplicates.images.frames import ORDER, SIGNS, Frame, flip, frame_of
from pipeline.duplicates.images.keypoints import Points, find_points

LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
FINE = 1.0, 4.0  # px, sigmas between which detail lies
COARSE = 1.5, 4.0  # the same at half size, a scale that outlives compression
BLOCKS = 8  # blocks of the working size's side over which the local correlation is taken
LOCAL = 0.3  # quantile over blocks: an original differs from its marked copy in less than 70 % of them
LEAST_OVERLAP = 0.3  # of the smaller content
LEAST_DETAIL = 0.4  # grey levels RMS: with less, images match by chance
AGREE = ((5, 0.95), (8, 0.8), (10, 0.7))  # matched points, and the correlation over the whole overlap that they require
FRAMES = 0.98  # cosine of the low frequencies from which on frame is laid on frame, where points do not help
FRAMES_WHOLE, FRAMES_LOCAL = 0.85, 0.6
# Soft skin that was shrunk and compressed has neither points nor fine detail left, but its frame still agrees almost perfectly:
# the cosine, and at the coarse scale the correlation over the whole overlap and locally.
FRAMES_COARSE = 0.995, 0.96, 0.93
COPY = 0.8, 0.97  # at the fine scale: over the whole overlap, which a line drawn across spoils, and locally
# The most alike of neighbouring CT slices reach .950 and .938, at the coarse scale .991 and .989. Of altered copies of
# dermoscopic photos 97 % are called copies, the others near.
COPY_COARSE = 0.994, 0.98
# Low frequencies can agree by a vignette or the corners of a rotated frame alone: then the middle of the frame (a margin of its
# 24 cells is left out) does not, for different photographs of HAM10000 .65 to .95, for degraded copies .9 and more.
MARGIN, MIDDLE = 3, 0.9
SHOWN, FEWEST_CELLS = 0.9, 80  # content of a cell, and the cells of the middle, 324, that must have it
HOPELESS = 0.35  # over the whole overlap: certainly another image
LIFT = 0.35  # the most that refinement adds to the correlation
SURE = 15  # points in agreement that cannot be chance: refined in any case


@dataclass(frozen=True)
class Signature:
    """What pairs of images are compared by.

    `points`: see `keypoints`; `frame`: see `frames`; `colours`: uint8 (24, 24, 3), the frame as a square; `size`: int32
    (2,), width and height of the file in px.
    """

    points: Points
    frame: Frame
    colours: np.ndarray
    size: np.ndarray

    @cached_property
    def detail(self) -> Detail:
        """The detail of the whole frame."""
        return detail_of(self.points.grey, self.points.content)

    def without(self, overlay: np.ndarray) -> "Signature":
        """Return the signature without what lies in an overlay, uint8 (h, w) of 0 and 1, which is laid on the whole frame."""
        grey = self.points.grey
        hidden = cv2.resize(overlay, grey.shape[::-1], interpolation=cv2.INTER_NEAREST)
        rows, columns = (np.clip(self.points.xy[:, axis].astype(int), 0, grey.shape[1 - axis] - 1) for axis in (1, 0))
        kept = hidden[rows, columns] == 0
        content = self.points.content * (1 - hidden)
        parts = self.points.xy[kept], self.points.descriptors[kept], self.points.mirrored[kept]
        return replace(self, points=Points(grey, content, *parts))

    def arrays(self) -> dict[str, np.ndarray]:
        """Return all arrays by name; `content` takes one bit per pixel."""
        points = {field.name: getattr(self.points, field.name) for field in fields(Points)}
        frame = {field.name: np.asarray(getattr(self.frame, field.name)) for field in fields(Frame)}
        return (
            points | frame | {"colours": self.colours, "size": self.size, "content": np.packbits(self.points.content)}
        )

    @classmethod
    def of_arrays(cls, arrays: dict[str, np.ndarray]) -> "Signature":
        """Return the signature that `arrays` flattened."""
        points = {field.name: arrays[field.name] for field in fields(Points)}
        grey = points["grey"]
        points["content"] = np.unpackbits(points["content"], count=grey.size).reshape(grey.shape)
        numbers = [float(arrays[name]) for name in ("noise", "noise_sd", "contrast")]
        frame = Frame(arrays["frequencies"], arrays["relief"], *numbers)
        return cls(Points(**points), frame, arrays["colours"], arrays["size"])


@dataclass(frozen=True)
class Agreement:
    """How well image a, mapped onto b by `matrix`, agrees with it; correlations of detail at both scales.

    `covered`: share of each content that lies in the other; `marked`: whether they agree, but not at all in a few places;
    `gain`: b's mean grey over a's.
    """

    matrix: np.ndarray
    whole: float
    local: float
    coarse_whole: float
    coarse_local: float
    covered: tuple[float, float]
    marked: bool
    gain: float

    @property
    def copy(self) -> bool:
        """Whether the two are the same image rather than two images of the same subject."""
        fine = self.whole >= COPY[0] and self.local >= COPY[1]
        return fine or (self.coarse_whole >= COPY_COARSE[0] and self.coarse_local >= COPY_COARSE[1])


def signature_of(pixels: np.ndarray, width: int, height: int) -> Signature:
    """Return the signature of an RGB image, uint8 (h, w, 3); `width` and `height` are the file's."""
    colours = cv2.resize(pixels, (24, 24), interpolation=cv2.INTER_AREA)
    return Signature(find_points(pixels), frame_of(pixels), colours, np.array([width, height], np.int32))


def confirm(a: Signature, b: Signature) -> Agreement | None:
    """Return how well two images agree if they are at least near, else None."""
    fit = fit_points(a.points, b.points)
    enough = [whole for points, whole in AGREE if fit and fit.inliers >= points]
    if fit and enough:
        agreed = agree(a.points, b.points, fit.matrix, min(enough), sure=fit.inliers >= SURE)
        if agreed and agreed.whole >= min(enough):
            return agreed
    matrix, cosine = fit_frames(a.points, b.points, a.frame.frequencies, b.frame.frequencies)
    if cosine < FRAMES:
        return None
    agreed = agree(a.points, b.points, matrix, FRAMES_WHOLE)
    if not agreed:
        return None
    fine = agreed.whole >= FRAMES_WHOLE and agreed.local >= FRAMES_LOCAL
    coarse = np.greater_equal((cosine, agreed.coarse_whole, agreed.coarse_local), FRAMES_COARSE).all()
    return agreed if fine or coarse else None


def lay_frames(a: Signature, b: Signature) -> tuple[int, bool, bool]:
    """Return the flip in which the whole frame of a fits b best, whether as a negative, and whether their middles agree.

    The flip is one of `frames.flip`. What noise adds is taken out of the correlation; cells that are frame of one colour
    in both, or an overlay, do not take part: of a dark copy the frame alone may be larger.
    """
    cosines = (a.frame.frequencies[ORDER] * SIGNS) @ b.frame.frequencies
    number = int(np.abs(cosines).argmax())
    inner, size = slice(MARGIN, -MARGIN), (len(a.colours), len(a.colours))
    contents = [cv2.resize(s.points.content * np.float32(1), size, interpolation=cv2.INTER_AREA) for s in (a, b)]
    shown = (np.maximum(flip(contents[0], number), contents[1]) > SHOWN)[inner, inner]
    if shown.sum() < FEWEST_CELLS:
        return number, bool(cosines[number] < 0), False
    middles, energies = [], []
    for signature, turn in ((a, number), (b, 0)):
        cells = flip(signature.colours.astype(np.float32) @ LUMINANCE, turn)[inner, inner][shown]
        noise = signature.frame.noise_sd**2 * len(signature.colours) ** 2 / np.prod(signature.size)
        middles.append(cells - cells.mean())
        energies.append(float((middles[-1] ** 2).sum()))
        energies[-1] = max(energies[-1] - noise * cells.size, energies[-1] / 2, 1e-6)
    agreement = abs(float((middles[0] * middles[1]).sum())) / float(np.sqrt(energies[0] * energies[1]))
    return number, bool(cosines[number] < 0), agreement >= MIDDLE


def agree(a: Points, b: Points, matrix: np.ndarray, enough: float, sure: bool = False) -> Agreement | None:
    """Return how well the two agree; `matrix` (2, 3) is refined where that may reach `enough`, or always if it is `sure`."""
    first = compare(a, b, matrix)
    if first and first.copy:
        return first
    if not sure and (first is None or first.whole < enough - LIFT):
        return None
    refined = refine(a, b, matrix)
    second = compare(a, b, refined) if refined is not None else None
    agreements = [agreement for agreement in (first, second) if agreement]
    return max(agreements, key=lambda agreement: agreement.whole, default=None)


def compare(a: Points, b: Points, matrix: np.ndarray) -> Agreement | None:
    """Return how well a, mapped onto b by `matrix` (2, 3), agrees with it; None where they hardly do or overlap too little."""
    shape = b.grey.shape[::-1]
    shown = cv2.warpAffine(a.content * np.uint8(255), matrix, shape) > 250
    common = (shown & (b.content > 0)).astype(np.uint8)
    size = abs(determinant(matrix))
    covered = common.sum() / max(a.content.sum() * size, 1), common.sum() / max(b.content.sum(), 1)
    laid = cv2.warpAffine(a.grey, matrix, shape)
    used = cv2.erode(common, np.ones((3, 3), np.uint8), borderValue=0)
    used[(laid >= 254) | (b.grey >= 254)] = 0  # overexposed
    if max(covered) < LEAST_OVERLAP or used.sum() < 0.1 * LEAST_OVERLAP * b.grey.size:
        return None
    stack = weighted(laid, b.grey, used)
    fine = details(stack, FINE)
    if min(rms(detail, stack) for detail in fine) < LEAST_DETAIL:
        return None
    whole, local, lowest = correlate(fine, stack)
    if whole < HOPELESS:
        return None
    half = cv2.resize(stack, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    coarse_whole, coarse_local, _ = correlate(details(half, COARSE), half)
    gain = float(b.grey[common > 0].mean() / max(laid[common > 0].mean(), 1))
    marked = local >= COPY[1] and lowest < 0.5
    shares = float(min(covered[0], 1)), float(min(covered[1], 1))
    return Agreement(matrix, whole, local, coarse_whole, coarse_local, shares, marked, gain)


def weighted(a: np.ndarray, b: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return a stack, float32 (h, w, 3): two grey images (h, w) where `weight` (h, w) is 1, else 0, and `weight` itself.

    Blurred together they cost half.
    """
    return np.dstack([a * weight, b * weight, weight]).astype(np.float32)


def details(stack: np.ndarray, sigmas: tuple[float, float]) -> list[np.ndarray]:
    """Return the detail (h, w) of both images in a stack (see `weighted`): a fine blur less a coarse one, clipped at 2.5 SD."""
    blurred = [cv2.split(cv2.GaussianBlur(stack, (0, 0), sigma)) for sigma in sigmas]
    fine, coarse = ([image / np.maximum(weight, 1e-3) for image in (a, b)] for a, b, weight in blurred)
    bands = [(sharp - blunt) * stack[:, :, 2] for sharp, blunt in zip(fine, coarse, strict=True)]
    limits = [2.5 * rms(band, stack) for band in bands]
    # OpenCV's stubs know no numbers here; np.clip takes three times as long.
    return [cv2.max(cv2.min(band, limit), -limit) for band, limit in zip(bands, limits, strict=True)]  # type: ignore[call-overload]


def rms(detail: np.ndarray, stack: np.ndarray) -> float:
    """Return the root mean square of a detail (h, w), in grey levels, over the weight of its stack (h, w, 3)."""
    return float(np.sqrt(np.vdot(detail, detail) / max(float(stack[:, :, 2].sum()), 1.0)))


def strength(points: Points) -> float:
    """Return the RMS of an image's own fine detail, in grey levels."""
    stack = weighted(points.grey, points.grey, points.content)
    return rms(details(stack, FINE)[0], stack)


def correlate(bands: list[np.ndarray], stack: np.ndarray) -> tuple[float, float, float]:
    """Return the correlation of two details (h, w): overall, its LOCAL quantile over blocks, and its minimum over blocks.

    `stack` (h, w, 3) is what they are of. Blocks with little detail are ignored: their correlation is chance.
    """
    a, b = bands
    side = max(8, round(np.sqrt(a.size) / BLOCKS))
    down, across = np.arange(0, a.shape[0], side), np.arange(0, a.shape[1], side)

    def sums(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(np.add.reduceat(values, down, axis=0), across, axis=1).ravel()

    aa, bb, ab, used = sums(a * a), sums(b * b), sums(a * b), sums(stack[:, :, 2])
    whole = float(ab.sum() / np.sqrt(aa.sum() * bb.sum() + 1e-6))
    telling = (used >= side * side / 2) & (aa + bb >= 0.1 * (aa + bb).sum() / used.sum() * used)
    if telling.sum() < 4:
        return whole, whole, whole
    blocks = ab[telling] / np.sqrt(aa[telling] * bb[telling] + 1e-6)
    return whole, float(np.sort(blocks)[int(LOCAL * len(blocks))]), float(blocks.min())
