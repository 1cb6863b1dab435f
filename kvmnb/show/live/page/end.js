const known = (globalThis.__kvmnb_live ??= {});
(known["__VERSION__"] ??= Promise.withResolvers()).resolve(render);

// A tick of all charts comes as one message, each part with the address of its chart.
export default {
  initialize({ model }) {
    model.on("msg:custom", ({ post }) => {
      for (const [address, message] of post) for (const take of page.takes.get(address) ?? []) take(message);
    });
  },
  render() {},
};
