// Draws one live chart. Rows come as messages from the kernel: all of the window once, then each new one.
// A value is a number, null where there is a gap, or false where its series was not due at that tick.

function plotly() {
  if (!globalThis.__kvmnb_plotly) {
    const made = {};
    made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
    globalThis.__kvmnb_plotly = made;
  }
  return globalThis.__kvmnb_plotly.promise;
}

// All charts of a page share one stretch of time; null: each follows its newest values.
const page = (globalThis.__kvmnb_zoom ??= { charts: new Set(), range: null });

const CLOCK = "%H:%M:%S";
const BUTTONS = [["zoom2d", "pan2d", "resetScale2d", "toImage"]];
const HEIGHTS = { 1: 330, 2: 450, 3: 600 };
const BETWEEN = 0.09;
// With more lines than this a legend would hide the chart, and a list of all values the page.
const MOST_NAMED = 24;

// plotly reads a few tags in any text; names of guests and devices are hostile.
const plain = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

// plotly shows a number as UTC, a text without a zone as it stands: the reader's own clock.
function clock(seconds) {
  const at = new Date(seconds * 1000);
  return new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, -1);
}

function dark() {
  const told = document.body.dataset.jpThemeLight;
  return told ? told === "false" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function shades(el) {
  const style = getComputedStyle(el);
  const colour = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  const text = colour("--jp-ui-font-color1", dark() ? "#e0e0e0" : "#212121");
  return {
    text,
    faint: colour("--jp-ui-font-color2", text),
    grid: colour("--jp-border-color2", dark() ? "#555555" : "#dddddd"),
    page: colour("--jp-layout-color1", dark() ? "#111111" : "#ffffff"),
    family: style.fontFamily,
  };
}

function marks(state, shade) {
  const across = { xref: "x", yref: "paper", y0: 0, y1: 1, layer: "below" };
  const begin = state.rows.length ? state.rows[0][0] : Infinity;
  const now = state.rows.length ? state.rows[state.rows.length - 1][0] : 0;
  const gaps = state.gaps.filter((gap) => (gap[1] ?? now) > begin).map((gap) => ({
    ...across, type: "rect", x0: clock(Math.max(gap[0], begin)), x1: clock(gap[1] ?? now), line: { width: 0 },
    fillcolor: shade.faint, opacity: 0.18,
  }));
  const events = state.events.filter((event) => event[0] > begin).map((event) => ({
    ...across, type: "line", x0: clock(event[0]), x1: clock(event[0]),
    line: { color: shade.text, width: 1, dash: "dot" },
    label: { text: plain(event[1].slice(0, 28)), textposition: "end", textangle: 0, xanchor: "right",
      yanchor: "top", font: { size: 11, color: shade.text } },
  }));
  return [...gaps, ...events];
}

function layout(spec, state, el) {
  const shade = shades(el);
  const count = spec.panels.length;
  const few = state.lines.filter((line) => line.legend).length <= MOST_NAMED;
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
    shapes: marks(state, shade),
    xaxis: {
      type: "date", anchor: count > 1 ? `y${count}` : "y", gridcolor: shade.grid, linecolor: shade.grid,
      tickformat: CLOCK, hoverformat: CLOCK,
      ...(page.range ? { range: page.range, autorange: false } : { autorange: true }),
    },
  };
  const height = (1 - BETWEEN * (count - 1)) / count;
  spec.panels.forEach((panel, number) => {
    const top = 1 - number * (height + BETWEEN);
    made[number ? `yaxis${number + 1}` : "yaxis"] = {
      domain: [Math.max(0, top - height), top], title: { text: panel.axis, standoff: 10 }, automargin: true, rangemode: "tozero",
      gridcolor: shade.grid, zerolinecolor: shade.grid, autorangeoptions: { include: [0, panel.least] },
      ticksuffix: panel.suffix, tickformat: panel.steps ? "~s" : "", hoverformat: panel.steps ? ".3~s" : ",.3~f",
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

async function render({ model, el }) {
  const spec = model.get("spec");
  el.innerHTML = `<figure class="kvmnb-live" role="figure"><p class="kvmnb-question"></p><p class="kvmnb-subject"></p>
    <div class="kvmnb-plot">Loading the chart …</div><figcaption><p class="kvmnb-caption"></p><ul class="kvmnb-marks"></ul>
    </figcaption></figure>`;
  const part = (name) => el.querySelector(`.kvmnb-${name}`);
  const plot = part("plot");
  part("live").setAttribute("aria-label", `${spec.question} ${spec.subject}, ${spec.note}`);
  part("question").textContent = spec.question;
  part("subject").textContent = `${spec.subject} · ${spec.note}`;
  if (spec.colour) {
    const swatch = document.createElement("span");
    swatch.className = "kvmnb-swatch";
    swatch.style.background = spec.colour;
    part("subject").prepend(swatch);
  }
  plot.style.height = `${HEIGHTS[spec.panels.length]}px`;

  let P = null;
  let fresh = 0;
  let seen = true;
  const state = { lines: [], rows: [], events: [], gaps: [] };

  // React keeps the reader's zoom (uirevision); it is for what is not just a few points more.
  function draw(anew) {
    if (!P || document.hidden || !seen) {
      fresh = anew ? Infinity : fresh;
      return;
    }
    if (anew || fresh >= state.rows.length) {
      P.react(plot, traces(state), layout(spec, state, plot));
    } else if (fresh) {
      const more = { x: [], y: [] };
      const most = { x: [], y: [] };
      const which = [];
      const newest = state.rows.slice(-fresh);
      state.lines.forEach((_, number) => {
        const { x, y } = points(newest, number + 1);
        if (!x.length) return;
        const kept = state.rows.reduce((sum, row) => sum + (row[number + 1] !== false), 0);
        which.push(number);
        for (const [key, values] of [["x", x], ["y", y]]) {
          more[key].push(values);
          most[key].push(kept);
        }
      });
      if (which.length) P.extendTraces(plot, more, which, most);
    }
    fresh = 0;
  }

  function tell() {
    const told = [
      ...state.gaps.map(([begin, end, why]) => [begin, `${clock(begin).slice(11, 19)} to ${end ? clock(end).slice(11, 19) : "now"}, no values: ${why}`]),
      ...state.events.map(([at, text]) => [at, `${clock(at).slice(11, 19)} ${text}`]),
    ];
    const newest = told.sort((one, other) => other[0] - one[0]).slice(0, 5);
    part("marks").replaceChildren(...newest.map(([, text]) => {
      const row = document.createElement("li");
      row.textContent = text;
      return row;
    }));
  }

  function take(message) {
    if (message.caption !== undefined) part("caption").textContent = message.caption;
    const marked = message.gaps !== undefined;
    if (marked) {
      Object.assign(state, { gaps: message.gaps, events: message.events });
      tell();
    }
    if (!message.rows) return;
    const all = message.lines !== undefined;
    if (all) state.lines = message.lines;
    const last = state.rows.length && !all ? state.rows[state.rows.length - 1][0] : -Infinity;
    const newer = message.rows.filter((row) => row[0] > last);
    state.rows = (all ? newer : state.rows.concat(newer)).slice(-spec.window);
    fresh += newer.length;
    draw(all || marked);
  }

  // The reader's zoom moves every chart of the page; a chart that was moved so tells nobody.
  function zoomed(change) {
    const range = change["xaxis.range"] ?? [change["xaxis.range[0]"], change["xaxis.range[1]"]];
    if (change["xaxis.autorange"]) page.range = null;
    else if (range[0] !== undefined) page.range = range;
    else return;
    for (const other of page.charts) if (other !== link) other();
  }
  const link = () => {
    if (!P) return;
    const same = String(plot.layout.xaxis.range) === String(page.range);
    if (page.range ? same : plot.layout.xaxis.autorange) return;
    P.relayout(plot, page.range ? { "xaxis.range": [...page.range] } : { "xaxis.autorange": true });
  };

  const theme = new MutationObserver(() => requestAnimationFrame(() => draw(true)));
  const sight = new IntersectionObserver((entries) => {
    seen = entries[entries.length - 1].isIntersecting;
    draw(false);
  });
  const shown = () => draw(false);
  const size = new ResizeObserver(() => P && plot.offsetWidth && P.Plots.resize(plot));
  model.on("msg:custom", take);
  document.addEventListener("visibilitychange", shown);

  plotly().then(
    async (found) => {
      plot.textContent = "";
      const bar = { displaylogo: false, responsive: false, modeBarButtons: BUTTONS };
      await found.newPlot(plot, traces(state), layout(spec, state, plot), bar);
      P = found;
      page.charts.add(link);
      plot.on("plotly_relayout", zoomed);
      theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-name", "data-jp-theme-light"] });
      sight.observe(el);
      size.observe(plot);
      if (model.get("frozen")) take(model.get("frozen"));
      model.send({ kind: "ready" });
    },
    (problem) => {
      plot.textContent = `The chart cannot be drawn: ${problem}`;
    },
  );

  return () => {
    model.off("msg:custom", take);
    document.removeEventListener("visibilitychange", shown);
    theme.disconnect();
    sight.disconnect();
    size.disconnect();
    page.charts.delete(link);
    if (!page.charts.size) page.range = null;
    if (P) P.purge(plot);
    P = null;
  };
}

export default { render };
