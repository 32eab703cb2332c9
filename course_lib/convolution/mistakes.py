"""Three mistakes that real implementations of convolution have made, planted on purpose for the section "Break it".

Each has the right shapes everywhere, so nothing crashes: only a check of the numbers finds it. Do not use these.
"""

from course_lib.convolution.im2col import col2im, conv2d_backward, conv2d_im2col


def conv2d_flipped(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    """MISTAKE: flips the kernel, so it computes the convolution of mathematics under the name of PyTorch's conv2d."""
    arguments = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return conv2d_im2col(x, weight.flip(2, 3), bias, **arguments)


def conv2d_backward_padding_forgotten(grad_output, x, weight, *, stride=1, padding=0):
    """MISTAKE: computes the gradient of the padded image and forgets where the image lay in it, so grad_x is shifted."""
    N, O, OH, OW = grad_output.shape
    columns = weight.reshape(O, -1).mT @ grad_output.reshape(N, O, OH * OW)
    padded_size = (x.shape[2] + 2 * padding, x.shape[3] + 2 * padding)
    padded = col2im(columns, padded_size, tuple(weight.shape[2:]), stride=stride)
    grad_x = padded[:, :, : x.shape[2], : x.shape[3]]  # right: padded[:, :, padding : padding + H, padding : padding + W]
    return grad_x, *conv2d_backward(grad_output, x, weight, stride=stride, padding=padding)[1:]


def adjoint_with_wrong_stride(grad_output, weight, input_size, *, stride=1, padding=0):
    """MISTAKE: a transposed convolution that puts its stamps one pixel apart where the convolution read `stride` apart."""
    N, O, OH, OW = grad_output.shape
    (KH, KW), (H, W) = weight.shape[2:], input_size
    columns = weight.reshape(O, -1).mT @ grad_output.reshape(N, O, OH * OW)
    image = columns.new_zeros(N, weight.shape[1], H + 2 * padding + KH, W + 2 * padding + KW)
    image[:, :, : OH + KH - 1, : OW + KW - 1] = col2im(columns, (OH + KH - 1, OW + KW - 1), (KH, KW))  # right: stride=stride
    return image[:, :, padding : padding + H, padding : padding + W]
