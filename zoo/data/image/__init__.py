"""Pictures: reading, preparing, changing and finishing them."""
