"""Charts as plain JSON, drawn in the browser by plotly.js."""
