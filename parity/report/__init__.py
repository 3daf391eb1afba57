"""One page that shows everything side by side. NumPy, Matplotlib, plotly, Jinja2."""
