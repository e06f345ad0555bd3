"""Parts with defaults, for pictures, texts, sequences and tables of numbers: a task says only what is its own."""
