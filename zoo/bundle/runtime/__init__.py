"""Reading and running what zoo exported, without torch."""
