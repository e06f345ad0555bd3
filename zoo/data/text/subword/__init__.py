"""Texts cut as a tokenizer.json of the library `tokenizers` says, with the standard library alone.

`tokenizer_json` reads the file and turns its parts into a few kinds of steps (`parts`, `patterns`, `charsmap`).  The
rest follows these steps, in zoo and on the device: `steps`, `models` and `encode`.
"""
