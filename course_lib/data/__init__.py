"""The course's images: embedded digits whose every factor is known, published sets and your own folders."""

from course_lib.data.batches import Batches
from course_lib.data.factors import FACTORS, RANGES, make_factors, sample_factors
from course_lib.data.glyphs import render
from course_lib.data.image_set import ImageSet
from course_lib.data.photograph import photograph
from course_lib.data.root import data_root, set_data_root
from course_lib.data.sets import SETS, SPLITS, available, load
from course_lib.data.typefaces import TYPEFACES

__all__ = [
    "FACTORS",
    "RANGES",
    "SETS",
    "SPLITS",
    "TYPEFACES",
    "Batches",
    "ImageSet",
    "available",
    "data_root",
    "load",
    "make_factors",
    "photograph",
    "render",
    "sample_factors",
    "set_data_root",
]
