"""The frame stream: many frames of a series in one answer, in the order that a viewer wants them.

Frames are made in processes of their own (`process`), which start in a moment because nothing is imported here.
"""
