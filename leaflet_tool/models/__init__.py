"""From a definition and a prepared folder to a trained, evaluated run."""
