"""Small pictures of series: the middle image in its window, made in a process of their own and kept.

A file is a stranger's. Orthanc's process moves its bytes and looks at none of them: decoding happens in a process
(`process`) that has no secret, no network and no file of its own to open, a bounded memory and a bounded time. It
starts in a moment because nothing is imported here.
"""
