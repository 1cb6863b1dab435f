// The engine for charts of a few lines.
const CLOCK = "%H:%M:%S";
// Closer than a second, or two ticks would say the same.
const FINE_CLOCK = [{ dtickrange: [null, 999], value: "%H:%M:%S.%1f" }];
const BUTTONS = [["zoom2d", "pan2d", "resetScale2d", "toImage"]];
const BETWEEN = 0.09;

function shapes(state, shade) {
  const across = { xref: "x", yref: "paper", y0: 0, y1: 1, layer: "below" };
  const { gaps, events } = marked(state);
  return [
    ...gaps.map(([begin, end]) => ({
      ...across, type: "rect", x0: clock(begin), x1: clock(end), line: { width: 0 }, fillcolor: shade.faint, opacity: 0.18,
    })),
    ...events.map(([at, text]) => ({
      ...across, type: "line", x0: clock(at), x1: clock(at), line: { color: shade.text, width: 1, dash: "dot" },
      label: { text: plain(text.slice(0, 28)), textposition: "end", textangle: 0, xanchor: "right", yanchor: "top",
        font: { size: 11, color: shade.text } },
    })),
  ];
}

function layout(spec, state, el) {
  const shade = shades(el);
  const count = spec.panels.length;
  const few = state.lines.filter((line) => line.legend).length <= MOST_NAMED;
  const range = page.range && page.range.map(clock);
  const made = {
    uirevision: "kept",
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: shade.text, size: 12, family: shade.family },
    margin: { l: 72, r: 12, t: 32, b: 44 },
    hovermode: few ? "x unified" : "closest",
    hoversubplots: "axis",
    showlegend: few,
    modebar: { bgcolor: "rgba(0,0,0,0)", color: shade.faint, activecolor: shade.text },
    hoverlabel: { bgcolor: shade.page, bordercolor: shade.grid, font: { color: shade.text }, namelength: 40 },
    legend: { orientation: "h", x: 0, y: 0, yref: "container", yanchor: "bottom" },
    shapes: shapes(state, shade),
    xaxis: {
      type: "date", anchor: count > 1 ? `y${count}` : "y", gridcolor: shade.grid, linecolor: shade.grid,
      tickformat: CLOCK, tickformatstops: FINE_CLOCK, hoverformat: CLOCK, ...(range ? { range, autorange: false } : { autorange: true }),
    },
  };
  const height = (1 - BETWEEN * (count - 1)) / count;
  spec.panels.forEach((panel, number) => {
    const top = 1 - number * (height + BETWEEN);
    made[number ? `yaxis${number + 1}` : "yaxis"] = {
      domain: [Math.max(0, top - height), top], title: { text: panel.axis, standoff: 10 }, automargin: true,
      gridcolor: shade.grid, zerolinecolor: shade.grid, autorangeoptions: { include: [0, panel.least] },
      rangemode: "tozero", ticksuffix: panel.suffix, tickformat: panel.steps ? "~s" : "",
      // Half of a request is no 500 milli-requests.
      tickformatstops: panel.steps ? [{ dtickrange: [null, 0.999], value: ".3~f" }] : [],
      hoverformat: panel.steps ? ".3~s" : ",.3~f",
    };
  });
  return made;
}

// The points of one line: its gaps are kept, what was not due is left out.
function points(rows, column) {
  const x = [];
  const y = [];
  for (const row of rows) {
    const value = row[column];
    if (value === false || value === undefined) continue;
    x.push(clock(row[0]));
    y.push(value);
  }
  return { x, y };
}

function traces(state) {
  return state.lines.map((line, number) => ({
    type: "scatter", mode: "lines", name: plain(line.label), ...points(state.rows, number + 1),
    yaxis: line.panel > 1 ? `y${line.panel}` : "y", connectgaps: false,
    hovertemplate: `${line.verb} %{y}`, showlegend: line.legend, legendgroup: plain(line.label),
    line: { color: line.colour[dark() ? 1 : 0], dash: line.dash, width: 2 },
  }));
}

async function plotlyEngine(plot, spec, state) {
  const P = await plotly();
  const bar = { displaylogo: false, responsive: false, modeBarButtons: BUTTONS };
  plot.textContent = "";
  await P.newPlot(plot, traces(state), layout(spec, state, plot), bar);
  const link = () => {
    const range = page.range && page.range.map(clock);
    if (range ? String(plot.layout.xaxis.range) === String(range) : plot.layout.xaxis.autorange) return;
    P.relayout(plot, range ? { "xaxis.range": range } : { "xaxis.autorange": true });
  };
  // The reader's zoom moves every chart of the page; a chart that was moved so finds nothing to tell.
  plot.on("plotly_relayout", (change) => {
    if (change["xaxis.autorange"]) {
      if (page.range) share(null, link);
      return;
    }
    const range = change["xaxis.range"] ?? [change["xaxis.range[0]"], change["xaxis.range[1]"]];
    if (range[0] === undefined) return;
    const told = range.map(seconds);
    if (String(told) !== String(page.range)) share(told, link);
  });
  page.charts.add(link);
  return {
    dense: false,
    // React keeps the reader's zoom (uirevision); it is for what is not just a few points more.
    draw: (anew) => anew && P.react(plot, traces(state), layout(spec, state, plot)),
    more(fresh) {
      const points_ = state.lines.map((_, number) => points(state.rows.slice(-fresh), number + 1));
      const which = [...points_.keys()].filter((number) => points_[number].x.length);
      if (!which.length) return;
      const most = which.map((number) => state.rows.reduce((sum, row) => sum + (row[number + 1] !== false), 0));
      const data = { x: which.map((number) => points_[number].x), y: which.map((number) => points_[number].y) };
      P.extendTraces(plot, data, which, { x: most, y: most });
    },
    resize: () => plot.offsetWidth && P.Plots.resize(plot),
    destroy() {
      page.charts.delete(link);
      P.purge(plot);
    },
  };
}
