"""U-Net for semantic segmentation: `unet` of the published size, and `unet_tiny` for small pictures."""
