"""What a recipe says of the weights: optimisers, learning rates, averages, normalisation, 8 bits."""
