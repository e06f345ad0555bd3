"""torchvision's detectors behind tensors: built, trained with their own losses, exported without their loops."""
