"""The proof for machines and for people."""
