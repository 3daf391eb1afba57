// Draws every plot when it comes into view, in the colours of light or dark mode.
"use strict";
const page = JSON.parse(document.getElementById("plots").textContent);
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function coloured(value, palette) {
  if (typeof value === "string") {
    return value.startsWith("palette:") ? palette[value.slice("palette:".length)] : value;
  }
  if (Array.isArray(value)) return value.map((item) => coloured(item, palette));
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, coloured(v, palette)]));
  }
  return value;
}

function draw(place) {
  const figure = coloured(page.figures[place.id], dark.matches ? page.dark : page.light);
  if (place.clientWidth < 480) {
    for (const trace of figure.data) {
      if (trace.type === "heatmap") trace.showscale = false;
    }
    figure.layout.font.size = 11;
    for (const note of figure.layout.annotations || []) note.font = { size: 10 };
  }
  place.dataset.drawn = "yes";
  return Plotly.react(place, figure.data, figure.layout, {
    responsive: true,
    displaylogo: false,
    modeBarButtonsToRemove: ["select2d", "lasso2d"],
  });
}

const places = [...document.querySelectorAll(".plot")];
const watcher = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting && !entry.target.dataset.drawn) draw(entry.target);
    }
  },
  { rootMargin: "600px" },
);
places.forEach((place) => watcher.observe(place));
dark.addEventListener("change", () => places.filter((p) => p.dataset.drawn).forEach(draw));
