"""The exercises of the notebooks, as data: cases, the course's own answer, and how near another has to come."""

from course_lib.exercises.exercise import Exercise
