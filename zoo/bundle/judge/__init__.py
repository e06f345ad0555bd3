"""From what was measured to gates and a verdict: pure, torch-free, fail-closed."""
