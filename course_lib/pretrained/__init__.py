"""Trained models that come with the package, and for each kind the recipe that trains one for any
other set.

A recipe is a line of `python -m course_lib train`: the `train_*` print theirs first, and whoever
types it gets the same weights. They add the measurements, and keep the model for the `load_*`.

A judge names what an image shows, a generator draws, a VAE does both ways. Those of "glyphs" and
"mnist" are part of the package. What a reader trains lies under the data root and goes before them.
"""

from course_lib.pretrained.generator import Pretrained, load_generator, train_generator
from course_lib.pretrained.judge import Judge, load_judge, train_judge
from course_lib.pretrained.vae import load_vae, train_vae
