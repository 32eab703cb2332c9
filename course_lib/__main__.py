"""`python -m course_lib`: a short report on this machine; `python -m course_lib train` trains.

The report exits with 1 if something needed is missing.
"""

import sys

import course_lib
from course_lib import data
from course_lib.runtime import health


def main() -> int:
    """Prints the report, one line for each finding, and returns the exit status."""
    found = health.findings()
    faults = sum(finding.needed for finding in found)
    print(f"course_lib {course_lib.__version__}", *found, sep="\n")
    print(health.Finding("data root", str(data.data_root())))
    for name, present in data.available().items():
        print(health.Finding(f"data set {name}", "present" if present else "downloaded when a notebook first asks for it"))
    print("Everything that the course needs is there." if not faults else f"To fix before you start: {faults} (lines FIX).")
    return 1 if faults else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["train"]:
        from course_lib import train

        sys.exit(train.main(sys.argv[2:]))
    sys.exit(main())
