"""Private sets: a word draws images that nobody has seen, and holds out typefaces of its own."""

import hashlib
import itertools

import pytest
import torch

from course_lib.data import RANGES, TYPEFACES, load, sample_factors
from course_lib.data.factors import GLYPH_SPLITS, check_factors
from course_lib.data.typefaces import DESIGNS

WORDS = [f"private:{word}" for word in ("tulip", "Tulip", "tulip ", "zwölf Bäume", "0", *map(chr, range(97, 123)))]
PUBLIC = {place for place, face in enumerate(TYPEFACES) if face.held_out}


def typefaces(name: str, split: str) -> set[int]:
    """Those of the main digits and of their neighbours."""
    factors = sample_factors(name, split, range(500))
    return {*factors["typeface"].tolist(), *factors["neighbour_typeface"].flatten().tolist()}


def test_it_has_the_form_of_the_colour_set_and_does_not_know_its_word():
    private, public = load("private:tulip", "validation"), load("glyphs-color", "validation")
    for name in ("images", "labels", "masks"):
        mine, other = getattr(private, name), getattr(public, name)
        assert mine.shape == other.shape and mine.dtype == other.dtype and not torch.equal(mine, other)
    assert private.classes == public.classes and list(private.factors) == list(public.factors)
    assert repr(private).startswith("private (validation): 4,000 images of 3 x 32 x 32") and private.name == "private"
    assert len(load("private:tulip", "train+validation", size=4)) == 24_000


def test_the_same_word_draws_the_same_images_on_every_machine():
    factors = sample_factors("private:tulip", "train", range(64))
    data = b"".join(values.numpy().tobytes() for values in factors.values())
    assert hashlib.sha256(data).hexdigest() == "cf4d91fb86665b479a8b2763d6abdf8401399a6004e31e34a40b2c9bd2079cc2"
    assert torch.equal(load("private:tulip", "test", size=8).images, load("private:tulip", "test", size=8).images)


def test_no_image_is_in_two_splits_or_under_two_words_or_in_the_public_set():
    seen: set[tuple[float, float]] = set()
    names = ("glyphs-color", *WORDS[:5])
    for name in names:
        for split in GLYPH_SPLITS:
            factors = sample_factors(name, split, range(2000))
            seen |= set(zip(factors["angle"].tolist(), factors["shear"].tolist(), strict=True))
    assert len(seen) == 2000 * len(GLYPH_SPLITS) * len(names)


@pytest.mark.parametrize("name", WORDS)
def test_whole_designs_are_held_out_and_others_than_in_the_public_set(name):
    train, unseen = typefaces(name, "train"), typefaces(name, "unseen-fonts")
    assert not train & unseen and train | unseen == set(range(len(TYPEFACES)))
    assert unseen != PUBLIC and 5 <= len(unseen) <= 10
    assert all(set(design) <= unseen or set(design) <= train for design in DESIGNS)
    assert train == typefaces(name, "validation") == typefaces(name, "test")


def test_different_words_hold_out_different_typefaces():
    assert len({frozenset(typefaces(name, "unseen-fonts")) for name in WORDS}) > 10


@pytest.mark.parametrize("split", GLYPH_SPLITS)
def test_the_factors_lie_in_the_ranges_of_the_colour_set_and_the_classes_are_balanced(split):
    factors = sample_factors("private:tulip", split, range(4000))
    check_factors(factors)
    for factor, (low, high) in RANGES["glyphs-color"].items():
        assert low <= factors[factor].min() and factors[factor].max() <= high
        assert abs(factors[factor].mean() - (low + high) / 2) < 0.05 * (high - low), factor
    counts = torch.bincount(factors["digit"], minlength=10)
    assert (counts - 400).abs().max() < 5 * (4000 * 0.1 * 0.9) ** 0.5


def test_a_design_is_the_typefaces_of_one_name():
    assert list(itertools.chain(*DESIGNS)) == list(range(len(TYPEFACES)))
    starts = ["DejaVu Sans", "DejaVu Serif", "STIX", "STIX Sans", "STIX Monospace", "Computer Modern", "STIX Double-Struck"]
    for start, design in zip(starts, DESIGNS, strict=True):
        assert all(TYPEFACES[place].name.startswith(start) for place in design)


def test_an_empty_word_and_an_unknown_split_are_refused():
    for name in ("private:", "private: ", "private"):
        with pytest.raises(ValueError, match=f"the name of a set is '{name}': choose from glyphs, .*private:WORD$"):
            load(name, "train")
        with pytest.raises(ValueError, match=f"embedded set is '{name}': choose from glyphs, glyphs-color, private:WORD$"):
            sample_factors(name, "train", [0])
    with pytest.raises(ValueError, match=r"the split of private:tulip is 'dev': choose from train, .*unseen-fonts"):
        load("private:tulip", "dev")
