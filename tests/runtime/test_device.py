"""Choosing a device, and being told what exists when the choice is impossible."""

import pytest
import torch

from course_lib.runtime import device as module
from course_lib.runtime import pick_device
from course_lib.runtime.device import bfloat16_pays, bfloat16_works, describe_device, processor


@pytest.fixture(autouse=True)
def _no_setting(monkeypatch):
    monkeypatch.delenv("COURSE_DEVICE", raising=False)


def test_without_a_wish_it_takes_a_cuda_gpu_or_the_cpu():
    assert pick_device().type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_it_prefers_cuda_and_never_takes_mps_unasked(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert pick_device() == torch.device("cpu")
    assert pick_device("mps") == torch.device("mps")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert pick_device() == pick_device("cuda") == torch.device("cuda", 0)
    assert pick_device("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(ValueError, match="choose one of cpu, cuda:0, cuda:1, mps"):
        pick_device("cuda:2")


def test_the_argument_goes_before_the_environment(monkeypatch):
    monkeypatch.setenv("COURSE_DEVICE", "nonsense")
    assert pick_device("cpu") == torch.device("cpu")
    assert pick_device(torch.device("cpu")) == torch.device("cpu")
    with pytest.raises(ValueError, match="COURSE_DEVICE"):
        pick_device()
    monkeypatch.setenv("COURSE_DEVICE", " CPU ")
    assert pick_device() == torch.device("cpu")
    monkeypatch.setenv("COURSE_DEVICE", "")
    assert pick_device().type in ("cpu", "cuda")


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "cuda:-1", "", "cpu:1", "meta"])
def test_a_device_that_is_not_there_is_named_with_those_that_are(name):
    with pytest.raises(ValueError, match="choose one of cpu") as error:
        pick_device(name)
    assert repr(name) in str(error.value) and "\n" not in str(error.value)


def test_a_tensor_can_be_put_there(device):
    assert torch.ones(2, device=pick_device(str(device))).sum().item() == 2


def test_bfloat16_is_tried_and_not_assumed(monkeypatch):
    assert bfloat16_works(torch.device("cpu"))
    # A device that has the type and lacks the operation.
    monkeypatch.setattr(torch.Tensor, "__matmul__", lambda left, right: (_ for _ in ()).throw(RuntimeError("not implemented")))
    assert not bfloat16_works(torch.device("cpu"))


def test_bfloat16_is_the_default_where_there_are_units_for_it(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    for has in (True, False):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda has=has: has)
        assert bfloat16_pays(torch.device("cpu")) is has
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device, has=has: (8, 0) if has else (7, 5))
        assert bfloat16_pays(torch.device("cuda", 0)) is has
        assert not bfloat16_pays(torch.device("cuda", 0), batch_size=512)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True)
    assert bfloat16_pays(torch.device("cpu")) and not bfloat16_pays(torch.device("mps"))


def test_the_description_names_the_device(device):
    assert describe_device(device).startswith(str(device.type))
    assert describe_device(torch.device("cpu")) == "cpu (1 thread)"


def cpuinfo(monkeypatch, tmp_path, text):
    """A machine whose /proc/cpuinfo has this text; None for one that has no such file."""
    (tmp_path / "cpuinfo").write_text(text or "", encoding="utf-8")
    monkeypatch.setattr(module, "Path", lambda _: tmp_path / ("cpuinfo" if text is not None else "none"))


@pytest.mark.parametrize(
    ("text", "capability", "phrase"),
    [
        (
            "processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu avx512f avx512_bf16\n",
            "AVX512",
            "AMD EPYC, AVX-512 with bfloat16",
        ),
        ("model name\t: Intel: Core\nflags\t\t: fpu avx2\n\nmodel name\t: Intel: Core\n", "AVX2", "Intel: Core, AVX2"),
        ("model name\t: Old\n", "DEFAULT", "Old"),
        ("processor\t: 0\nFeatures\t: asimd bf16 sve\n", "SVE256", "some Arm, SVE256 with bfloat16"),
        (None, "DEFAULT", "some Arm"),
    ],
)
def test_the_processor_is_named_with_what_matters_for_speed(monkeypatch, tmp_path, text, capability, phrase):
    cpuinfo(monkeypatch, tmp_path, text)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    monkeypatch.setattr(module.platform, "processor", lambda: "some Arm")
    assert processor() == phrase


def test_the_processor_of_a_machine_that_says_nothing_has_a_name(monkeypatch, tmp_path):
    cpuinfo(monkeypatch, tmp_path, None)
    monkeypatch.setattr(module.platform, "processor", lambda: "")
    assert processor().startswith(module.platform.machine())
    monkeypatch.setattr(module.platform, "machine", lambda: "")
    assert processor().startswith("unknown processor")


def test_the_processor_of_this_machine_is_one_phrase():
    assert processor() and "\n" not in processor()
