"""What is exported: a module with its task, its inputs and outputs, and the cases it is put to."""
