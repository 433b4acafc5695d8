"""Trained networks to TensorFlow Lite; the commands over it are in export/."""
