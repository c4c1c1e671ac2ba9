"""Draws the transactions of each second of a run: plot_pace.py FILE PICTURE.

FILE has a line for each server: its name and the seconds, with tabs between.
"""

import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def main(source: str, picture: str) -> None:
    figure, axes = plt.subplots(figsize=(9, 4), dpi=120)
    with open(source, encoding="utf-8") as lines:
        for line in lines:
            name, *seconds = line.rstrip("\n").split("\t")
            axes.plot(range(1, len(seconds) + 1), [float(second) for second in seconds], label=name, linewidth=1.2)
    axes.set_xlabel("second of the run")
    axes.set_ylabel("transactions in it")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(picture, metadata={"Software": None})


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
