"""Results of runs that are too long for a notebook: many seeds, real images. `make record` makes them
(tools/recordings holds the recipes), and each says when and on what it was run.

A recording NAME is NAME.json, with its numbers, and NAME-PICTURE.png for each of its pictures.
"""

from course_lib.recorded.recordings import FOLDER, recorded, show_recorded
