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

// Fill the place of the scorecard's controls: a paper, a verdict, a word; `said` tells what is left.
function scorecardBar(papers, verdicts) {
  const control = (element, name) => {
    element.dataset.part = name;
    return element;
  };
  const choice = (name, values) => {
    const select = document.createElement("select");
    select.append(new Option("all", ""), ...values.map((value) => new Option(value, value)));
    return control(select, name);
  };
  const paper = choice("paper", papers);
  const verdict = choice("verdict", verdicts);
  const word = control(document.createElement("input"), "word");
  word.type = "search";
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  const element = document.querySelector(".scorecard-filter");
  for (const [text, one] of Object.entries({ Paper: paper, Verdict: verdict, Words: word })) {
    const label = document.createElement("label");
    label.append(`${text} `, one);
    element.append(label);
  }
  element.append(said);
  return { element, paper, verdict, word, said };
}

// The scorecard: show the exhibits of a paper, with a verdict, or with a word in their claims.
function filterScorecard() {
  const rows = [...document.querySelectorAll(".scorecard[data-verdicts]")];
  if (rows.length === 0) return;
  const verdictsOf = (row) => row.dataset.verdicts.split("|");
  const papers = new Set(rows.map((row) => row.dataset.paper));
  const bar = scorecardBar([...papers], [...new Set(rows.flatMap(verdictsOf))]);

  const filter = () => {
    const [paper, verdict, word] = [bar.paper, bar.verdict, bar.word].map(({ value }) => value);
    const fits = (row) => row.textContent.toLowerCase().includes(word.trim().toLowerCase());
    for (const row of rows) {
      const right = paper === "" || row.dataset.paper === paper;
      const judged = verdict === "" || verdictsOf(row).includes(verdict);
      row.hidden = !(right && judged && fits(row));
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
