"""From an archive to a prepared folder: sources, working copies, text, labels, splits and the recipe joining them."""
