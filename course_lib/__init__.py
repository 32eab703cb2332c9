"""The code behind the notebooks of the course. Import a room: `from course_lib import convolution`."""

__version__ = "1.0.0"
