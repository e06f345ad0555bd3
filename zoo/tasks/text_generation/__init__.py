"""Text that goes on where a prompt ends."""
