"""Metadata of tfflow: what it needs and why. Settings of the tools are in pyproject.toml."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
README = HERE / "README.md"
VERSION = re.search(r'^__version__ = "(.+)"', (HERE / "tfflow/__init__.py").read_text("utf-8"), re.MULTILINE).group(1)

REQUIRED = [
    "tensorflow>=2.15.1,<2.22",  # training and prediction; 2.15 is the last that tensorflow-addons works with
    "tf-keras>=2.15.1,<2.22",  # Keras 2, which the quantizer needs; each minor version asks for the same TensorFlow
    "tensorboard>=2.15",  # writing the training log's scalars and pictures for the browser
    "numpy>=1.26",  # arrays of the readers and of `flow(image1, image2)`
    "opencv-python-headless>=4.8",  # images, and the classical method (DIS) that results are held against; no window
    "av>=15,<19",  # video: FFmpeg with its decoders; OpenCV 4.13 and 5.0 give unset memory for interlaced frames
    "pillow>=9.1",  # jpg, webp and bmp, of which it tells damage that OpenCV decodes in silence
    "safetensors>=0.4",  # weight files: whole, named, without code inside
    "rich>=13",  # tables and progress bars on the terminal
    "matplotlib>=3.8",  # plots and the report of a training run
    "wrapt>=1.11",  # registering the layers when Keras is imported, and not seconds earlier; TensorFlow needs it, too
    "platformdirs>=4",  # where a system keeps caches: the frames of videos
    "argcomplete>=3",  # completion of `tfflow` in a shell, imported only when one asks
]

EXTRAS = {
    # All GPUs of a machine: the CUDA libraries of the same TensorFlow.
    "gpu": ["tensorflow[and-cuda]>=2.15.1,<2.22"],
    # The environment of tensorflow-addons, whose last version needs TensorFlow 2.15: Python 3.10 or 3.11.
    "addons": ["tensorflow==2.15.1", "tf-keras==2.15.1", "tensorflow-addons==0.23.0"],
    "export": [
        "tensorflow-model-optimization>=0.8",  # quantization-aware training
        "ai-edge-litert>=2.3",  # running what was exported; the interpreter in TensorFlow is being removed
        "litert-quantizer>=0.11",  # integers in some of the operators, which TensorFlow's converter has not
        "jsonschema>=4.18",  # the manifest against its schema
    ],
    "spring": ["h5py>=3.8"],  # Spring's ground truth, .flo5, is HDF5
    "test": [
        "scenedetect>=0.6.4",  # what the shot cuts that are found are held against
        "pytest>=8",  # the runner
        "pytest-xdist>=3.7",  # on all cores at once
        "hypothesis>=6.100",  # damaged files and odd sizes that no one would think of
        "h5py>=3.8",  # .flo5 files to read
    ],
    "docs": [
        "pdoc>=15",  # pages of the API from the docstrings, in one call and without a configuration
    ],
    "dev": [
        "ruff>=0.8",  # lint and format
        "mypy>=1.13",  # types of the library
    ],
}

setup(
    name="tfflow",
    version=VERSION,
    description="Optical flow networks from your own video, without labels: train, measure, use, export to a phone",
    long_description=README.read_text("utf-8") if README.exists() else "",
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.10,<3.14",
    packages=find_packages(include=["tfflow", "tfflow.*"]),
    package_data={"tfflow": ["py.typed", "weights/*", "samples/*", "exporting/*.schema.json", "site/**"]},
    entry_points={"console_scripts": ["tfflow=tfflow.commands.main:main"]},
    install_requires=REQUIRED,
    extras_require=EXTRAS,
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Image Recognition",
    ],
)
