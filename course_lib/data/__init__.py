"""The course's images: embedded digits with known factors, published sets, your own folders."""

from course_lib.data.augmentation import MAY_FLIP, Augment, brightness, cutout, random_flip, random_shift
from course_lib.data.batches import Batches
from course_lib.data.factors import FACTORS, RANGES, make_factors, sample_factors
from course_lib.data.glyphs import render
from course_lib.data.image_set import ImageSet
from course_lib.data.photograph import photograph
from course_lib.data.root import data_root
from course_lib.data.sets import SETS, SPLITS, available, load
from course_lib.data.typefaces import TYPEFACES
