"""Make the pictures of docs/figures.md from a finished run; nothing is fitted.

    python docs/make_gallery.py RUN

Pictures are drawn small and stored with 256 colours, so that the repository stays light.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from bayes_attrib import RunDraws, RunFolder
from bayes_attrib.report.figures import FIGURES, plot_forest, plot_over_time

OUT = Path(__file__).parent / "figures"
LARGEST_FILE, LARGEST_SUM = 60_000, 600_000

OPTIONS = {
    "forest": {"top": 12},
    "ridge": {"top": 12},
    "shrinkage": {"top": 15},
    "em_comparison": {"top": 12},
    "ranks": {"top": 12},
    "comparison": {"top": 10},
    "tie_out": {"top": 8},
    "over_time": {"top": 7},
}


def main(run: Path) -> None:
    """Draw every figure of a run, and two in other forms."""
    source = RunDraws.load(RunFolder.load(run))
    pictures = {name: draw(source, **OPTIONS.get(name, {})) for name, draw in FIGURES.items()}
    pictures["forest_dark"] = plot_forest(source, quantity="share", top=8, theme="dark")
    pictures["over_time_stacked"] = plot_over_time(source, kind="stacked")
    sizes = {name: write(figure, OUT / f"{name}.png") for name, figure in pictures.items()}
    for name, size in sizes.items():
        sys.stdout.write(f"{name}.png: {size / 1000:.0f} kB\n")
    if max(sizes.values()) > LARGEST_FILE or sum(sizes.values()) > LARGEST_SUM:
        sys.exit("the pictures are too large for the repository; draw fewer rows")


def write(figure: Figure, file: Path) -> int:
    """Write a figure with few colours; return its size in bytes."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=130)
    drawn.seek(0)
    picture = Image.open(drawn).convert("RGB")
    few = picture.quantize(256, kmeans=2, dither=Image.Dither.NONE)
    few.save(file, optimize=True)
    return file.stat().st_size


if __name__ == "__main__":
    main(Path(sys.argv[1]))
