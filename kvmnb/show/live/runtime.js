// Brings plotly.js to the page once; every live chart waits for this promise.
function shared() {
  if (!globalThis.__kvmnb_plotly) {
    const made = {};
    made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
    globalThis.__kvmnb_plotly = made;
  }
  return globalThis.__kvmnb_plotly;
}

async function inflate(base64) {
  const packed = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

const made = shared();
if (!made.started) {
  made.started = true;
  try {
    const found = { exports: {} };
    // As a CommonJS module, since an AMD loader on the page would take the library for itself.
    new Function("module", "exports", await inflate("__PACKED__"))(found, found.exports);
    made.resolve(found.exports);
  } catch (problem) {
    made.reject(problem);
  }
}

export default { render() {} };
