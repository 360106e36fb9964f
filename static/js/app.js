/*
 * Small conveniences on top of pages that already work without them.
 * No dependency, no build step, no inline code, safe under a strict
 * Content-Security-Policy. Listeners are delegated, so fragments swapped in by
 * htmx need no set-up of their own.
 */
(function () {
  "use strict";
  var doc = document;
  doc.documentElement.classList.add("has-js");

  function closest(event, selector) {
    return event.target instanceof Element ? event.target.closest(selector) : null;
  }
  function all(root, selector) {
    return Array.prototype.slice.call(root.querySelectorAll(selector));
  }
  var words = (doc.getElementById("words") || doc.createElement("i")).dataset;
  function announce(text) {
    var region = doc.getElementById("announcer");
    if (!region) {
      region = doc.createElement("div");
      region.id = "announcer";
      region.className = "visually-hidden";
      region.setAttribute("role", "status");
      doc.body.appendChild(region);
    }
    region.textContent = text;
  }

  function toast(text) {
    var stack = doc.querySelector(".toasts");
    if (!stack) {
      stack = doc.createElement("div");
      stack.className = "toasts";
      stack.setAttribute("role", "status");
      doc.body.appendChild(stack);
    }
    var item = doc.createElement("div");
    item.className = "toast";
    item.textContent = text;
    stack.appendChild(item);
    setTimeout(function () { item.remove(); }, 4000);
  }

  /* ---- Selecting orders ---- */
  function refreshSelection(form) {
    var boxes = all(form, ".row-check");
    var picked = boxes.filter(function (box) { return box.checked; }).length;
    var master = form.querySelector("[data-select-all]");
    if (master) {
      master.checked = picked > 0 && picked === boxes.length;
      master.indeterminate = picked > 0 && picked < boxes.length;
    }
    var label = form.querySelector("[data-bulk-label]");
    if (label) {
      if (!label.dataset.empty) label.dataset.empty = label.textContent;
      label.textContent = picked ? (picked === 1 ? words.oneSelected : words.manySelected.replace("%d", picked)) : label.dataset.empty;
    }
  }
  var lastBox = null;
  doc.addEventListener("click", function (event) {
    var box = closest(event, ".row-check");
    if (!box) return;
    var form = box.closest("[data-bulk]");
    if (!form) return;
    if (event.shiftKey && lastBox && form.contains(lastBox)) {
      var boxes = all(form, ".row-check");
      var a = boxes.indexOf(lastBox), b = boxes.indexOf(box);
      boxes.slice(Math.min(a, b), Math.max(a, b) + 1).forEach(function (item) { item.checked = box.checked; });
    }
    lastBox = box;
    refreshSelection(form);
  });
  doc.addEventListener("change", function (event) {
    var master = closest(event, "[data-select-all]");
    if (!master) return;
    var form = master.closest("[data-bulk]");
    all(form, ".row-check").forEach(function (box) { box.checked = master.checked; });
    refreshSelection(form);
  });
  doc.addEventListener("reset", function (event) {
    if (event.target.matches("[data-bulk]")) {
      setTimeout(function () { refreshSelection(event.target); }, 0);
    }
  });

  /* ---- Partial refund: running total, in the smallest unit so that it never drifts ---- */
  function units(text, form) {
    var places = Number(form.dataset.places), parts = /^\s*(\d{1,12})(?:\.(\d*))?\s*$/.exec(text);
    if (!parts || /[^0]/.test((parts[2] || "").slice(places))) return 0;
    return Number(parts[1] + (parts[2] || "").slice(0, places).padEnd(places, "0"));
  }
  function amount(value, form) {
    var places = Number(form.dataset.places), digits = String(value).padStart(places + 1, "0"), at = digits.length - places;
    return form.dataset.sign + digits.slice(0, at).replace(/\B(?=(\d{3})+$)/g, ",") + (places ? "." + digits.slice(at) : "");
  }
  doc.addEventListener("input", function (event) {
    var field = closest(event, "[data-refund] [data-amount], [data-refund] [data-tick]");
    if (!field) return;
    var form = field.closest("[data-refund]");
    var row = field.closest("[data-refund-row]");
    if (field.matches("[data-amount]")) {
      row.querySelector("[data-tick]").checked = all(row, "[data-amount]").some(function (box) { return units(box.value, form) > 0; });
      field.toggleAttribute("aria-invalid", false);
      if (units(field.value, form) > units(field.dataset.max, form)) field.setAttribute("aria-invalid", "true");
    }
    var total = 0;
    all(form, "[data-refund-row]").forEach(function (line) {
      var sum = 0;
      if (line.querySelector("[data-tick]").checked) {
        all(line, "[data-amount]").forEach(function (box) { sum += units(box.value, form); });
      }
      line.querySelector("[data-row-total]").textContent = amount(sum, form);
      total += sum;
    });
    form.querySelector("[data-total]").textContent = amount(total, form);
  });

  /* ---- A click anywhere in a row opens the order, unless text is being selected ---- */
  doc.addEventListener("click", function (event) {
    var row = closest(event, ".orders tbody tr");
    if (!row || closest(event, "a, button, input, label, select") || String(getSelection())) return;
    var link = row.querySelector(".order-id a");
    if (link) link.click();
  });

  /* ---- Copy, print ---- */
  doc.addEventListener("click", function (event) {
    var copy = closest(event, "[data-copy], [data-copy-from]");
    if (copy && navigator.clipboard) {
      var source = copy.dataset.copy || doc.getElementById(copy.dataset.copyFrom).innerText;
      navigator.clipboard.writeText(source).then(function () { toast(words.copied); });
    }
    if (closest(event, "[data-print]")) window.print();
  });

  /* ---- The account menu closes on Escape and on a click elsewhere ---- */
  doc.addEventListener("click", function (event) {
    all(doc, ".topbar__menu[open]").forEach(function (menu) { if (!menu.contains(event.target)) menu.open = false; });
  });
  doc.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") return;
    all(doc, ".topbar__menu[open]").forEach(function (menu) { menu.open = false; menu.querySelector("summary").focus(); });
    if (event.target.matches("[type=search]")) event.target.blur();
  });

  /* ---- Keyboard shortcuts. Off for anyone who has turned them off. ---- */
  var prefix = "", timer = 0;
  function rows() { return all(doc, ".orders tbody tr:not(.row-group)"); }
  function currentRow() { return doc.activeElement && doc.activeElement.closest ? doc.activeElement.closest(".orders tbody tr") : null; }
  doc.addEventListener("keydown", function (event) {
    if (doc.body.dataset.shortcuts === "off" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input:not([type=checkbox]):not([type=radio]), select, textarea, [contenteditable]")) return;
    var key = event.key, row = currentRow(), link;
    clearTimeout(timer);
    if (prefix === "g") {
      prefix = "";
      link = /^[a-z]$/.test(key) && doc.querySelector("[data-go=" + key + "]");
      if (link) { event.preventDefault(); link.click(); }
      return;
    }
    if (key === "g") { prefix = "g"; timer = setTimeout(function () { prefix = ""; }, 1200); return; }
    if (key === "/") {
      link = doc.getElementById("q");
      if (link) { event.preventDefault(); link.focus(); link.select(); }
    } else if (key === "?") {
      link = doc.querySelector("a[data-shortcuts]");
      if (link) { event.preventDefault(); link.click(); }
    } else if (rows().length && (key === "j" || key === "k")) {
      var list = rows(), at = list.indexOf(row);
      var target = list[Math.max(0, Math.min(list.length - 1, at + (key === "j" ? 1 : -1)))];
      if (target) { event.preventDefault(); target.querySelector(".order-id a").focus(); }
    } else if (row && key === "x") {
      link = row.querySelector(".row-check");
      if (link) { event.preventDefault(); link.click(); }
    } else if (/^[cpr]$/.test(key)) {
      var bulk = doc.querySelector("[data-bulk] .row-check:checked") &&
                 doc.querySelector("[data-bulk] [name=action][value=" + { c: "confirm", p: "print", r: "none" }[key] + "]");
      link = bulk || (row ? row.querySelector({ c: "[href*=confirm]", p: "[href*=packing]", r: "[href*=refund]" }[key])
                          : doc.querySelector(".action-bar [aria-keyshortcuts=" + key + "]"));
      if (link) { event.preventDefault(); link.click(); }
    } else if (!rows().length && (key === "j" || key === "k")) {
      link = doc.querySelector(".order-head__nav [aria-keyshortcuts=" + key + "]");
      if (link) { event.preventDefault(); link.click(); }
    }
  });

  /* ---- A posted form works once: its buttons rest until the answer comes ---- */
  doc.addEventListener("submit", function (event) {
    var form = event.target, button = event.submitter;
    if (event.defaultPrevented || form.getAttribute("method") !== "post") return;
    if (form.dataset.busy) { event.preventDefault(); return; }
    form.dataset.busy = "1";
    setTimeout(function () {          /* after the browser has read the fields */
      all(form, "button").forEach(function (each) { each.setAttribute("aria-disabled", "true"); });
      if (!button || !form.isConnected) return;
      button.dataset.words = button.innerHTML;
      button.textContent = words.working;
      var wheel = doc.createElement("span");
      wheel.className = "spinner";
      button.prepend(wheel);
    }, 0);
  });
  window.addEventListener("pageshow", function (event) {
    if (!event.persisted) return;     /* back from the browser's memory: ready again */
    all(doc, "form[data-busy]").forEach(function (form) {
      delete form.dataset.busy;
      all(form, "button").forEach(function (each) {
        each.removeAttribute("aria-disabled");
        if (each.dataset.words) each.innerHTML = each.dataset.words;
      });
    });
  });

  /* ---- Fragments: a page of its own is gone to, a failure leaves the page as it is ---- */
  function notice(id, kind, text, href, label) {
    var box = doc.getElementById(id) || doc.createElement("div");
    var inner = doc.createElement("div"), body = doc.createElement("div"), link = doc.createElement("a");
    box.id = id;
    box.className = "notices";
    box.setAttribute("role", "alert");
    inner.className = "notice notice--" + kind;
    body.className = "notice__body";
    body.textContent = text + "\u00a0";
    link.href = href;
    link.textContent = label;
    body.appendChild(link);
    inner.appendChild(body);
    box.replaceChildren(inner);
    doc.getElementById("main").prepend(box);
    return link;
  }
  function failed(event, text) {
    notice("fragment-failed", "bad", text, (event.detail.pathInfo || {}).finalRequestPath || location.href, words.again);
  }
  doc.addEventListener("htmx:beforeSwap", function (event) {
    var detail = event.detail, id = detail.target && detail.target.id;
    var left = doc.getElementById("fragment-failed");
    if (left && detail.shouldSwap) left.remove();
    if (detail.shouldSwap && id && detail.serverResponse.indexOf('id="' + id + '"') < 0) {
      detail.shouldSwap = false;
      location.assign(detail.pathInfo.finalRequestPath);
    }
  });
  doc.addEventListener("htmx:responseError", function (event) { failed(event, words.failed); });
  doc.addEventListener("htmx:timeout", function (event) { failed(event, words.failed); });
  doc.addEventListener("htmx:sendError", function (event) { failed(event, navigator.onLine ? words.failed : words.offline); });

  /* ---- Five minutes before an idle sign-in ends it can be prolonged, and what was typed stays ---- */
  var idle = Number(doc.body.dataset.idle), ending = 0;
  function restart() {
    clearTimeout(ending);
    if (idle) ending = setTimeout(function () {
      notice("sign-in-ends", "warn", words.ending, location.href, words.stay).addEventListener("click", function (event) {
        event.preventDefault();
        fetch(doc.body.dataset.stay, { method: "HEAD" }).then(function (answer) {
          if (answer.redirected) { location.reload(); return; }
          doc.getElementById("sign-in-ends").remove();
          restart();
        });
      });
    }, (idle - 300) * 1000);
  }
  restart();
  doc.addEventListener("htmx:afterRequest", restart);

  /* ---- Focus: errors or the last result on load, the results heading after a swap ---- */
  all(doc, ".quickviews [aria-current], .segmented [aria-current]").forEach(function (link) {
    var strip = link.closest(".quickviews, .segmented");   /* on phones: the chosen one in sight */
    strip.scrollLeft = link.offsetLeft - (strip.clientWidth - link.offsetWidth) / 2;
  });
  var told = doc.querySelector("[data-error-summary]") || doc.querySelector("[data-message]");
  if (told) told.focus();
  doc.addEventListener("htmx:afterSettle", function (event) {
    var heading = event.target.querySelector("[data-error-summary], #results-title");
    if (heading && !event.target.contains(doc.activeElement)) heading.focus();
    if (event.target.id === "order-results" && heading) announce(heading.textContent);
  });
})();
