"use strict";
// Adds to a page that is whole without it: sorting, filters, a cell over the page, copying; all of it in the address.
(() => {
  const root = document.documentElement;
  const state = new URLSearchParams();
  const make = (name, properties, ...children) => {
    const node = Object.assign(document.createElement(name), properties);
    node.append(...children);
    return node;
  };

  // The address: #cell=…&sort.TABLE=2d&find.TABLE=…&theme=dark, or a plain #section, as it is without scripts.
  const keep = (name, value, push = false) => {
    if (value) state.set(name, value);
    else state.delete(name);
    history[push ? "pushState" : "replaceState"](null, "", `#${state}`);
  };
  const read = () => {
    const text = location.hash.slice(1);
    const given = new URLSearchParams(text.includes("=") ? text : "");
    if (text && !text.includes("=")) given.set(text.startsWith("cell-") ? "cell" : "at", text);
    for (const name of [...state.keys()]) state.delete(name);
    for (const [name, value] of given) state.set(name, value);
  };

  // Tables.
  const value = (row, column) => {
    const cell = row.cells[column];
    const text = cell.dataset.value ?? cell.textContent.replaceAll(",", "");
    const number = /^-?inf/.test(text) ? (text[0] === "-" ? -Infinity : Infinity) : parseFloat(text);
    return Number.isNaN(number) ? null : number;
  };
  const ordered = (rows, column, numeric, down) => {
    const sign = down ? -1 : 1;
    const text = (row) => row.cells[column].textContent;
    return [...rows].sort((one, two) => {
      if (!numeric) return sign * text(one).localeCompare(text(two), "en", { numeric: true });
      const [a, b] = [value(one, column), value(two, column)];
      if (a === null || b === null) return (a === null) - (b === null);
      return a === b ? 0 : sign * (a < b ? -1 : 1);
    });
  };
  const interactive = (table) => {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    const texts = rows.map((row) => row.textContent.toLowerCase());
    const key = table.id;
    const sort = (column, down) => {
      heads.forEach((head, number) => {
        if (number === column) head.setAttribute("aria-sort", down ? "descending" : "ascending");
        else head.removeAttribute("aria-sort");
      });
      const numeric = column >= 0 && heads[column].classList.contains("number");
      body.append(...(column < 0 ? rows : ordered(rows, column, numeric, down)));
    };
    heads.forEach((head, column) => {
      const numeric = head.classList.contains("number");
      const button = make("button", { type: "button" }, ...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const now = state.get(`sort.${key}`);
        const [first, second] = numeric ? ["d", "a"] : ["a", "d"];
        const next = now === column + first ? column + second : now === column + second ? "" : column + first;
        keep(`sort.${key}`, next);
        apply();
      });
    });
    const input = make("input", { type: "search", placeholder: "words that a row contains" });
    const told = make("span", {});
    told.setAttribute("role", "status");
    const caption = table.caption.textContent;
    if (table.classList.contains("long")) {
      input.setAttribute("aria-label", `Filter: ${caption}`);
      table.parentElement.before(make("div", { className: "filter" }, make("span", { ariaHidden: "true" }, "Filter"), input, told));
      input.addEventListener("input", () => {
        keep(`find.${key}`, input.value);
        filter(input.value);
      });
    }
    const filter = (words) => {
      const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
      let count = 0;
      rows.forEach((row, number) => {
        row.hidden = !wanted.every((word) => texts[number].includes(word));
        count += !row.hidden;
      });
      told.textContent = `${count} of ${rows.length} rows`;
    };
    const apply = () => {
      const by = /^(\d+)([ad])$/.exec(state.get(`sort.${key}`) ?? "");
      const column = by && Number(by[1]) < heads.length ? Number(by[1]) : -1;
      sort(column, by?.[2] === "d");
      const words = state.get(`find.${key}`) ?? "";
      if (input.value !== words) input.value = words;
      filter(words);
    };
    return apply;
  };
  const tables = [...document.querySelectorAll("table.grid")].map(interactive);

  // Copying.
  const copied = async (pre, button, text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      getSelection().selectAllChildren(pre);
      document.execCommand("copy");
    }
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 2000);
  };
  for (const pre of document.querySelectorAll("pre.copied")) {
    pre.append(make("button", { type: "button", className: "copy" }, "Copy"));
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.copy");
    if (button) copied(button.parentElement, button, button.parentElement.firstChild.textContent);
  });

  // A cell, over the page: closed by Escape, by its button and by going back.
  const title = make("h2", { id: "row-title" });
  const close = make("button", { type: "button" }, "Close");
  const inside = make("div", {});
  const dialog = make("dialog", {}, make("header", {}, title, close), inside);
  dialog.setAttribute("aria-labelledby", "row-title");
  document.body.append(dialog);
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => state.get("cell") && keep("cell", ""));
  const show = (name) => {
    const source = name && document.getElementById(name);
    if (!source || !source.closest("details.cell")) return dialog.open && dialog.close();
    const summary = source.closest("details").querySelector("summary");
    title.replaceChildren(...[...summary.childNodes].map((node) => node.cloneNode(true)));
    inside.replaceChildren(...[...source.childNodes].map((node) => node.cloneNode(true)));
    inside.dataset.row = source.dataset.row;
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
  };
  const reveal = (name) => {
    const target = document.getElementById(name);
    for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
    target?.scrollIntoView();
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const name = link.getAttribute("href").slice(1);
    if (name.startsWith("cell-")) {
      keep("cell", name, true);
      show(name);
    } else {
      state.delete("cell");
      if (dialog.open) dialog.close();
      keep("at", name, true);
      reveal(name);
    }
  });

  // Light and dark: the system's, until it is chosen.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = make("button", { type: "button", id: "theme" });
  const lit = () => {
    const chosen = ["light", "dark"].includes(state.get("theme")) ? state.get("theme") : "";
    if (chosen) root.dataset.theme = chosen;
    else delete root.dataset.theme;
    theme.textContent = (chosen || (dark.matches ? "dark" : "light")) === "dark" ? "Light" : "Dark";
  };
  theme.setAttribute("aria-label", "Switch between light and dark");
  theme.addEventListener("click", () => {
    keep("theme", theme.textContent.toLowerCase());
    lit();
  });
  dark.addEventListener("change", lit);
  document.querySelector("body > header").append(theme);

  const apply = () => {
    read();
    lit();
    tables.forEach((table) => table());
    show(state.get("cell"));
  };
  addEventListener("popstate", apply);
  apply();
  if (state.get("at")) reveal(state.get("at"));
})();
