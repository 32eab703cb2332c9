"""A checkpoint comes back as it was saved, nothing of it is executed, and whatever is wrong with one is named."""

import io
import pickle

import pytest
import torch
from safetensors.torch import load, save
from torch import nn

from course_lib.runtime import Checkpoint, checkpoints, load_checkpoint, load_weights, save_checkpoint
from course_lib.runtime.versions import installed_version


def network():
    generator = torch.Generator().manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return model


def test_what_was_saved_comes_back(tmp_path, device):
    model = network().to(device)
    training = {"momentum": {"0": torch.ones(2, dtype=torch.bfloat16)}, "list": [1, None, torch.tensor(3)], "nan": float("nan")}
    digest = save_checkpoint(tmp_path / "a.safetensors", model, config={"widths": (1, 2)}, metrics={"x": 0.5}, training=training)
    other = network()
    nn.init.zeros_(other[0].weight)
    found = load_checkpoint(tmp_path / "a.safetensors", other)
    assert isinstance(found, Checkpoint) and found.sha256 == digest
    assert found.config == {"widths": [1, 2]} and found.metrics == {"x": 0.5}
    assert found.versions["torch"] == installed_version("torch")
    for name, value in model.state_dict().items():
        assert torch.equal(other.state_dict()[name], value.cpu()), name
        assert found.weights[name].dtype == value.dtype
    assert torch.equal(found.training["momentum"]["0"], torch.ones(2, dtype=torch.bfloat16))
    assert found.training["list"][:2] == [1, None] and found.training["list"][2].item() == 3
    assert found.training["nan"] != found.training["nan"]


def test_the_same_contents_have_the_same_hash_and_others_another(tmp_path):
    model = network()
    first = save_checkpoint(tmp_path / "a", model)
    assert save_checkpoint(tmp_path / "b", model.state_dict()) == first
    assert save_checkpoint(tmp_path / "c", model, metrics={"accuracy": 1}) != first
    with torch.no_grad():
        model[3].bias[0] += 1
    assert save_checkpoint(tmp_path / "d", model) != first


def test_tied_and_strided_weights_can_be_saved(tmp_path):
    shared = torch.arange(6.0).view(2, 3)
    save_checkpoint(tmp_path / "a", {"one": shared, "two": shared, "turned": shared.T})
    assert torch.equal(load_checkpoint(tmp_path / "a").weights["turned"], shared.T)


def test_nothing_of_the_file_is_executed(tmp_path):
    class Trap:
        def __reduce__(self):
            return (exec, ("raise SystemExit('executed')",))

    for number, contents in enumerate((pickle.dumps(Trap()), _torch_file(Trap()))):
        path = tmp_path / f"{number}.safetensors"
        path.write_bytes(contents)
        with pytest.raises(ValueError, match=r"damaged, or no safetensors file"):
            load_checkpoint(path)
    with pytest.raises(TypeError, match=r"training.optimizer.1 is a Trap"):
        save_checkpoint(tmp_path / "trap", network(), training={"optimizer": [1, Trap()]})
    assert not (tmp_path / "trap").exists()


def _torch_file(value):
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def test_damage_is_found(tmp_path):
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, network(), metrics={"accuracy": 0.5})
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    with pytest.raises(ValueError, match="damaged"):
        load_checkpoint(path)
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))  # one bit of one weight
    with pytest.raises(ValueError, match="do not have the hash"):
        load_checkpoint(path)
    path.write_bytes(whole.replace(b'accuracy\\": 0.5', b'accuracy\\": 0.9'))
    with pytest.raises(ValueError, match="do not have the hash"):
        load_checkpoint(path)
    path.write_bytes(save(load(whole)))
    with pytest.raises(ValueError, match="no checkpoint of this course"):
        load_checkpoint(path)
    with pytest.raises(FileNotFoundError, match="there is no checkpoint"):
        load_checkpoint(tmp_path / "missing")


def test_an_interrupted_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, network())
    before = path.read_bytes()

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(path, {"other": torch.zeros(1)})
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_a_mismatch_names_the_layer_and_both_shapes_and_changes_nothing():
    model = network()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    wider = nn.Sequential(nn.Conv2d(1, 5, 3), nn.BatchNorm2d(5), nn.Flatten(), nn.Linear(5, 2)).state_dict()
    with pytest.raises(
        ValueError, match=r"0\.weight has the shape \[5, 1, 3, 3\] there and \[4, 1, 3, 3\] in the model \(6 more"
    ):
        load_weights(model, wider)
    short = {name: value for name, value in before.items() if name != "3.bias"}
    with pytest.raises(ValueError, match=r"no 3\.bias, which the model needs"):
        load_weights(model, short)
    with pytest.raises(ValueError, match=r"it has extra, which the model has not"):
        load_weights(model, {**before, "extra": torch.zeros(1)})
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    load_weights(model, before)


def test_names_that_look_alike_are_kept_apart(tmp_path):
    save_checkpoint(tmp_path / "a", {}, training={"a.b": torch.zeros(1), "a": {"b": torch.ones(1)}})
    training = load_checkpoint(tmp_path / "a").training
    assert training["a.b"].item() == 0 and training["a"]["b"].item() == 1


def test_the_rights_and_links_of_a_file_are_kept(tmp_path):
    path, link = tmp_path / "a", tmp_path / "link"
    save_checkpoint(path, network())
    path.chmod(0o600)
    link.symlink_to(path)
    save_checkpoint(link, {"other": torch.zeros(1)})
    assert link.is_symlink() and path.stat().st_mode & 0o777 == 0o600 and "other" in load_checkpoint(path).weights


def test_a_place_that_can_hold_no_file_is_named(tmp_path):
    for path, words in ((tmp_path / "missing" / "a", "which is no folder"), (tmp_path, "is a folder")):
        with pytest.raises(FileNotFoundError, match=words):
            save_checkpoint(path, network())


@pytest.mark.parametrize("contents", ["{", "[]", "{}", '{"weights": {"$tensor": "x"}}', "[" * 100_000])
def test_a_crafted_header_is_refused(tmp_path, contents):
    digest = checkpoints._digest(contents, {"x": torch.zeros(1)})
    whole = save({"x": torch.zeros(1)}, metadata={"format": "1", "contents": contents, "sha256": digest})
    (tmp_path / "a").write_bytes(whole)
    with pytest.raises(ValueError, match="not written by save_checkpoint"):
        load_checkpoint(tmp_path / "a")


def test_what_cannot_be_stored_is_named(tmp_path):
    for value in (torch.eye(2).to_sparse(), torch.zeros(1, dtype=torch.complex64), torch.zeros(1, device="meta")):
        with pytest.raises(TypeError, match=r"weights\.a is a sparse, complex or meta tensor"):
            save_checkpoint(tmp_path / "a", {"a": value})


def test_keys_must_be_texts(tmp_path):
    with pytest.raises(TypeError, match=r"training\.state has the key 0"):
        save_checkpoint(tmp_path / "a", {}, training={"state": {0: 1}})
    assert not list(tmp_path.iterdir())
