"""The library under the commands: one typed function a file, arguments in, a result with `.table()` and `.save()` out.

`import tfflow` gives these functions; they print nothing unless `progress=True` asks for it.
"""
