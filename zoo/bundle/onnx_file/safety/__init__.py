"""What speaks against loading an untrusted ONNX file, found without running it.

`scan` is the door: it reads a file, and `demand_safe` refuses it.  `hazards` has the reasons; `unfolding`,
`interpretation` and `folding` say how large a file becomes, how often its loops turn and how large its tensors are.
"""
