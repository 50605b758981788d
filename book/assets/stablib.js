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

// The scorecard: show the exhibits of a paper, with a verdict, or with a word in their claims.
function filterScorecard() {
  const rows = [...document.querySelectorAll(".scorecard[data-verdicts]")];
  if (rows.length === 0) return;
  const options = (name, values) => {
    const select = document.createElement("select");
    select.append(new Option("all", ""), ...values.map((value) => new Option(value, value)));
    select.dataset.part = name;
    return select;
  };
  const labelled = (text, control) => {
    const label = document.createElement("label");
    label.append(`${text} `, control);
    return label;
  };
  const verdictsOf = (row) => row.dataset.verdicts.split("|");
  const paper = options("paper", [...new Set(rows.map((row) => row.dataset.paper))]);
  const verdict = options("verdict", [...new Set(rows.flatMap(verdictsOf))]);
  const word = document.createElement("input");
  word.type = "search";
  word.dataset.part = "word";
  const said = document.createElement("span");
  said.setAttribute("role", "status");

  const fits = (text) => text.toLowerCase().includes(word.value.trim().toLowerCase());
  const filter = () => {
    for (const row of rows) {
      const right = [row.dataset.paper, ""].includes(paper.value);
      const judged = verdict.value === "" || verdictsOf(row).includes(verdict.value);
      row.hidden = !(right && judged && fits(row.textContent));
      for (const claim of row.querySelectorAll("tbody tr")) {
        // A mark and a space stand before the verdict.
        const cells = [...claim.cells].map((cell) => cell.textContent.trim().slice(2));
        claim.hidden = verdict.value !== "" && !cells.includes(verdict.value);
      }
    }
    const shown = rows.filter((row) => !row.hidden).length;
    said.textContent = `${shown} of ${rows.length} exhibits`;
  };
  const bar = document.createElement("div");
  bar.className = "scorecard-filter";
  const fields = { Paper: paper, Verdict: verdict, Words: word };
  bar.append(...Object.entries(fields).map(([text, control]) => labelled(text, control)), said);
  bar.addEventListener("input", filter);
  rows[0].closest("section").before(bar);
  filter();
}
document.addEventListener("DOMContentLoaded", filterScorecard);
