"""Chapters 1 and 2: convolution from scratch, forward and backward.

By loops, as a matrix product, as a Fourier product and as a sparse matrix. Every 2-D variant has
one signature, `(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1)`, and computes
what `torch.nn.functional.conv2d` computes: cross-correlation. Pictures are in `figures`, the
interactive ones in `explorers`.
"""

from course_lib.convolution.fourier import conv2d_fft
from course_lib.convolution.im2col import col2im, conv2d_backward, conv2d_im2col, im2col
from course_lib.convolution.kernels import classical_kernels
from course_lib.convolution.letters import random_letters
from course_lib.convolution.loops import conv1d_loops, conv2d_loops
from course_lib.convolution.matrix import convolution_matrix
from course_lib.convolution.module import Conv2d, Conv2dFunction
from course_lib.convolution.sizes import (
    ReceptiveField,
    conv2d_multiply_adds,
    conv2d_parameters,
    conv_output_size,
    conv_transpose_output_size,
    receptive_field,
)
from course_lib.convolution.transposed import conv_transpose2d
