"""A reader's own copies of the notebooks, under my/: `make lab` opens them, so that the committed ones stay clean.

Each is copied once. When the course's notebook has changed since, a copy that nobody wrote in follows it; beside any other the
new version is laid as NAME.new.ipynb. Nothing that a reader wrote is ever overwritten.
"""

import itertools
import json
import shutil
import sys
from pathlib import Path

from tools.files import ROOT
from tools.records import file_digest

RECORD = ".copied.json"  # in my/: which contents of the course's notebook each copy was made from


def bring_up_to_date(notebooks: Path, own: Path) -> list[str]:
    """Copies the notebooks of a folder into `own`, as above. Returns what a reader should know, a line for each new version."""
    own.mkdir(exist_ok=True)
    record = json.loads((own / RECORD).read_text(encoding="utf-8")) if (own / RECORD).is_file() else {}
    told = []
    for path in sorted(notebooks.glob("*.ipynb")):
        mine, digest = own / path.name, file_digest(path)
        if mine.exists() and record.get(path.name) == digest:
            continue
        target = mine
        if mine.exists() and file_digest(mine) not in (record.get(path.name), digest):
            names = (f"{path.stem}.new{number or ''}.ipynb" for number in itertools.count())
            target = next(own / name for name in names if not (own / name).exists())
            told.append(f"{path.name} has a newer version: it lies beside yours as my/{target.name}")
        shutil.copyfile(path, target)
        record[path.name] = digest
    (own / RECORD).write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return told


def main() -> None:
    """Prints what is new, and on the last line the folder to open: my, or notebooks where nothing can be written."""
    try:
        for line in bring_up_to_date(ROOT / "notebooks", ROOT / "my"):
            print(line, file=sys.stderr)
        print("my")
    except OSError as error:
        print(f"No working copies could be made in my/ ({error}): opening the course's own notebooks", file=sys.stderr)
        print("notebooks")


if __name__ == "__main__":
    main()
