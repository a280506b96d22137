"""leaflet-tool: prepare, classify and counter-check archives of photographed leaflets, over Ludwig."""

__version__ = "0.1.0"
