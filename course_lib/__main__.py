"""`python -m course_lib`: a short report on this machine.

It exits with 1 if something needed is missing.
"""

import sys

import course_lib
from course_lib import data
from course_lib.runtime import health


def main() -> int:
    """Prints the report, one line for each finding, and returns the exit status."""
    findings = [
        health.python(),
        *health.packages(),
        *health.device(),
        *health.data_sets(data.data_root(), data.available()),
        health.widgets(),
    ]
    print(f"course_lib {course_lib.__version__}")
    print(*findings, sep="\n")
    faults = sum(finding.needed for finding in findings)
    print("Everything that the course needs is there." if not faults else f"To fix before you start: {faults} (lines FIX).")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
