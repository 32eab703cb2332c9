"""Each layer against PyTorch's, forward and backward, in float64; its laws; its errors."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given
from hypothesis import strategies as st

from course_lib import layers

seeds = st.integers(0, 2**31)


def normal(*shape, seed=0):
    """Random numbers in float64."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def gradients(y, inputs, grad_output):
    """PyTorch's."""
    return torch.autograd.grad(y, inputs, grad_output)


def equal(left, right, tolerance=1e-10):
    return left.shape == right.shape and torch.allclose(left, right, rtol=0, atol=tolerance)


@st.composite
def pooling_jobs(draw):
    """An image and windows that fit it. Small integers as pixels, so that there are ties."""
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    stride = draw(st.one_of(st.none(), st.tuples(st.integers(1, 4), st.integers(1, 4))))
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    size = draw(st.tuples(st.integers(1, 8), st.integers(1, 8)))
    assume(all(n + 2 * p >= k for n, p, k in zip(size, padding, kernel, strict=True)))
    rng = torch.Generator().manual_seed(draw(seeds))
    x = torch.randint(-3, 4, (2, 3, *size), generator=rng).double()
    if draw(st.booleans()):
        x = x.mT.contiguous().mT
    return x, {"kernel_size": kernel, "stride": stride, "padding": padding}


@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
@given(job=pooling_jobs())
def test_pooling_equals_pytorch_forward_and_backward_with_ties(device, name, job):
    x, arguments = job[0].to(device).requires_grad_(), job[1]
    expected = getattr(F, name)(x, **arguments)
    assert equal(getattr(layers, name)(x.detach(), **arguments), expected)
    g = normal(*expected.shape).to(device)
    ours = getattr(layers, name + "_backward")(g, x.detach(), **arguments)
    assert equal(ours, gradients(expected, x, g)[0])


@given(job=pooling_jobs())
def test_average_pooling_is_linear_and_its_backward_the_adjoint(job):
    x, arguments = job
    y = layers.avg_pool2d(x, **arguments)
    g = normal(*y.shape)
    assert equal((y * g).sum(), (x * layers.avg_pool2d_backward(g, x, **arguments)).sum(), tolerance=1e-9)


def test_a_tie_goes_to_the_first_and_overlaps_add_up():
    x = torch.tensor([[[[5.0, 5.0, 1.0], [0.0, 0.0, 0.0]]]])
    sent = layers.max_pool2d_backward(torch.tensor([[[[1.0, 10.0]]]]), x, 2, stride=1)
    assert sent.tolist() == [[[[1.0, 10.0, 0.0], [0.0, 0.0, 0.0]]]]
    peak = torch.tensor([[[[0.0, 9.0, 0.0]]]])
    assert layers.max_pool2d_backward(torch.ones(1, 1, 1, 2), peak, (1, 2), stride=1).tolist() == [[[[0.0, 2.0, 0.0]]]]


@given(seed=seeds, sizes=st.tuples(st.integers(0, 4), st.integers(1, 5), st.integers(1, 5)))
def test_linear_equals_pytorch(seed, sizes):
    N, inputs, outputs = sizes
    x, weight, bias = (normal(*shape, seed=seed).requires_grad_() for shape in ((N, inputs), (outputs, inputs), (outputs,)))
    expected = F.linear(x, weight, bias)
    assert equal(layers.linear(x, weight, bias), expected)
    assert equal(layers.linear(x, weight), F.linear(x, weight))
    g = normal(*expected.shape, seed=1)
    for ours, theirs in zip(layers.linear_backward(g, x, weight, bias), gradients(expected, (x, weight, bias), g), strict=True):
        assert equal(ours, theirs)


ACTIVATIONS = {  # ours, its backward, PyTorch's
    "relu": (layers.relu, layers.relu_backward, F.relu),
    "leaky_relu": (layers.leaky_relu, layers.leaky_relu_backward, F.leaky_relu),
    "gelu": (layers.gelu, layers.gelu_backward, F.gelu),
    "sigmoid": (layers.sigmoid, layers.sigmoid_backward, torch.sigmoid),
    "tanh": (layers.tanh, layers.tanh_backward, torch.tanh),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_equal_pytorch(name):
    x = torch.cat([torch.linspace(-40, 40, 401, dtype=torch.float64), torch.tensor([0.0, 1e-12, -800, 800])]).requires_grad_()
    forward, backward, theirs = ACTIVATIONS[name]
    expected = theirs(x)
    assert equal(forward(x), expected, tolerance=1e-12)
    g = normal(*x.shape)
    assert equal(backward(g, x), gradients(expected, x, g)[0], tolerance=1e-12)


@given(seed=seeds, smoothing=st.sampled_from([0.0, 0.1, 1.0]), size=st.tuples(st.integers(1, 5), st.integers(2, 6)))
def test_softmax_and_cross_entropy_equal_pytorch(seed, smoothing, size):
    N, K = size
    logits = (5 * normal(N, K, seed=seed)).requires_grad_()
    target = torch.randint(0, K, (N,), generator=torch.Generator().manual_seed(seed))
    assert equal(layers.log_softmax(logits), F.log_softmax(logits, dim=1))
    assert equal(layers.softmax(logits), F.softmax(logits, dim=1))
    g = normal(N, K, seed=2)
    assert equal(layers.softmax_backward(g, logits), gradients(F.softmax(logits, dim=1), logits, g)[0])
    expected = F.cross_entropy(logits, target, label_smoothing=smoothing)
    assert equal(layers.cross_entropy(logits, target, label_smoothing=smoothing), expected)
    ours = layers.cross_entropy_backward(logits, target, label_smoothing=smoothing)
    assert equal(ours, gradients(expected, logits, None)[0])
    assert equal(ours.sum(dim=1), torch.zeros(N, dtype=torch.float64))  # raising all scores alike changes nothing


def test_softmax_survives_large_scores_and_ignores_a_shift():
    logits = torch.tensor([[1000.0, 1000.0, -1000.0]])
    assert layers.softmax(logits).tolist() == [[0.5, 0.5, 0.0]]
    assert torch.isfinite(layers.cross_entropy(logits, torch.tensor([2])))
    x = normal(3, 4)
    assert equal(layers.softmax(x), layers.softmax(x + 7))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(5, 3), (2, 3, 4, 5)])
def test_batch_norm_equals_pytorch(device, shape, training):
    x, weight, bias = (normal(*s, seed=n).to(device).requires_grad_() for n, s in enumerate((shape, (3,), (3,))))
    running = [normal(3, seed=8).to(device), normal(3, seed=9).abs().to(device) + 0.5]
    ours, theirs = [r.clone() for r in running], [r.clone() for r in running]
    expected = F.batch_norm(x, *theirs, weight, bias, training=training, momentum=0.3)
    y = layers.batch_norm(x.detach(), *ours, weight.detach(), bias.detach(), training=training, momentum=0.3)
    assert equal(y, expected)
    assert all(equal(a, b) for a, b in zip(ours, theirs, strict=True))  # the running statistics too
    g = normal(*shape, seed=7).to(device)
    actual = layers.batch_norm_backward(g, x.detach(), *running, weight.detach(), bias.detach(), training=training)
    for mine, torchs in zip(actual, gradients(expected, (x, weight, bias), g), strict=True):
        assert equal(mine, torchs)


@given(seed=seeds, scale=st.floats(0.5, 50), shift=st.floats(-20, 20))
def test_batch_norm_in_training_forgets_scale_and_shift_of_its_input(seed, scale, shift):
    x, statistics = normal(6, 2, 3, 3, seed=seed), lambda: (torch.zeros(2).double(), torch.ones(2).double())
    y = layers.batch_norm(x, *statistics(), training=True, eps=0.0)
    assert equal(y, layers.batch_norm(scale * x + shift, *statistics(), training=True, eps=0.0), tolerance=1e-8)
    g = layers.batch_norm_backward(normal(*x.shape, seed=1), x, *statistics(), training=True, eps=0.0)[0]
    # so no gradient points along a shift of the batch, nor along its scale
    assert equal(g.sum(dim=(0, 2, 3)), torch.zeros(2).double(), tolerance=1e-8)
    assert equal((g * x).sum(dim=(0, 2, 3)), torch.zeros(2).double(), tolerance=1e-8)


def test_dropout_keeps_the_mean_and_its_mask():
    rng = torch.Generator().manual_seed(0)
    x = torch.ones(200, 200, dtype=torch.float64)
    y, mask = layers.dropout(x, 0.3, rng=rng)
    assert set(y.unique().tolist()) == {0.0, 1 / 0.7}
    assert y.mean().item() == pytest.approx(1, abs=5 * (0.3 / 0.7) ** 0.5 / 200)  # five standard errors of the mean of the mask
    g = normal(200, 200)
    assert torch.equal(layers.dropout_backward(g, mask), g * y)
    still, ones = layers.dropout(x, 0.3, training=False)
    assert still is x
    assert (ones == 1).all()


IMAGE = torch.zeros(2, 3, 4, 4)
MISTAKES = [
    (lambda: layers.max_pool2d(IMAGE, 2, padding=2), r"padding must be at most half of kernel_size, got padding \(2, 2\)"),
    (lambda: layers.max_pool2d(IMAGE[0], 2), r"x must have 4 dimensions \(NCHW\), got shape \[3, 4, 4\]"),
    (lambda: layers.avg_pool2d(IMAGE, 5), "the kernel does not fit: it covers 5 pixels of height"),
    (lambda: layers.max_pool2d_backward(IMAGE, IMAGE, 2), r"shape of the output, \[2, 3, 2, 2\], got \[2, 3, 4, 4\]"),
    (lambda: layers.linear(torch.zeros(2, 3), torch.zeros(4, 5)), r"must share I, got shapes \[2, 3\] and \[4, 5\]"),
    (lambda: layers.linear(torch.zeros(2, 3), torch.zeros(4, 3), torch.zeros(3)), r"bias must have shape \[4\]"),
    (lambda: layers.linear_backward(torch.zeros(2, 3), torch.zeros(2, 3), torch.zeros(4, 3)), r"output, \[2, 4\], got \[2, 3\]"),
    (lambda: layers.softmax(torch.zeros(3)), r"logits must be floating point \[N, K\]"),
    (lambda: layers.cross_entropy(torch.zeros(2, 3), torch.tensor([0.0, 1.0])), r"target must be int64 \[2\]"),
    (lambda: layers.cross_entropy(torch.zeros(0, 3), torch.zeros(0).long()), "the batch is empty"),
    (
        lambda: layers.cross_entropy(torch.zeros(1, 3), torch.tensor([0]), label_smoothing=2),
        "label_smoothing must be between 0 and 1",
    ),
    (lambda: layers.batch_norm(IMAGE, torch.zeros(2), torch.ones(3)), r"running_mean .* must have shape \[3\], .* got \[2\]"),
    (lambda: layers.batch_norm(torch.zeros(1, 3), torch.zeros(3), torch.ones(3), training=True), "more than one number"),
    (lambda: layers.batch_norm(torch.zeros(3), torch.zeros(3), torch.ones(3)), r"x must be \[N, C\] or \[N, C, H, W\]"),
    (lambda: layers.batch_norm_backward(IMAGE[:1], IMAGE, torch.zeros(3), torch.ones(3)), r"output, \[2, 3, 4, 4\], got \[1"),
    (lambda: layers.dropout(IMAGE, 1.0), r"p is 1\.0: it must be at least 0 and below 1"),
    (lambda: layers.dropout_backward(IMAGE[:1], IMAGE), r"shape of the mask, \[2, 3, 4, 4\], got \[1, 3, 4, 4\]"),
]


@pytest.mark.parametrize(("call", "message"), MISTAKES, ids=[message[:40] for _, message in MISTAKES])
def test_mistakes_are_named_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("bad", [3, -1])
def test_a_label_outside_the_classes_is_pytorchs_error(bad):
    """Nothing on the path of a training step reads the labels before they are used."""
    with pytest.raises(RuntimeError, match=f"{bad} is out of bounds .* size 3"):
        layers.cross_entropy(torch.zeros(2, 3), torch.tensor([0, bad]))


def test_integer_images_are_refused():
    with pytest.raises(TypeError, match=r"x must be floating point, got torch\.uint8"):
        layers.max_pool2d(IMAGE.byte(), 2)
