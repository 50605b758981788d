// The theme names some of its elements other than they read, which confuses those who hear or say
// the names; and calls a list what has other children than a list may have.
function mendNames() {
  const named = "summary[aria-label], .search-button-field[aria-label]";
  for (const element of document.querySelectorAll(named)) element.removeAttribute("aria-label");
  for (const list of document.querySelectorAll(".citation-list")) list.removeAttribute("role");
  // The button has a name; its pictures need none.
  for (const icon of document.querySelectorAll(".theme-switch")) {
    icon.removeAttribute("title");
    icon.setAttribute("aria-hidden", "true");
  }
}
document.addEventListener("DOMContentLoaded", mendNames);
window.addEventListener("load", mendNames); // The theme names its button late.

// Fill the place of the scorecard's controls: what may be chosen, by its heading, and a word;
// `said` tells what is left. Of what is the same for all there is nothing to choose.
function scorecardBar(choices) {
  const element = document.querySelector(".scorecard-filter");
  const add = (heading, control) => {
    control.dataset.part = heading.toLowerCase();
    const label = document.createElement("label");
    label.append(`${heading} `, control);
    element.append(label);
    return control;
  };
  const selects = {};
  for (const [heading, values] of Object.entries(choices)) {
    if (values.length < 2) continue;
    const select = document.createElement("select");
    select.append(new Option("all", ""), ...values.map((value) => new Option(value, value)));
    selects[heading] = add(heading, select);
  }
  const word = add("Words", document.createElement("input"));
  word.type = "search";
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  element.append(said);
  return { element, selects, word, said };
}

// The scorecard: show the exhibits of a paper, a preset, with a verdict, or a word in their claims.
function filterScorecard() {
  const rows = [...document.querySelectorAll(".scorecard[data-verdict]")];
  if (rows.length === 0) return;
  const of = (row, heading) => row.dataset[heading.toLowerCase()].split("|");
  const valuesOf = (heading) => [...new Set(rows.flatMap((row) => of(row, heading)))];
  const headings = ["Paper", "Preset", "Verdict"];
  const bar = scorecardBar(Object.fromEntries(headings.map((name) => [name, valuesOf(name)])));

  const filter = () => {
    const chosen = Object.entries(bar.selects).filter(([, select]) => select.value !== "");
    const word = bar.word.value.trim().toLowerCase();
    const verdict = bar.selects.Verdict?.value ?? "";
    for (const row of rows) {
      const right = chosen.every(([heading, { value }]) => of(row, heading).includes(value));
      row.hidden = !(right && row.textContent.toLowerCase().includes(word));
      for (const claim of row.querySelectorAll("tbody tr")) {
        // A mark and a space stand before the verdict.
        const cells = [...claim.cells].map((cell) => cell.textContent.trim().slice(2));
        claim.hidden = verdict !== "" && !cells.includes(verdict);
      }
    }
    const shown = rows.filter((row) => !row.hidden);
    for (const section of new Set(rows.map((row) => row.closest("section")))) {
      section.hidden = !shown.some((row) => section.contains(row));
    }
    bar.said.textContent = `${shown.length} of ${rows.length} exhibits`;
  };
  bar.element.addEventListener("input", filter);
  filter();
}
document.addEventListener("DOMContentLoaded", filterScorecard);

// The search page: a hit on an exhibit has its title, and not that of the page on which it stands.
// What is read from a folder cannot be fetched, so there the pages themselves are not quoted.
function nameHits() {
  const results = document.querySelector("#search-results");
  if (!results || typeof Search === "undefined") return;
  if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
  const name = () => {
    const titles = Object.keys(Search._index?.alltitles ?? {});
    const idOf = (title) => title.split(" · ")[0].toLowerCase().replaceAll(".", "-");
    const byId = new Map(titles.map((title) => [idOf(title), title]));
    for (const link of results.querySelectorAll("li > a")) {
      const title = byId.get(link.hash.slice(1));
      if (title && link.textContent !== title) link.textContent = title;
    }
  };
  new MutationObserver(name).observe(results, { childList: true, subtree: true });
}
document.addEventListener("DOMContentLoaded", nameHits);
