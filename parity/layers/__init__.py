"""NNX layers that mean what PyTorch's mean, for what NNX has not or does differently.

Pictures lie channels last, as everywhere in JAX. Parameters and buffers have PyTorch's names and
layouts, so weights go across without a rule; initial values have PyTorch's distributions.
"""

from parity.layers.adaptive_pooling import adaptive_avg_pool
from parity.layers.attention import MultiheadAttention
from parity.layers.batch_norm import BatchNorm
from parity.layers.convolution import Conv
from parity.layers.embedding import Embedding
from parity.layers.gru import GRU
from parity.layers.instance_norm import InstanceNorm
from parity.layers.linear import Linear
from parity.layers.lstm import LSTM
from parity.layers.pooling import avg_pool, max_pool
from parity.layers.prelu import PReLU
from parity.layers.resize import resize
from parity.layers.transposed_convolution import ConvTranspose

__all__ = [
    "GRU",
    "LSTM",
    "BatchNorm",
    "Conv",
    "ConvTranspose",
    "Embedding",
    "InstanceNorm",
    "Linear",
    "MultiheadAttention",
    "PReLU",
    "adaptive_avg_pool",
    "avg_pool",
    "max_pool",
    "resize",
]
