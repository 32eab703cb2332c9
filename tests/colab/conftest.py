"""What the tests of Colab share: a repository to install from, and an environment that has everything but course_lib."""

import pytest

from tests.colab.colab import make_environment, publish


@pytest.fixture(scope="session")
def snapshot(tmp_path_factory):
    """The published repository."""
    folder = tmp_path_factory.mktemp("snapshot")
    try:
        publish(folder)
    except LookupError as error:
        pytest.skip(str(error))
    return folder


@pytest.fixture
def python(tmp_path_factory):
    """The Python of a new environment."""
    return make_environment(tmp_path_factory.mktemp("colab") / "environment")
