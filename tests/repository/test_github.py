"""What GitHub reads: workflows that are pinned, modest and valid; forms; and public names that do not vanish silently."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.repository.files import NOTEBOOKS, ROOT, name_of, notebook
from tools.public_names import listed, public_names, vanished

WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))
SCHEMAS = {
    "vendor.github-workflows": WORKFLOWS,
    "vendor.dependabot": [ROOT / ".github" / "dependabot.yml"],
    "vendor.citation-file-format": [ROOT / "CITATION.cff"],
    "vendor.github-issue-forms": sorted(set(ROOT.glob(".github/ISSUE_TEMPLATE/*.yml")) - set(ROOT.glob("**/config.yml"))),
}
PERMISSIONS = {
    ("release.yml", "release"): {"contents": "write"},
    ("site.yml", "publish"): {"pages": "write", "id-token": "write"},
}


def read(path: Path) -> dict:
    """A YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_there_are_four_files_for_actions():
    assert [path.stem for path in WORKFLOWS] == ["release", "site", "test", "weekly"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=name_of)
def test_a_workflow_is_pinned_and_may_do_little(path):
    text, workflow = path.read_text(encoding="utf-8"), read(path)
    uses = re.findall(r"uses: (.*)", text)
    assert uses and all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v[\d.]+", action) for action in uses)
    assert workflow["permissions"] == {"contents": "read"} and "secrets." not in text
    for name, job in workflow["jobs"].items():
        assert job.get("permissions", {}) == PERMISSIONS.get((path.name, name), {}) and job["timeout-minutes"] <= 90
        for step in job["steps"]:
            # A value that somebody outside can choose must not be pasted into a command.
            assert "${{" not in step.get("run", "")
            assert "checkout@" not in step.get("uses", "") or step["with"]["persist-credentials"] is False


def test_the_command_of_continuous_integration_is_what_is_run():
    runs = [step.get("run", "") for step in read(ROOT / ".github" / "workflows" / "test.yml")["jobs"]["test"]["steps"]]
    assert any(run.endswith(".ci/run") for run in runs)


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda name: name.replace("workflows", "actions"))
def test_files_follow_their_schemas(schema):
    assert SCHEMAS[schema]
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, SCHEMAS[schema])]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_workflow_is_unsafe():
    program = Path(sys.executable).with_name("zizmor")
    assert program.is_file(), "zizmor is missing, which the extra [test] brings: make environment"
    done = subprocess.run([program, "--offline", "--no-progress", ROOT / ".github"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_devcontainer_makes_the_course_s_environment():
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    script = ROOT / container["postCreateCommand"].removeprefix("sh ")
    text = script.read_text(encoding="utf-8")
    assert "-c constraints.txt" in text and ".venv/.course-installed" in text and "--torch-backend cpu" in text


def test_no_public_name_vanishes_without_a_line_in_the_list_of_changes():
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert vanished(listed(), public_names(), changes) == []
    assert public_names() <= listed(), "run: make public-names"
    assert vanished({"room.old", "room.kept"}, {"room.kept"}, "nothing") == ["room.old"]
    assert vanished({"room.old"}, set(), "- `room.old` is gone") == []


def test_cell_ids_differ_between_notebooks():
    ids = [cell.id for path in NOTEBOOKS for cell in notebook(path).cells]
    assert len(ids) == len(set(ids))
