// Elements of the page, made from values: text goes in as text, never as HTML.

/** An element with attributes (`onclick` and its kin take functions) and children. */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(key.slice(2), value);
    else if (value !== false && value !== null) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

export function button(text, onclick, attributes = {}) {
  return element("button", { type: "button", onclick, ...attributes }, text);
}

/** A button that opens files; it also takes the keyboard. */
export function fileButton(text, accept, onFile) {
  const input = element("input", { type: "file", accept, class: "hidden-input" });
  input.addEventListener("change", () => {
    if (input.files[0]) onFile(input.files[0]);
    input.value = "";
  });
  return element("label", { class: "button" }, input, text);
}

/** A labelled slider or number: {row, value()}. */
export function numberField(label, { type = "range", onchange = () => {}, ...attributes }) {
  const input = element("input", { type, "aria-label": label, ...attributes }); // else the name would hold the value
  const shown = element("output", {}, type === "range" ? String(attributes.value) : "");
  input.addEventListener("input", () => {
    if (type === "range") shown.textContent = input.value;
    onchange();
  });
  return {
    row: element("label", { class: "field" }, element("span", {}, label), input, shown),
    value: () => Number(input.value),
  };
}

/** A labelled choice: {row, value()}. */
export function choiceField(label, options) {
  const select = element("select", {}, ...options.map((option) => element("option", { value: option }, option)));
  return { row: element("label", { class: "field" }, element("span", {}, label), select), value: () => select.value };
}

export function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

/** A list of labels with their shares as bars. */
export function bars(rows) {
  return element(
    "ol",
    { class: "bars" },
    ...rows.map(({ label, share, colour }) => {
      const bar = element("span", { class: "bar", "aria-hidden": "true" });
      bar.style.width = `${100 * Math.min(Math.max(share, 0), 1)}%`;
      if (colour) bar.style.background = colour;
      return element(
        "li",
        {},
        element("span", { class: "label" }, label),
        element("span", { class: "share" }, percent(share)),
        element("span", { class: "track", "aria-hidden": "true" }, bar),
      );
    }),
  );
}

/** Calls `onFile` with a file that is dropped or pasted anywhere on the page. */
export function onDroppedFile(onFile) {
  const body = document.body;
  body.addEventListener("dragover", (event) => {
    event.preventDefault();
    body.classList.add("dropping");
  });
  body.addEventListener("dragleave", () => body.classList.remove("dropping"));
  body.addEventListener("drop", (event) => {
    event.preventDefault();
    body.classList.remove("dropping");
    if (event.dataTransfer.files[0]) onFile(event.dataTransfer.files[0]);
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData?.files[0]) onFile(event.clipboardData.files[0]);
  });
}
