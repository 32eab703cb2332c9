#!/bin/sh
# Prints a Python that can make the environment, or says in one line what to install.
#   find_python.sh          PYTHON if it is set; else one of the tested versions, 3.11 to 3.14; else a newer one
#   find_python.sh 3.11     PYTHON if it is set, whatever its version; else exactly that version
# A name on the PATH is no proof: pyenv's shims exist for versions that are not chosen, and Debian's python3 comes without the
# module that puts pip into an environment. So each candidate has to run.

works() { # works COMMAND LOWEST BELOW
    "$1" -c "import sys, venv, ensurepip; sys.exit(not ($2 <= sys.version_info[:2] < $3))" >/dev/null 2>&1
}

search() { # search LOWEST BELOW
    for candidate in python3 python3.13 python3.12 python3.14 python3.11 python; do
        if works "$candidate" "$1" "$2"; then
            printf '%s\n' "$candidate"
            exit 0
        fi
    done
}

if [ -n "$PYTHON" ]; then
    if works "$PYTHON" "(3, 11)" "(4, 0)"; then
        printf '%s\n' "$PYTHON"
        exit 0
    fi
    echo "PYTHON=$PYTHON is not a Python 3.11 or newer with the modules venv and ensurepip" >&2
    exit 1
elif [ -n "$1" ]; then
    search "(3, ${1#3.})" "(3, ${1#3.} + 1)"
else
    search "(3, 11)" "(3, 15)"
    search "(3, 15)" "(4, 0)"
fi
here="$(python3 -c 'import sys; print("; python3 is %d.%d" % sys.version_info[:2])' 2>/dev/null)"
echo "No Python ${1:-3.11 or newer} with venv was found$here. Install one (Debian 12, Ubuntu 24.04 and later:" \
    "apt install python3 python3-venv; macOS: python.org, or brew install python@3.13; any system: uv python install" \
    "${1:-3.12}) and, if it is not found by itself, name it: PYTHON=/path/to/python3 after the make command" >&2
exit 1
