"""torchvision's segmentation networks behind tensors, and a small FCN of our own."""
