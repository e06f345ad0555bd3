"""What to write instead: by what the exporter or the runtime says, and by the operators that a model calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Hint:
    """What to write instead of something."""

    pattern: str
    """A regular expression: of what the exporter says, of the user's line, or of an operator's name."""
    words: str


CAPTURE: Final = (
    Hint(
        r"pack_padded_sequence|PackedSequence|zeros\(\): argument 'size'",
        "pack_padded_sequence cannot be captured: run the layer over the padded sequence and take what lies inside "
        "`lengths`, as zoo's own recurrent models do (zoo_rnn/model.py)",
    ),
    Hint(
        r"specialized integer from data-dependent|\.item\(\)|_local_scalar_dense",
        "compute with the tensor instead of int(...), .item() or a slice of it: a mask, torch.where or gather",
    ),
    Hint(
        r"data-dependent expression|DataDependent",
        "write torch.cond(condition, if_true, if_false, operands) or torch.where instead of a Python `if` on values",
    ),
    Hint(
        r"CustomObjArgument|argument 'generator'", "draw once, in __init__, and keep the numbers with register_buffer"
    ),
    Hint(r"TensorWrapper|torch\.func\.|autograd\.grad", "no gradient is captured: write its formula out instead"),
    Hint(r"jit\.script|ScriptModule", "leave torch.jit away: what is captured is the Python module itself"),
    Hint(
        r"unsupported type: tensor\(bfloat16\)",
        "let the model compute in float32 (module.float(), no autocast): ONNX Runtime's CPU operators have no bfloat16",
    ),
    Hint(
        r"aten\.(?:sort|argsort)", "leave stable=True away, and let no two values be equal: add a tiny step by position"
    ),
    Hint(r"searchsorted|isin", "compare with each value: (x[..., None] == values).any(-1), or (x[..., None] > values)"),
    Hint(r"kthvalue|median", "sort, and take the element: x.sort(dim)[0].select(dim, k)"),
    Hint(r"_cdist_forward|cdist", "write the distances out: (a[:, None] - b[None]).square().sum(-1).sqrt()"),
    Hint(
        r"conflicts between user-specified ranges|constraints violated|ConstraintViolation|\] \* \w+\.shape\[0\]",
        "this fixes an axis at the size of the example, as a Python loop over it or a list of x.shape[0] parts does: "
        "use expand, cumsum, a mask or another operator on the whole tensor, or a layer of torch.nn",
    ),
    Hint(r"linalg_matrix_exp", "fold the parametrization first: torch.nn.utils.parametrize.remove_parametrizations"),
    Hint(r"adaptive_max_pool", "use max_pool2d with a kernel that divides the size, or adaptive_avg_pool2d"),
    Hint(r"cumprod|prims\.prod", "write torch.exp(torch.cumsum(torch.log(x), dim)) for positive x, or avoid cumprod"),
    Hint(
        r"only 4D query, key, and value",
        "give scaled_dot_product_attention queries, keys and values of [batch, heads, length, width], or write "
        "softmax(q @ k.transpose(-2, -1) * scale, -1) @ v",
    ),
    Hint(r"rrelu", "nn.RReLU is nn.LeakyReLU((lower + upper) / 2) in eval mode: use that"),
    Hint(r"fake_quant", "export the model without fake quantisation, and add --int8 for a quantised variant"),
    Hint(
        r"max_pool\w*\(.*ceil_mode|ceil_mode=True",
        "pad the input with F.pad and pool with ceil_mode=False: the operators round other shapes up",
    ),
    Hint(r"ZeroDivision|adaptive_avg_pool", "pool with x.mean((2, 3)), or give the input a fixed size"),
    Hint(
        r"index out of range in self",
        "an index outside its table: give the table as many rows as the input has max_length, or declare a smaller one",
    ),
    Hint(r"UninitializedParameter|Lazy", "build the model with fixed sizes, or run it once in its builder"),
)
"""In order; the first that matches holds."""
OTHER_OPERATOR: Final = "write it with other operators, in the model or in an adapter (ModelSpec.adapter)"
WRONG: Final = {
    "masked_scatter": "torch.where(mask, values, x), with the values at their places",
    "scatter_reduce": "scatter_add, or amax over a mask, instead of scatter_reduce with include_self=False or mean",
    "index_reduce": "scatter_add, or amax over a mask",
    "topk": "the values alone: which of equal values comes first is left to the runtime",
    "einsum": "einsum without an ellipsis, or matmul and transpose",
    "argsort": "argsort of values that are never equal: which of equal ones comes first is left to the runtime",
    "angle": "torch.atan2 on numbers that are not exactly zero: the sign of a zero is left to the runtime",
    "rand_like": "an input of noise that the caller gives",
    "randn_like": "an input of noise that the caller gives",
    "rand": "an input of noise that the caller gives",
    "randn": "an input of noise that the caller gives",
    "bernoulli": "an input of noise that the caller gives",
    "native_dropout": "F.dropout(x, p, training=self.training), or nn.Dropout",
    "dropout": "F.dropout(x, p, training=self.training), or nn.Dropout",
    "native_batch_norm": "batch norm with running statistics (track_running_stats=True), which eval mode uses",
    "_native_batch_norm_legit": "batch norm with running statistics (track_running_stats=True), which eval mode uses",
    "cond": "torch.where on one item, or a condition for each item: torch.cond decides for the whole batch at once",
}
"""Operators that are often behind a wrong file, with what to write instead."""
DRAWS: Final = frozenset(
    {
        *("bernoulli", "cauchy", "exponential", "geometric", "log_normal", "multinomial", "native_dropout", "normal"),
        *("rand", "randint", "randn", "random", "uniform"),
    }
)
"""Operators that draw random numbers, but for underscores and `_like`."""
OF_ANY_SIZE: Final = {
    "_adaptive_avg_pool2d": "a mean over the axis, or give the input a fixed size: its windows are captured for some "
    "sizes only",
}
"""The same for models with an axis of any size beside the batch."""
BATCH: Final = "an item must not depend on what else is in its batch: no sum, maximum or mean over the batch axis"
GUARD: Final = "a Python `if` on a size is captured as it is for the example: write torch.where, or torch.cond"
CHANGED: Final = (
    "in eval mode an answer must depend on the input alone: change the buffer only `if self.training`, or leave it out"
)
RANDOM: Final = (
    "in eval mode an answer must not be random: draw where self.training is true, or take the noise as input"
)
NOT_FINITE: Final = "from here on numbers are infinite or not a number: no file can be compared with that"
CONSTANT: Final = "make this constant once, in __init__, and keep it with register_buffer: then it has a name"
WIDE: Final = (
    "ONNX Runtime has no such operator in {}: let the model compute in float32 (module.float(), no autocast, .float() "
    "on what comes in)"
)
REFUSED: Final = "ONNX Runtime does not run this as it was written: write it with other operators"
SHAPES: Final = (
    "let forward take the inputs that the task's signature names, any number of items at a time, or declare an adapter "
    "(ModelSpec.adapter)"
)
OF_RUNTIME: Final = (
    Hint(r"initial_[ch]", "write nn.LSTM without proj_size, and a linear layer behind it: ONNX has no projection"),
    Hint(r"ellips", "instead of einsum write einsum without an ellipsis, or matmul and transpose"),
    Hint(
        r"out of data bounds|indices element", "an index lies outside its table: clamp it, or give the table more rows"
    ),
)
"""By what ONNX Runtime says."""
