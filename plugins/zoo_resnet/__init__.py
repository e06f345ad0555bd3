"""Residual networks for small pictures: `resnet8` of MLPerf Tiny, and He et al.'s CIFAR series."""
