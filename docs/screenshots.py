"""Images of the app for the README, of this project's champions. Run: python -m docs.screenshots

Writes docs/predict.png, compare.png and data.png in the light theme, and predict-dark.png.
"""

from pathlib import Path

from PIL import Image

from tests.helpers.browser import app, chromium, opened, settled

ROOT = Path(__file__).resolve().parents[1]
SIZE = {"width": 1280, "height": 800}
SHOTS = (("predict", "light"), ("compare", "light"), ("data", "light"), ("predict", "dark"))


def main() -> None:
    with app(ROOT) as (address, _), chromium() as browser:
        for name, scheme in SHOTS:
            path = ROOT / "docs" / (f"{name}.png" if scheme == "light" else f"{name}-{scheme}.png")
            place = "" if name == "predict" else name  # the first page has no name in its address
            with opened(browser, f"{address}/{place}?task=lesions", viewport=SIZE, color_scheme=scheme) as page:
                if name == "predict":
                    page.get_by_text("Example", exact=True).click()
                    page.locator("[aria-label^='Probabilities: ']").first.wait_for()
                settled(page)
                page.wait_for_timeout(1500)  # charts are drawn after the script has ended
                page.screenshot(path=path)
            Image.open(path).convert("P", palette=Image.Palette.ADAPTIVE, colors=256).save(path, optimize=True)
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1000} KB")


if __name__ == "__main__":
    main()
