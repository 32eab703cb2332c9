"""Trains what the package brings again: `make pretrained`, or for example PART="judge mnist". MNIST
must be in the data root.
"""

import sys

import torch

from course_lib.pretrained import train_generator, train_judge, train_vae
from course_lib.pretrained.kept import WEIGHTS

# In this order: the generators are measured by the judges.
RECIPES = {"judge": train_judge, "generator": train_generator, "vae": train_vae}
NAMES = ("glyphs", "mnist")


def chosen(words: list[str]) -> list[tuple[str, str]]:
    """The kinds and sets that the words name, in order: all sets where they name none, and all
    kinds likewise.

    Raises:
        ValueError: a word is neither.
    """
    unknown = [word for word in words if word not in (*RECIPES, *NAMES)]
    if unknown:
        raise ValueError(f"PART has the word {unknown[0]!r}: choose from {', '.join((*RECIPES, *NAMES))}")
    kinds = [kind for kind in RECIPES if kind in words] or list(RECIPES)
    names = [name for name in NAMES if name in words] or list(NAMES)
    return [(kind, name) for kind in kinds for name in names]


def main() -> None:
    """Trains each on one CPU thread, so that the numbers can be had again, and prints what it
    reached.
    """
    try:
        parts = chosen(sys.argv[1:])
    except ValueError as error:
        sys.exit(f"make pretrained: {error}")
    torch.set_num_threads(1)
    for kind, name in parts:
        path = WEIGHTS / f"{kind}s" / f"{name}.pt"
        metrics = RECIPES[kind](name, path=path, device="cpu").metrics
        measured = ", ".join(f"{what} {value}" for what, value in metrics.items())
        print(f"{kind} of {name}: {measured}; {path.stat().st_size / 2**10:.0f} KiB", flush=True)


if __name__ == "__main__":
    main()
