// What the review's pages do beyond their forms and links: keys, zoom, a search over classes, and answers that are
// waited for. Without this file everything can still be decided. A decision counts once the server has answered;
// until then it is sent again, with the same `once`, so that it is recorded one time however often it arrives.
"use strict";
(() => {
  const STEPS = [1, 1.5, 2, 3, 4, 6];
  const WAITS = [500, 1000, 2000, 3000];
  const page = () => document.getElementById("page");
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const later = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  const bare = (url) => url.split("#")[0];
  let busy = false, leaf = 0, zoom = 0, shown = bare(location.href);

  document.documentElement.classList.add("js");

  // --- asking the server ---------------------------------------------------------------------------------------

  async function answer(url, options) {
    for (let turn = 0; ; turn += 1) {
      try {
        const response = await fetch(url, { credentials: "omit", ...options });
        const text = await response.text();
        trouble("");
        return { response, text };
      } catch {
        const what = options.method === "POST" ? "Nothing is recorded yet: the" : "The";
        trouble(`${what} server does not answer. Trying again …`);
        await later(WAITS[Math.min(turn, WAITS.length - 1)]);
      }
    }
  }

  function trouble(words) {
    const place = document.getElementById("trouble");
    place.hidden = !words;
    if (place.textContent !== words) place.textContent = words;
  }

  async function visit(url, options = {}, push = true) {
    if (busy) return;
    busy = true;
    page().setAttribute("aria-busy", "true");
    const { response, text } = await answer(url, options);
    busy = false;
    page().removeAttribute("aria-busy");
    const found = new DOMParser().parseFromString(text, "text/html");
    const problem = response.status >= 500 && found.querySelector(".problem");
    if (problem) {
      trouble(problem.textContent);
      return;
    }
    if (!found.getElementById("page")) {
      const what = options.method === "POST" ? "Nothing was recorded: the" : "The";
      trouble(`${what} server refused (${response.status}). Reload the page.`);
      return;
    }
    document.title = found.title;
    page().replaceChildren(...found.getElementById("page").childNodes);
    if (push && response.url !== location.href) history.pushState(null, "", response.url);
    shown = bare(response.url);
    begin();
    window.scrollTo(0, 0);
    const said = document.querySelector("[data-say]");
    const title = document.getElementById("title");
    document.getElementById("live").textContent = [said && said.dataset.say, title && title.textContent].filter(Boolean).join(". ");
    const typed = document.querySelector("details[open] [data-search]");  // what was typed there was refused
    if (typed || title) (typed || title).focus({ preventScroll: true });
    if (typed) typed.select();
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-post]")) return;
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form, event.submitter));
    visit(form.action, { method: "POST", body });
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-visit]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    visit(link.href);
  });

  window.addEventListener("popstate", () => {
    if (bare(location.href) !== shown) visit(location.href, {}, false);
  });

  // --- pages of a leaflet, and how large they are ---------------------------------------------------------------

  function show(number) {
    const leaves = all(".leaves .leaf");
    if (!leaves.length) return;
    leaf = Math.max(0, Math.min(leaves.length - 1, number));
    leaves.forEach((each, place) => each.classList.toggle("shown", place === leaf));
    all(".words").forEach((each) => each.classList.toggle("shown", Number(each.dataset.words) === leaf + 1));
    all("[data-leaf]").forEach((tab, place) => {
      if (place === leaf) tab.setAttribute("aria-current", "true");
      else tab.removeAttribute("aria-current");
    });
    const name = document.getElementById("leaf-name");
    if (name) name.textContent = leaves[leaf].dataset.name;
    enlarge(zoom);
  }

  function enlarge(step) {
    zoom = Math.max(0, Math.min(STEPS.length - 1, step));
    const factor = STEPS[zoom];
    for (const pane of all(".pane:not(.paper)")) {
      const image = pane.querySelector("img");
      const middle = [
        (pane.scrollLeft + pane.clientWidth / 2) / Math.max(pane.scrollWidth, 1),
        (pane.scrollTop + pane.clientHeight / 2) / Math.max(pane.scrollHeight, 1),
      ];
      image.style.width = "";
      pane.classList.remove("enlarged");
      image.classList.toggle("small", image.naturalWidth > 0 && image.naturalWidth < 240);
      if (zoom && image.clientWidth) {
        const width = image.clientWidth * factor;
        pane.classList.add("enlarged");
        image.style.width = `${width}px`;
        pane.scrollTo(middle[0] * pane.scrollWidth - pane.clientWidth / 2, middle[1] * pane.scrollHeight - pane.clientHeight / 2);
      }
    }
    const told = document.getElementById("zoom");
    if (told) told.textContent = zoom ? `${Math.round(factor * 100)} %` : "fit";
  }

  function drag(pane) {
    let from = null, moved = false;
    pane.addEventListener("pointerdown", (event) => {
      if (event.button || event.pointerType === "touch") return;
      from = [event.clientX + pane.scrollLeft, event.clientY + pane.scrollTop];
      moved = false;
    });
    pane.addEventListener("pointermove", (event) => {
      if (!from || !zoom) return;
      moved = moved || Math.hypot(from[0] - event.clientX - pane.scrollLeft, from[1] - event.clientY - pane.scrollTop) > 4;
      if (!moved) return;
      pane.classList.add("dragged");
      pane.scrollTo(from[0] - event.clientX, from[1] - event.clientY);
    });
    for (const end of ["pointerup", "pointerleave", "pointercancel"]) {
      pane.addEventListener(end, () => { from = null; pane.classList.remove("dragged"); });
    }
    pane.addEventListener("click", (event) => {
      if (!event.target.closest(".picture") || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      if (!moved) enlarge(zoom ? 0 : 2);
    });
  }

  // --- a search over the classes ---------------------------------------------------------------------------------

  function searching(input) {
    const names = all("#classes option").map((option) => option.value);
    const list = document.createElement("ul");
    list.className = "matches";
    list.id = `${input.id}-matches`;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Classes");
    list.hidden = true;
    input.removeAttribute("list");
    input.after(list);
    for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-controls": list.id, "aria-expanded": "false" })) {
      input.setAttribute(name, value);
    }
    let chosen = 0;

    function matches() {
      const wanted = input.value.trim().toLocaleLowerCase();
      const place = (name) => name.toLocaleLowerCase().indexOf(wanted);
      const word = (name) => (place(name) === 0 ? 0 : /\s/.test(name[place(name) - 1] || "") ? 1 : 2);
      return names.filter((name) => place(name) >= 0).sort((a, b) => word(a) - word(b)).slice(0, 50);
    }
    function draw() {
      const found = matches();
      chosen = Math.max(0, Math.min(chosen, found.length - 1));
      list.replaceChildren(...found.map((name, place) => {
        const item = document.createElement("li");
        item.id = `${list.id}-${place}`;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", String(place === chosen));
        item.textContent = name;
        item.addEventListener("pointerdown", (event) => { event.preventDefault(); take(name); });
        return item;
      }));
      list.hidden = !found.length;
      input.setAttribute("aria-expanded", String(!list.hidden));
      const active = list.children[chosen];
      if (active) {
        input.setAttribute("aria-activedescendant", active.id);
        active.scrollIntoView({ block: "nearest" });
      } else input.removeAttribute("aria-activedescendant");
    }
    function close() {
      list.hidden = true;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }
    function take(name) {
      if (input.dataset.search !== "add") {
        input.value = name;
        close();
        input.form.requestSubmit();
        return;
      }
      tick(input.form, name);
      input.value = "";
      chosen = 0;
      close();
    }
    input.addEventListener("input", () => { chosen = 0; draw(); });
    if (input.dataset.search !== "add") input.addEventListener("focus", draw);
    input.addEventListener("blur", close);
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.repeat) event.preventDefault();
      else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (list.hidden) chosen = 0;
        else chosen += event.key === "ArrowDown" ? 1 : -1;
        draw();
      } else if (event.key === "Enter" && !list.hidden && input.value.trim() && !input.form.elements.new.checked) {
        event.preventDefault();
        take(matches()[chosen]);
      } else if (event.key === "Enter" && input.dataset.search !== "add" && !input.value.trim()) {
        event.preventDefault();
        const found = matches();
        if (!list.hidden && found.length && input.getAttribute("aria-activedescendant")) take(found[chosen]);
      } else if (event.key === "Escape" && !list.hidden && input.value) {
        event.stopPropagation();
        input.value = "";
        draw();
      }
    });
  }

  function tick(form, name) {
    const boxes = all("input[name=labels]", form);
    let box = boxes.find((each) => each.value === name);
    if (!box) {
      const item = form.querySelector(".ticks li").cloneNode(true);
      box = item.querySelector("input");
      box.value = name;
      box.removeAttribute("data-tick");
      all("kbd", item).forEach((key) => key.remove());
      item.querySelector("bdi").textContent = name;
      form.querySelector(".ticks").append(item);
    }
    box.checked = true;
    document.getElementById("live").textContent = `${name} ticked`;
  }

  // --- keys -------------------------------------------------------------------------------------------------------

  function toggle(panel) {
    panel.open = !panel.open;
    if (!panel.open) return;
    all("details.panel").forEach((other) => { if (other !== panel) other.open = false; });
    (panel.querySelector("[data-search], [data-tick], select") || panel.querySelector("summary")).focus({ preventScroll: true });
    panel.scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || busy) return;
    const target = event.target, key = event.key;
    // a key that is held down turns pages and zooms; one that decides would go on to findings nobody has seen
    if (event.repeat && !["ArrowLeft", "ArrowRight", "+", "=", "-"].includes(key)) return;
    if (key === "Escape") {
      const open = all("details.panel[open]");
      open.forEach((panel) => { panel.open = false; });
      if (open.length) {
        document.getElementById("title").focus({ preventScroll: true });
        event.preventDefault();
      }
      return;
    }
    if (target.matches("input:not([type=checkbox]), select, textarea")) return;
    if (key === "Enter" && target.closest("a, button, summary, input")) return;
    if (key === "ArrowLeft" || key === "ArrowRight") {
      if (zoom && target.closest(".pane")) return;
      if (document.querySelector(".leaves")) {
        event.preventDefault();
        show(leaf + (key === "ArrowRight" ? 1 : -1));
      }
      return;
    }
    const several = document.getElementById("several");
    if (/^[1-9]$/.test(key) && several && (several.open || document.querySelector("main[data-several=yes]"))) {
      const box = several.querySelector(`[data-tick="${key}"]`);
      if (!box) return;
      event.preventDefault();
      if (!several.open) toggle(several);
      box.checked = !box.checked;
      box.focus();
      return;
    }
    const panel = all("[data-open]").find((each) => each.dataset.open.split(" ").includes(key));
    if (panel) {
      event.preventDefault();
      toggle(panel);
      return;
    }
    if (key === "Enter" && document.querySelector("#several[open], #change[open]")) {
      event.preventDefault();
      document.querySelector("#several[open] form, #change[open] form").requestSubmit();
      return;
    }
    const control = all("[data-key]").find((each) => each.dataset.key.split(" ").includes(key));
    if (!control || control.disabled) return;
    event.preventDefault();
    control.click();
  });

  // --- a page that was just loaded ---------------------------------------------------------------------------------

  function begin() {
    leaf = 0;
    zoom = 0;
    show(0);
    all("[data-leaf]").forEach((tab) => tab.addEventListener("click", (event) => {
      event.preventDefault();
      show(Number(tab.dataset.leaf) - 1);
    }));
    all("[data-zoom]").forEach((button) => button.addEventListener("click", () => {
      const step = Number(button.dataset.zoom);
      enlarge(step ? zoom + step : 0);
    }));
    all(".pane:not(.paper)").forEach(drag);
    all(".pane img").forEach((image) => image.addEventListener("load", () => enlarge(zoom)));
    all("[data-search]").forEach(searching);
  }

  window.addEventListener("resize", () => enlarge(zoom));
  begin();
})();
