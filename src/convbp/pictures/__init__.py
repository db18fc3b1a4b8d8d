"""The pictures: what is to be seen (scene), how it looks (drawing, svg, colours), and the widget that shows it."""
