"""Backpropagation in convolutional networks, written to be understood."""
