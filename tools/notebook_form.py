"""The form in which notebooks are committed: outputs and counts kept, everything that differs from run to run left out."""

import re

import nbformat

# Left behind by JupyterLab, Colab and executions; none of it is the author's.
NOISE = ("execution", "ExecuteTime", "collapsed", "scrolled", "colab", "outputId", "id", "pycharm", "vscode")
WIDGET = "application/vnd.jupyter.widget-view+json"
# Folders that are somebody's own machine. /proc and the like are the same everywhere.
MACHINE_PATH = re.compile(
    r"(?<![\w.:/~])/(?:home|Users|root|tmp|private|var|opt|mnt|media|work|workspace|content|usr|srv|data)/[^\s'\"<>:,)]+"
    r"|\b[A-Za-z]:\\[^\s'\"]+"
)


def normalise(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy of a notebook (format 4.5) without what differs from run to run.

    Kept: sources, cell ids, tags, execution counts, outputs, the kernel's name. Left out: widget state, which GitHub refuses
    to show when it is incomplete; the live view of an explorer where its picture stands beside it; times; Python's version.
    """
    notebook = nbformat.from_dict(notebook)
    metadata = notebook.metadata
    language = {key: value for key, value in metadata.get("language_info", {}).items() if key != "version"}
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    notebook.metadata = nbformat.from_dict({"kernelspec": kernel, **({"language_info": language} if language else {})})
    for cell in notebook.cells:
        for key in NOISE:
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    output.data.pop(WIDGET, None)
    return notebook


def dumps(notebook: nbformat.NotebookNode) -> str:
    """The text of a notebook file in its normalised form.

    Raises:
        ValueError: the notebook is older than format 4.5 and has no cell ids.
        nbformat.ValidationError: the notebook breaks its format.
    """
    notebook = normalise(notebook)
    version = (notebook.nbformat, notebook.nbformat_minor)
    if version < (4, 5):
        raise ValueError(f"notebook format {version[0]}.{version[1]} has no cell ids: save it from JupyterLab as 4.5 or newer")
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=4) + "\n"


def texts(output: nbformat.NotebookNode) -> list[str]:
    """Everything in an output that a reader can see as text."""
    if output.output_type == "stream":
        return [output.text]
    if output.output_type == "error":
        return [output.ename, output.evalue, *output.traceback]
    return [value for kind, value in output.data.items() if kind.startswith("text/") and isinstance(value, str)]


def faults(notebook: nbformat.NotebookNode, forbidden: tuple[str, ...] = ()) -> list[str]:
    """What must not be in a committed notebook, a line for each: errors, text on stderr, a machine's paths, gaps in the counts.

    Args:
        notebook: an executed notebook.
        forbidden: further texts that no output may hold, for example the folder of this checkout.
    """
    found = []
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, start=1):
        where = f"code cell {number}"
        if cell.execution_count != number:
            found.append(f"{where} has the execution count {cell.execution_count}: run the notebook from top to bottom")
        for output in cell.outputs:
            if output.output_type == "error" and "raises-exception" not in cell.metadata.get("tags", []):
                found.append(f"{where} ends in an error: {output.ename}: {output.evalue}")
            if output.output_type == "stream" and output.name == "stderr":
                found.append(f"{where} writes to stderr: {output.text.strip()[:200]!r}")
            for text in texts(output):
                paths = [match[0] for match in MACHINE_PATH.finditer(text)]
                paths += [path for path in forbidden if path in text]
                found += [f"{where} shows a path of this machine: {path}" for path in paths[:1]]
    return found
