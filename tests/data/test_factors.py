"""The factors: a function of the index alone, within their bounds, balanced; and made by hand."""

import hashlib

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.data import FACTORS, RANGES, TYPEFACES, make_factors, sample_factors
from course_lib.data.factors import GLYPH_SPLITS, MINIMUM_CONTRAST, check_factors, hash_uniform, luma, mix
from course_lib.data.typefaces import glyph_widths

SETS = ("glyphs", "glyphs-color")
MASK = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15


def mix_of_integers(z: int) -> int:
    """SplitMix64's finaliser in Python's integers."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def signed(bits: int) -> int:
    """The signed 64-bit integer of the same bits."""
    return bits - 2**64 if bits >= 2**63 else bits


def test_mix_is_splitmix64():
    # The published first outputs of the generator with seed 0: the finaliser of 1, 2 and 3 times
    # the golden ratio.
    expected = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    states = torch.tensor([signed(GOLDEN * i & MASK) for i in (1, 2, 3)])
    assert mix(states).tolist() == [signed(bits) for bits in expected]


@given(st.integers(-(2**63), 2**63 - 1), st.integers(0, 10_000))
def test_hash_is_that_of_integers(key, counter):
    bits = mix_of_integers((mix_of_integers(key & MASK) + (counter + 1) * GOLDEN) & MASK)
    assert hash_uniform(torch.tensor(key), counter).item() == (bits >> 11) / 2**53


@pytest.mark.parametrize("name", SETS)
@given(index=st.lists(st.integers(0, 100_000), min_size=1, max_size=20), split=st.sampled_from(list(GLYPH_SPLITS)))
def test_an_image_has_the_same_factors_in_any_batch(name, index, split):
    together = sample_factors(name, split, index)
    for row, i in enumerate(index):
        for factor, values in sample_factors(name, split, [i]).items():
            assert torch.equal(values[0], together[factor][row]), factor


def test_factors_never_change():
    # Bit for bit the same on every machine: integers and IEEE arithmetic alone.
    factors = sample_factors("glyphs-color", "train", torch.arange(8))
    assert factors["digit"].tolist() == [9, 0, 3, 0, 0, 5, 5, 9]
    assert factors["typeface"].tolist() == [2, 12, 2, 13, 16, 12, 16, 0]
    assert factors["angle"][0].item() == -18.143400192260742
    assert factors["neighbour_digit"][0].tolist() == [5, 0]


# SHA-256 of the factors of the first 64 images: whoever changes one changes all results of the
# course.
FIRST_64 = {
    ("glyphs", "train"): "fe0ed1d8ee29fdffd73e04242eba48cc978eac62be6d0104db78d53e1a35d3d6",
    ("glyphs", "validation"): "dd30342f10ba3cbeba8f77b0d243a605af06bf2bb2fabb383a63d1e6509b2c1f",
    ("glyphs", "test"): "6e8b694caf538163bc33ead142eac1cc4a943c5cc30c75e576902423c2868784",
    ("glyphs", "unseen-fonts"): "f6a0ce36522cd5c28e2325832020a501f708f802d2c22ee976f72dda3f2056e8",
    ("glyphs-color", "train"): "1f2ba1c4951f4aff35e0abb6c3e016ae513a035acfd6eef4d016b65ca1d25ce6",
    ("glyphs-color", "validation"): "8416be6f6eb5eaa55c0d4863f7db561a90f30c4c33b5e5cd8bf2ad7cfad9d8e4",
    ("glyphs-color", "test"): "c9ebfc23d8b2b0f95ba2a76bd409f57d245fd9cf2833308ea758906197f4f9e5",
    ("glyphs-color", "unseen-fonts"): "7b87e6a403e299d16dd6ef84f4ee963cfc9cbfe9841a13e9443e05ef32226745",
}


@pytest.mark.parametrize(("name", "split"), list(FIRST_64))
def test_no_factor_of_any_split_changes(name, split):
    factors = sample_factors(name, split, range(64))
    data = b"".join(values.numpy().tobytes() for values in factors.values())
    assert hashlib.sha256(data).hexdigest() == FIRST_64[name, split]


@pytest.mark.parametrize("split", GLYPH_SPLITS)
@pytest.mark.parametrize("name", SETS)
def test_factors_lie_in_their_ranges(name, split):
    factors = sample_factors(name, split, torch.arange(GLYPH_SPLITS[split]))
    check_factors(factors)
    for factor, (low, high) in RANGES[name].items():
        values = factors[factor]
        assert values.dtype == torch.float32
        assert low <= values.min() < low + 0.01 * (high - low), factor
        assert high - 0.01 * (high - low) < values.max() <= high, factor
        assert abs(values.mean() - (low + high) / 2) < 0.02 * (high - low), factor


@pytest.mark.parametrize("split", GLYPH_SPLITS)
@pytest.mark.parametrize("name", SETS)
def test_classes_and_typefaces_are_balanced(name, split):
    N = GLYPH_SPLITS[split]
    factors = sample_factors(name, split, torch.arange(N))
    counts = torch.bincount(factors["digit"], minlength=10)
    assert (counts - N / 10).abs().max() < 5 * (N * 0.1 * 0.9) ** 0.5  # five standard deviations
    faces = [i for i, face in enumerate(TYPEFACES) if face.held_out == (split == "unseen-fonts")]
    assert factors["typeface"].unique().tolist() == faces
    share = 1 / len(faces)
    counts = torch.bincount(factors["typeface"])[faces]
    assert (counts - N * share).abs().max() < 5 * (N * share * (1 - share)) ** 0.5
    # Digit and typeface are independent: each digit is seen in each typeface.
    assert len(torch.unique(factors["typeface"] * 10 + factors["digit"])) == 10 * len(faces)


def test_no_image_is_in_two_splits():
    seen: set[tuple[float, float]] = set()
    total = 0
    for name in SETS:
        for split, N in GLYPH_SPLITS.items():
            factors = sample_factors(name, split, torch.arange(N))
            seen |= set(zip(factors["angle"].tolist(), factors["shear"].tolist(), strict=True))
            total += N
    assert len(seen) == total


def test_digits_stand_out_from_the_background():
    factors = sample_factors("glyphs-color", "train", torch.arange(20_000))
    contrast = luma(factors["foreground"]) - luma(factors["background"])
    assert contrast.abs().min() > MINIMUM_CONTRAST - 1e-6
    assert 0.6 < (contrast > 0).double().mean() < 0.8


def test_the_main_digit_is_the_one_in_the_middle():
    factors = sample_factors("glyphs-color", "train", torch.arange(20_000))
    widths = glyph_widths()
    main = widths[factors["typeface"], factors["digit"]][:, None]
    neighbours = widths[factors["neighbour_typeface"], factors["neighbour_digit"].clamp(min=0)]
    distance = factors["height"][:, None] * (main + neighbours) / 2 + factors["neighbour_gap"]
    along_x = torch.tensor([-1.0, 1.0]) * distance * factors["angle"].deg2rad().cos()[:, None]
    off_middle = (factors["x"] - 16).abs()[:, None].expand(-1, 2)
    neighbour_off_middle = (factors["x"][:, None] + along_x - 16).abs()
    present = factors["neighbour_digit"] >= 0
    # The class of an image is never in doubt: the labelled digit is nearer to the middle by at
    # least four pixels.
    assert (neighbour_off_middle - off_middle)[present].min() > 4
    share = present.double().mean(0)
    assert ((share > 0.68) & (share < 0.72)).all()


def test_made_by_hand():
    factors = make_factors(digit=7, angle=[0, 10, 20])
    assert list(factors) == list(FACTORS)[:7]
    assert factors["digit"].tolist() == [7, 7, 7]
    assert factors["x"].tolist() == [16.0, 16.0, 16.0]
    colour = make_factors("glyphs-color", typeface="STIX Italic", neighbour_digit=[(1, 2), (3, -1)])
    assert list(colour) == list(FACTORS)
    assert colour["typeface"].tolist() == [14, 14]
    assert colour["foreground"].shape == (2, 3)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"digit": 10}, "digit is 10: it must be between 0 and 9"),
        ({"typeface": 26}, "typeface is 26: it must be between 0 and 25"),
        ({"typeface": "Comic"}, "typeface is 'Comic': choose from DejaVu Sans"),
        ({"colour": 1}, "a factor of glyphs is 'colour': choose from digit"),
        ({"height": 0}, "height is 0: it must be between 1 and 128"),
        ({"angle": float("nan")}, "angle is nan"),
        ({"angle": [1, 2], "shear": [0, 0, 0]}, "angle has 2 rows where digit has 3"),
        ({"digit": 3.7}, "digit is 3.7: it must be a whole number"),
        ({"digit": [1.0, -0.5]}, "digit is -0.5: it must be a whole number"),
        ({"typeface": float("nan")}, "typeface is nan: it must be a whole number"),
        ({"angle": [[1, 2]]}, r"angle must be a number, or N times that: its shape is \(1, 2\)"),
    ],
)
def test_a_wrong_factor_is_named(values, message):
    with pytest.raises(ValueError, match=message):
        make_factors(**values)


def test_wrong_sets_splits_and_keys_are_named():
    with pytest.raises(ValueError, match="embedded set is 'mnist': choose from glyphs, glyphs-color"):
        sample_factors("mnist", "train", [0])
    with pytest.raises(ValueError, match="embedded set is 'mnist'"):
        make_factors("mnist")
    with pytest.raises(ValueError, match="the split of glyphs is 'dev': choose from train"):
        sample_factors("glyphs", "dev", [0])
    with pytest.raises(ValueError, match="foreground must be 3 numbers"):
        make_factors("glyphs-color", foreground=0.5)
    for index, message in (([3, -1], "index is -1: the images are numbered from 0"), ([0.5], "index is 0.5: it must be a whole")):
        with pytest.raises(ValueError, match=message):
            sample_factors("glyphs", "train", index)
    factors = make_factors(digit=3.0)
    assert factors["digit"].dtype == torch.int64
    with pytest.raises(ValueError, match="factors missing or unknown: angle"):
        check_factors({name: value for name, value in factors.items() if name != "angle"})
    with pytest.raises(ValueError, match="shear has 2 rows where digit has 1"):
        check_factors(factors | {"shear": torch.zeros(2)})
