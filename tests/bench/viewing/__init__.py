"""What the viewer's benchmark is put together from: a filled instance, a line with a rate, the three ways, a crowd."""
