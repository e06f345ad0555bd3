// What the page in Chromium can be asked, as `zoo`: files come and go in parts of base64, arrays are such files.
globalThis.zoo = (() => {
  const files = new Map();
  let sessions;

  const file = async (name) => {
    const bytes = new Uint8Array(await new Blob(files.get(name)).arrayBuffer());
    files.delete(name);
    return bytes;
  };
  const moduleOf = async (name) => import(URL.createObjectURL(new Blob([await file(name)], { type: "text/javascript" })));

  return {
    put: async ({ name, part }) => {
      const answer = await fetch(`data:application/octet-stream;base64,${part}`);
      files.set(name, [...(files.get(name) ?? []), await answer.arrayBuffer()]);
      return {};
    },

    take: async ({ name, start, size }) => {
      const reader = new FileReader();
      const read = new Promise((resolve) => reader.addEventListener("load", resolve));
      reader.readAsDataURL(new Blob(files.get(name)).slice(start, start + size));
      await read;
      return { part: reader.result.slice(reader.result.indexOf(",") + 1) };
    },

    start: async () => {
      const ort = await moduleOf("runtime.mjs");
      ort.env.wasm.numThreads = 1; // more of them need a server that isolates the page
      ort.env.wasm.wasmBinary = await file("runtime.wasm");
      ort.env.logLevel = "error";
      sessions = (await moduleOf("sessions.mjs")).sessionsOf(ort);
      return { version: ort.env.versions.web, browser: navigator.userAgent };
    },

    open: async ({ beside }) => {
      const external = beside.map(async (path) => ({ path, data: await file(path) }));
      return sessions.open(await file("model"), await Promise.all(external));
    },

    close: async ({ session }) => {
      await sessions.close(session);
      return {};
    },

    run: async ({ session, feeds }) => {
      const given = feeds.map(async (feed) => ({ ...feed, bytes: await file(feed.name) }));
      const answers = await sessions.run(session, await Promise.all(given));
      return {
        answers: answers.map(({ bytes, ...answer }, index) => {
          files.set(`out-${index}`, [new Blob([bytes])]);
          return { ...answer, file: `out-${index}`, size: bytes.length };
        }),
      };
    },
  };
})();
