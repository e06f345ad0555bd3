"""What a user asks a model about: paths, globs, addresses, archives, videos, texts, arrays.  Torch-free."""
