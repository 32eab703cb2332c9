"""A checkpoint comes back as it was saved, and fits only the model that it is of."""

import pytest
import torch
from torch import nn

from course_lib.runtime import Checkpoint, load_checkpoint, load_weights, save_checkpoint
from tests.runtime.files import network, same


def test_what_was_saved_comes_back(tmp_path, device):
    model = network().to(device)
    config, metrics = {"widths": (1, 2), "loss": "hinge", "sizes": [3, None]}, {"x": 0.5, "right": True}
    training = {
        "momentum": {0: torch.ones(2, dtype=torch.bfloat16)},
        "list": [1, None, torch.tensor(3)],
        "infinite": float("inf"),
    }
    save_checkpoint(tmp_path / "a.pt", model, config=config, metrics=metrics, training=training)
    other = network()
    nn.init.zeros_(other[0].weight)
    found = load_checkpoint(tmp_path / "a.pt", other)
    assert isinstance(found, Checkpoint)
    assert same(found.config, config) and same(found.metrics, metrics) and same(found.training, training)
    assert found.versions["torch"] == str(torch.__version__) and found.versions["course_lib"]
    assert same(dict(found.weights), {name: value.cpu() for name, value in model.state_dict().items()})
    assert same(dict(other.state_dict()), dict(found.weights))
    assert load_checkpoint(tmp_path / "a.pt", device=device).weights["0.weight"].device.type == device.type
    save_checkpoint(tmp_path / "a.pt", {"one": torch.zeros(1)})
    found = load_checkpoint(tmp_path / "a.pt")
    assert list(found.weights) == ["one"] and found.training is None and found.config == found.metrics == {}


def test_a_file_is_what_torch_load_reads(tmp_path):
    save_checkpoint(tmp_path / "a.pt", network())
    found = torch.load(tmp_path / "a.pt", weights_only=True)
    assert list(found["weights"]) == list(network().state_dict())


def test_the_name_of_a_file_does_not_matter(tmp_path):
    for name in ("a.safetensors", "a.tar", "a"):
        save_checkpoint(tmp_path / name, network())
        load_checkpoint(tmp_path / name, network())


def test_what_was_saved_is_a_copy(tmp_path):
    whole = torch.arange(100_000.0)
    save_checkpoint(tmp_path / "a.pt", {"part": whole[:2]})
    assert (tmp_path / "a.pt").stat().st_size < 10_000, "a view brings no more than it shows"


def test_tied_and_strided_weights_can_be_saved(tmp_path):
    shared = torch.arange(6.0).view(2, 3)
    weights = {"one": shared, "two": shared, "turned": shared.T, "wide": shared.expand(4, 2, 3)}
    save_checkpoint(tmp_path / "a.pt", weights)
    found = load_checkpoint(tmp_path / "a.pt").weights
    assert all(torch.equal(found[name], value) for name, value in weights.items())


@pytest.mark.parametrize("fused", [False, True])
def test_the_state_of_an_optimizer_keeps_the_strides_of_its_weights(tmp_path, device, fused):
    """A fused optimizer walks through the memory of both: other strides would pair a weight with
    another's momentum.
    """
    model = nn.Conv2d(3, 4, 3).to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), fused=fused)
    model(torch.rand(2, 3, 5, 5, device=device)).sum().backward()
    optimizer.step()
    save_checkpoint(tmp_path / "a.pt", model, training=optimizer.state_dict())
    found = load_checkpoint(tmp_path / "a.pt")
    for name in ("exp_avg", "exp_avg_sq"):
        live, saved = optimizer.state[model.weight][name], found.training["state"][0][name]
        assert saved.stride() == live.stride() == model.weight.stride() and torch.equal(saved, live.cpu())
    assert found.weights["weight"].stride() == model.weight.stride() and not model.weight.is_contiguous()
    fresh = torch.optim.Adam(model.parameters(), fused=fused)
    fresh.load_state_dict(found.training)
    assert fresh.state[model.weight]["exp_avg"].stride() == model.weight.stride()


def test_a_mismatch_names_the_layer_and_both_shapes_and_changes_nothing():
    model = network()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    wider = nn.Sequential(nn.Conv2d(1, 5, 3), nn.BatchNorm2d(5), nn.Flatten(), nn.Linear(5, 2)).state_dict()
    with pytest.raises(ValueError, match=r"a\.pt does not fit this Sequential: 0\.weight .*\[5, 1, 3, 3\].*\[4, 1, 3, 3\]"):
        load_weights(model, wider, "a.pt")
    short = {name: value + 1 for name, value in before.items() if name != "3.bias"}
    with pytest.raises(ValueError, match=r"3\.bias has the shape None there and \[2\] in the model"):
        load_weights(model, short)
    with pytest.raises(ValueError, match=r"extra has the shape \[1\] there and None in the model"):
        load_weights(model, {**before, "extra": torch.zeros(1)})
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    load_weights(model, {name: value + 1 for name, value in before.items()})
    assert all(torch.equal(value, before[name] + 1) for name, value in model.state_dict().items())


def test_a_file_of_another_model_leaves_the_model_as_it_was(tmp_path):
    save_checkpoint(tmp_path / "a.pt", nn.Linear(4, 3))
    model = nn.Linear(4, 2)
    before = model.weight.clone()
    with pytest.raises(ValueError, match=r"a\.pt does not fit this Linear: weight .*\[3, 4\].*\[2, 4\].*configuration"):
        load_checkpoint(tmp_path / "a.pt", model)
    assert torch.equal(model.weight, before)


def test_compiled_weights_fit_a_plain_model_and_plain_ones_a_compiled(tmp_path):
    plain, fresh = network(), network()
    for parameter in fresh.parameters():
        nn.init.zeros_(parameter)
    save_checkpoint(tmp_path / "compiled.pt", torch.compile(plain))  # it is not run: that would take a while
    load_checkpoint(tmp_path / "compiled.pt", fresh)
    assert same(dict(fresh.state_dict()), dict(plain.state_dict()))
    save_checkpoint(tmp_path / "plain.pt", plain)
    assert list(load_checkpoint(tmp_path / "compiled.pt").weights) == list(load_checkpoint(tmp_path / "plain.pt").weights)
    for parameter in fresh.parameters():
        nn.init.zeros_(parameter)
    fresh[3] = torch.compile(fresh[3])  # a part alone
    load_checkpoint(tmp_path / "plain.pt", torch.compile(fresh))
    assert same(list(fresh.state_dict().values()), list(plain.state_dict().values()))


def test_a_link_stays_a_link(tmp_path):
    path, link = tmp_path / "a.pt", tmp_path / "link"
    save_checkpoint(path, network())
    link.symlink_to(path)
    save_checkpoint(link, {"other": torch.zeros(1)})
    assert link.is_symlink() and "other" in load_checkpoint(path).weights


def test_a_place_that_can_hold_no_file_is_named(tmp_path):
    with pytest.raises(RuntimeError, match=r"missing"):
        save_checkpoint(tmp_path / "missing" / "a.pt", network())
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        save_checkpoint(tmp_path / "folder", network())
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]


@pytest.mark.parametrize(
    "wrap",
    [
        nn.DataParallel,
        torch.optim.swa_utils.AveragedModel,
        torch.compile,
        lambda model: torch.compile(nn.DataParallel(model)),
        lambda model: nn.DataParallel(torch.compile(model)),
    ],
)
def test_of_a_wrapped_model_the_inner_one_is_saved_and_loaded(tmp_path, wrap, device):
    inner, fresh = nn.Linear(3, 2, device=device), nn.Linear(3, 2, device=device)
    save_checkpoint(tmp_path / "a.pt", wrap(inner))
    assert load_checkpoint(tmp_path / "a.pt", fresh).weights.keys() == {"weight", "bias"}
    assert torch.equal(fresh.weight, inner.weight)
    other = nn.Linear(3, 2, device=device)
    load_checkpoint(tmp_path / "a.pt", wrap(other))
    if wrap is not torch.optim.swa_utils.AveragedModel:  # it copies its model
        assert torch.equal(other.weight, inner.weight)
    with pytest.raises(ValueError, match="does not fit this Linear: weight"):
        load_checkpoint(tmp_path / "a.pt", wrap(nn.Linear(4, 2, device=device)))


def test_an_unknown_users_home_is_no_raw_error():
    with pytest.raises(FileNotFoundError, match="there is no checkpoint ~nobody-of-that-name"):
        load_checkpoint("~nobody-of-that-name/a.pt")
