// Draws one live chart. Rows come as messages from the kernel: all of the window once, then each new one.
// A value is a number, null where there is a gap, or false where its series was not due at that tick.
const FRAME = `<figure class="kvmnb-live" role="figure">
  <div class="kvmnb-head"><p class="kvmnb-question"></p>
  <label class="kvmnb-save">Save <select><option value="">as …</option><option value="png">PNG</option>
  <option value="svg">SVG</option><option value="html">HTML</option><option value="csv">CSV</option></select></label></div>
  <p class="kvmnb-subject"></p><div class="kvmnb-plot">Loading the chart …</div>
  <figcaption><p class="kvmnb-caption"></p><ul class="kvmnb-marks"></ul></figcaption></figure>`;
// From so many lines on, what draws them on a canvas takes a small part of plotly's time.
const MANY_LINES = 20;

async function render({ model, el }) {
  const spec = model.get("spec");
  el.innerHTML = FRAME;
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

  let engine = null;
  let gone = false;
  let making = false;
  let fresh = 0;
  let seen = true;
  const state = { lines: [], rows: [], events: [], gaps: [] };

  function draw(anew) {
    if (!engine || making || document.hidden || !seen) {
      fresh = anew ? Infinity : fresh;
      return;
    }
    if (engine.dense !== state.lines.length >= MANY_LINES) {
      make();
      return;
    }
    if (anew || fresh >= state.rows.length) engine.draw(true);
    else if (fresh) engine.more(fresh);
    fresh = 0;
  }

  async function make() {
    making = true;
    engine?.destroy();
    engine = null;
    const made = await (state.lines.length >= MANY_LINES ? uplotEngine : plotlyEngine)(plot, spec, state);
    if (gone) made.destroy();
    else engine = made;
    making = false;
    draw(true);
  }

  function tell() {
    const words = [
      ...state.gaps.map(([from, to, why]) => [from, `${shortClock(from)} to ${to ? shortClock(to) : "now"}, no values: ${why}`]),
      ...state.events.map(([at, text]) => [at, `${shortClock(at)} ${text}`]),
    ];
    const newest = words.sort((one, other) => other[0] - one[0]).slice(0, NEWEST_MARKS);
    part("marks").replaceChildren(...newest.map(([, text]) => {
      const row = document.createElement("li");
      row.textContent = text;
      return row;
    }));
  }

  function take(message) {
    if (message.file !== undefined) download(`${spec.file}.html`, message.file, "text/html");
    if (message.caption !== undefined) part("caption").textContent = message.caption;
    const marks = message.gaps !== undefined;
    if (marks) {
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
    draw(all || marks);
  }

  // One chart's fault is not that of the others in the same message.
  function carefully(message) {
    try {
      take(message);
    } catch (problem) {
      console.error(`the chart of ${spec.subject}:`, problem);
    }
  }

  const menu = el.querySelector("select");
  menu.addEventListener("change", () => {
    const kind = menu.value;
    menu.value = "";
    if (kind) save(kind, spec, state, plot, model);
  });
  const theme = new MutationObserver(() => requestAnimationFrame(() => draw(true)));
  const sight = new IntersectionObserver((entries) => {
    seen = entries[entries.length - 1].isIntersecting;
    draw(false);
  });
  const shown = () => draw(false);
  const size = new ResizeObserver(() => engine?.resize());
  const takes = page.takes.get(spec.address) ?? new Set();
  page.takes.set(spec.address, takes.add(carefully));
  document.addEventListener("visibilitychange", shown);
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-name", "data-jp-theme-light"] });
  sight.observe(el);
  size.observe(plot);
  if (model.get("frozen")) take(model.get("frozen"));
  model.send({ kind: "ready" });
  make().catch((problem) => {
    plot.textContent = `The chart cannot be drawn: ${problem}`;
  });

  return () => {
    gone = true;
    takes.delete(carefully);
    if (!takes.size) page.takes.delete(spec.address);
    document.removeEventListener("visibilitychange", shown);
    theme.disconnect();
    sight.disconnect();
    size.disconnect();
    engine?.destroy();
    engine = null;
    if (!page.charts.size) page.range = null;
  };
}
