"""The measured columns of the README's table of chapters: minutes and memory, from the record that `make notebooks` writes."""

import math
import re

MINUTES, MEMORY = 3, 4  # columns, counted as the parts between the bars


def minutes(measured: dict) -> str:
    """CPU minutes with one digit, rounded up: 0.4 for 23 seconds."""
    return f"{math.ceil(measured['cpu_seconds'] / 6) / 10:.1f}"


def memory(measured: dict) -> str:
    """The largest memory in GB with one digit, rounded up."""
    return f"{math.ceil(measured['memory_mib'] * 2**20 / 1e8) / 10:.1f}"


def update(readme: str, record: dict) -> str:
    """The README with the numbers of the record in the rows of its table; everything else stays.

    Raises:
        ValueError: a notebook of the record has no row, or more than one.
    """
    lines = readme.split("\n")
    for name, entry in record.items():
        rows = [place for place, line in enumerate(lines) if line.startswith("|") and f"(notebooks/{name})" in line]
        if len(rows) != 1:
            raise ValueError(f"README.md has {len(rows)} rows for notebooks/{name}: its table of chapters needs one")
        parts = lines[rows[0]].split("|")
        parts[MINUTES], parts[MEMORY] = f" {minutes(entry['measured'])} ", f" {memory(entry['measured'])} "
        lines[rows[0]] = "|".join(parts)
    return "\n".join(lines)


def written(readme: str, name: str) -> tuple[str, str]:
    """The minutes and the memory that the README's table gives for a notebook."""
    (row,) = [line for line in readme.split("\n") if line.startswith("|") and f"(notebooks/{name})" in line]
    parts = row.split("|")
    return parts[MINUTES].strip(), parts[MEMORY].strip()


def number(text: str) -> float:
    """A number of the table; infinity where none has been measured yet."""
    return float(text) if re.fullmatch(r"\d+\.\d", text) else math.inf
