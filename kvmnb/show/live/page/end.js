const known = (globalThis.__kvmnb_live ??= {});
(known["__VERSION__"] ??= Promise.withResolvers()).resolve(render);

export default { render() {} };
