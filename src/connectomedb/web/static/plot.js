// A series as a line, drawn by uPlot.

let shown = null;

// The plot is as wide as the page allows, also when the window changes.
const sizes = new ResizeObserver(([frame]) => {
  const width = Math.floor(frame.contentRect.width);
  if (shown && width && width !== shown.width) shown.setSize({ width, height: shown.height });
});

export async function drawPlot(where, series) {
  const { default: Plot } = await import("./vendor/uplot.js");
  const step = series.step_s || 1;
  const times = series.values.map((_, frame) => series.start_s + frame * step);
  const options = {
    width: Math.max(where.parentElement.clientWidth, 200),
    height: 220,
    scales: { x: { time: false } },
    axes: [{ label: series.step_s ? "seconds" : "frame" }, { size: 70 }],
    series: [{ label: series.step_s ? "seconds" : "frame" }, { label: "value", stroke: "#0b5cad", width: 1.5 }],
    legend: { live: true },
  };
  shown?.destroy();
  shown = new Plot(options, [times, series.values], where);
  sizes.disconnect();
  sizes.observe(where.parentElement);
}
