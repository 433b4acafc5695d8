"""Frames and ground truth: data sets, videos and built-in scenes as sources, and files of images and flow."""

from tfflow.data.damage import Skipping
from tfflow.data.formats import read_flow, read_pfm, write_flo, write_flow, write_kitti_png, write_pfm
from tfflow.data.images import IMAGE_SUFFIXES, read_image, read_mask, write_image
from tfflow.data.records import Record, Records, Sample, Source
from tfflow.data.sources import KINDS, each_sample, open_source
from tfflow.data.video import VIDEO_SUFFIXES, VideoInfo, read_frames, video_info

__all__ = [
    "IMAGE_SUFFIXES",
    "KINDS",
    "VIDEO_SUFFIXES",
    "Record",
    "Records",
    "Sample",
    "Skipping",
    "Source",
    "VideoInfo",
    "each_sample",
    "open_source",
    "read_flow",
    "read_frames",
    "read_image",
    "read_mask",
    "read_pfm",
    "video_info",
    "write_flo",
    "write_flow",
    "write_image",
    "write_kitti_png",
    "write_pfm",
]
