"""Grades a student's repository in Classroom 50: fetches the course, judges the notebook as `make grade`, writes result.json.

`make assignment FORMAT=classroom50` fills in the four values. The runner starts it in the student's checkout, on a machine that
is thrown away, so where there is no bubblewrap it grades without. The seed stands in this file, which the classroom publishes:
choose another one for marks that matter, and grade again by `make grade`.
"""

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path

repository, branch, notebook, seed = "REPOSITORY", "BRANCH", "NOTEBOOK", -1
course = Path(os.environ.get("COURSE", "/tmp/course"))
if not course.is_dir():
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", "--branch", branch, repository, course], check=True)
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "-e", f"{course}[lab,test]"], check=True)

found, out = [*Path().rglob(notebook)], course / "build" / "classroom50" / str(os.getpid())
hand_in = out / "in"
hand_in.mkdir(parents=True)
if found:
    (hand_in / notebook).write_bytes(found[0].read_bytes())
else:
    (hand_in / f"{notebook}.missing").touch()
command = [sys.executable, "-m", "tools.grade_class", course / "notebooks" / notebook, hand_in, "--out", out, "--seed", str(seed)]
if subprocess.run(["sh", "-c", "command -v bwrap"], capture_output=True).returncode:
    command.append("--unsafe")
subprocess.run(command, cwd=course, check=True)
graded = json.loads((out / "results.json").read_text(encoding="utf-8"))
(row,) = graded["rows"]
tests = []
for name, result in row["results"].items():
    if not result["text"].endswith(" %") and not result["text"].startswith("has no score"):
        one = {"test-name": name, "passed": result["text"] == "right", "score": int(result["text"] == "right"), "max-score": 1}
        tests.append(one | {"text": result["text"]})
if row["why"]:
    tests = [{"test-name": row["why"], "passed": False, "score": 0, "max-score": graded["maximum"]}]
environment = os.environ.get
result = {
    "schema": "classroom50/result/v1",
    "classroom": environment("CLASSROOM"),
    "assignment": environment("ASSIGNMENT"),
    "submission": environment("SUBMISSION_TAG"),
    "commit": environment("COMMIT_URL"),
    "release": environment("RELEASE_URL"),
    "review": environment("REVIEW_URL") or environment("COMMIT_URL"),
    "datetime": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    "score": sum(test["score"] for test in tests),
    "max-score": graded["maximum"],
    "tests": tests,
}
Path("result.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
