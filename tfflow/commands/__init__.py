"""The commands: options in, one typed function of the library called, its result printed. No logic of its own."""
