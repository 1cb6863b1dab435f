// Draws one live chart. Rows come as messages from the kernel: all of the window once, then each new one.
const PANELS = { 1: "y", 2: "y2" };

function plotly() {
  if (!globalThis.__kvmnb_plotly) {
    const made = {};
    made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
    globalThis.__kvmnb_plotly = made;
  }
  return globalThis.__kvmnb_plotly.promise;
}

const CLOCK = "%H:%M:%S";
const BUTTONS = [["zoom2d", "pan2d", "resetScale2d", "toImage"]];

// plotly shows a number as UTC, a text without a zone as it stands: the reader's own clock.
function clock(seconds) {
  const at = new Date(seconds * 1000);
  return new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, -1);
}

function dark() {
  const told = document.body.dataset.jpThemeLight;
  return told ? told === "false" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function layout(spec, el) {
  const style = getComputedStyle(el);
  const colour = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  const text = colour("--jp-ui-font-color1", dark() ? "#e0e0e0" : "#212121");
  const faint = colour("--jp-ui-font-color2", text);
  const grid = colour("--jp-border-color2", dark() ? "#555555" : "#dddddd");
  const page = colour("--jp-layout-color1", dark() ? "#111111" : "#ffffff");
  const y = { ticksuffix: " %", gridcolor: grid, zerolinecolor: grid, automargin: true, rangemode: "tozero" };
  return {
    uirevision: "kept",
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: text, size: 12, family: style.fontFamily },
    margin: { l: 64, r: 12, t: 32, b: 44 },
    hovermode: "x unified",
    hoversubplots: "axis",
    modebar: { bgcolor: "rgba(0,0,0,0)", color: faint, activecolor: text },
    hoverlabel: { bgcolor: page, bordercolor: grid, font: { color: text } },
    legend: { orientation: "h", x: 0, y: 0, yref: "container", yanchor: "bottom" },
    xaxis: { type: "date", anchor: "y2", gridcolor: grid, linecolor: grid, tickformat: CLOCK, hoverformat: CLOCK },
    yaxis: { ...y, domain: [0.46, 1], title: { text: spec.axes[0] }, autorangeoptions: { include: [0, 100] } },
    yaxis2: { ...y, domain: [0, 0.38], title: { text: spec.axes[1] }, autorangeoptions: { include: [0, 5] } },
  };
}

function lines(spec, rows) {
  const x = rows.map((row) => clock(row[0]));
  return spec.traces.map((trace, number) => ({
    type: "scatter", mode: "lines", name: trace.subject, x, y: rows.map((row) => row[1 + number]),
    yaxis: PANELS[trace.panel], connectgaps: false, hovertemplate: `${trace.verb} %{y:.1f} %`,
    showlegend: trace.legend, legendgroup: trace.subject,
    line: { color: trace.colour[dark() ? 1 : 0], dash: trace.dash, width: 2 },
  }));
}

async function render({ model, el }) {
  const spec = model.get("spec");
  el.innerHTML = `<figure class="kvmnb-live" role="figure"><p class="kvmnb-question"></p><p class="kvmnb-subject"></p>
    <div class="kvmnb-plot">Loading the chart …</div><figcaption class="kvmnb-caption"></figcaption></figure>`;
  const part = (name) => el.querySelector(`.kvmnb-${name}`);
  const plot = part("plot");
  part("live").setAttribute("aria-label", `${spec.question} ${spec.subject}, ${spec.note}`);
  part("question").textContent = spec.question;
  part("subject").textContent = `${spec.subject} · ${spec.note}`;

  let P = null;
  let rows = [];
  let fresh = 0;
  let seen = true;

  // React keeps the reader's zoom (uirevision); it is for what is not just a few points more.
  function draw(anew) {
    if (!P || document.hidden || !seen) {
      fresh = anew ? Infinity : fresh;
      return;
    }
    if (anew || fresh >= rows.length) {
      P.react(plot, lines(spec, rows), layout(spec, plot));
    } else if (fresh) {
      const more = lines(spec, rows.slice(-fresh));
      const every = more.map((_, number) => number);
      P.extendTraces(plot, { x: more.map((one) => one.x), y: more.map((one) => one.y) }, every, spec.window);
    }
    fresh = 0;
  }
  function take(message) {
    if (message.caption !== undefined) part("caption").textContent = message.caption;
    if (!message.rows) return;
    const last = rows.length && !message.all ? rows[rows.length - 1][0] : -Infinity;
    const newer = message.rows.filter((row) => row[0] > last);
    rows = (message.all ? newer : rows.concat(newer)).slice(-spec.window);
    fresh += newer.length;
    draw(message.all);
  }

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
      await found.newPlot(plot, lines(spec, rows), layout(spec, plot), bar);
      P = found;
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
    if (P) P.purge(plot);
    P = null;
  };
}

export default { render };
